//! WebDAV (RFC 4918), and servers that take `PUT`: a file has its own URL, which its name gives.
//!
//! An upload begins with an empty `PUT`. After a cut the server has the bytes that have arrived: a
//! `HEAD` tells how many, and the last of them are compared with the file's.

mod collections;
mod mode;
mod overlap;
mod place;
mod requests;
mod stored;
#[cfg(test)]
mod tests;

pub(crate) use mode::Learned;

use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bytes::CheckedBytes;
use super::headers::{header, Headers};
use super::{Abilities, Answer, Job, Note, Outcome, Protocol, Segment, State, Store, Tail};
use crate::control::log::LogLevel;
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{Body, Exchange};
use collections::make_collections;
use mode::{Mode, Probe};
use overlap::Overlap;
use place::Place;
use requests::sends;
use stored::{refusal, Stored};

/// The largest file that goes up by one request, so that no server is asked how it takes bytes.
const SMALL: u64 = if cfg!(test) { 100 } else { 1 << 20 };

/// WebDAV against one endpoint, for one run.
pub(super) struct Dav<'a> {
    endpoint: Endpoint,
    learned: &'a Learned,
    probe: Probe,
    known: Mutex<Known>,
}

/// What a run knows about its file at the server.
#[derive(Debug, Clone, Default)]
struct Known {
    /// The file there, by the last answer.
    stored: Option<Stored>,
    /// Its last byte.
    last: Option<u8>,
    /// Whether its bytes are of this upload: the run has begun the file, or has compared its last
    /// bytes.
    is_ours: bool,
    /// Whether the server takes this file only whole.
    is_whole: bool,
    /// Whether the server's entity tags change without a reason.
    has_odd_tags: bool,
    notes: Vec<Note>,
}

impl<'a> Dav<'a> {
    /// Makes the protocol for files in the collection at `endpoint`, or for the file there.
    pub(super) fn at(endpoint: Endpoint, learned: &'a Learned) -> Self {
        Dav {
            endpoint,
            learned,
            probe: Probe::default(),
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn warn(&self, line: String) {
        self.known().notes.push((LogLevel::Warn, line));
    }

    /// Asks what the server has, and makes an answer of it. `sent` says up to which offset the run has
    /// just sent bytes: those of a file that is not yet complete need not be compared.
    fn ask(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        (place, sent): (&Place, Option<u64>),
    ) -> Result<Answer, Error> {
        let stored = Stored::ask(exchange, &place.url)?;
        let (is_ours, is_whole) = {
            let mut known = self.known();
            known.stored.clone_from(&stored);
            (known.is_ours, known.is_whole)
        };
        let answer = self.answer();
        let stored = match stored {
            Some(stored) if stored.length > 0 => stored,
            Some(_) if job.size == 0 => return Ok(self.complete(job, place)),
            _ => return Ok(answer),
        };
        let conflict = |why: String| Error::OtherFile {
            at: place.shown(),
            why,
        };
        let (length, size) = (stored.length, job.size);
        if length > size {
            return Err(conflict(format!(
                "it has {length} bytes, and this one has {size}"
            )));
        }
        if length < size && sent == Some(length) && !is_whole {
            return Ok(Answer {
                state: State::Partial,
                offset: length,
                ..answer
            });
        }
        let bytes = stored.tail(exchange, &place.url)?;
        self.known().last = bytes.map(|bytes| bytes.byte);
        if bytes.is_none() && !is_ours {
            return Err(conflict(format!(
                "it has {length} bytes, and the server does not give them to be compared with the \
                 {size} bytes of this one"
            )));
        }
        let tail = bytes.map(|bytes| {
            Box::new(Tail {
                bytes: bytes.range,
                // Even one that the run has begun may be another program's by now.
                conflict: Some(conflict(format!(
                    "the last of its {length} bytes are not this file's"
                ))),
            })
        });
        Ok(match length == size {
            true => Answer {
                tail,
                ..self.complete(job, place)
            },
            // It is replaced as a whole, and compared all the same.
            false if is_whole => Answer { tail, ..answer },
            false => Answer {
                state: State::Partial,
                offset: length,
                tail,
                ..answer
            },
        })
    }

    /// Makes the answer of a server that has nothing.
    fn answer(&self) -> Answer {
        Answer {
            state: State::New,
            offset: 0,
            id: None,
            location: None,
            agreed: None,
            prefix: None,
            max_segment: None,
            min_segment: None,
            grain: self.known().is_whole.then_some(u64::MAX),
            tail: None,
            small: None,
            parts: None,
            ranges: Vec::new(),
            sections: None,
            is_own: false,
            message: None,
        }
    }

    /// Makes the answer of a server that has the whole file.
    fn complete(&self, job: &Job, place: &Place) -> Answer {
        Answer {
            state: State::Complete,
            offset: job.size,
            location: Some(place.url.uri().to_string()),
            ..self.answer()
        }
    }

    /// Finds out how the server takes bytes, before a large file is trusted to it.
    fn choose_mode(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        place: &Place,
        offset: u64,
    ) -> Result<Mode, Error> {
        if job.size <= SMALL && offset == 0 {
            return Ok(Mode::Whole);
        }
        if let Some(mode) = self.learned.get() {
            return Ok(mode);
        }
        make_collections(exchange, place)?;
        let shown = self.probe.run(exchange, place)?;
        if shown.mode == Ok(Some(Mode::Whole)) {
            self.warn(
                "the server takes no parts of a file, so each file is sent whole, and from its start \
                 after a break"
                    .to_owned(),
            );
        }
        if let Some(why) = shown.left {
            let name = self.probe.name()?;
            self.warn(format!(
                "the small file {name} may be left there, since it could not be removed: {why}"
            ));
        }
        let mode = shown.mode?;
        if let Some(mode) = mode {
            self.learned.set(mode);
        }
        Ok(mode.unwrap_or(Mode::Whole))
    }

    /// Begins the file: makes it, or replaces what is there, with so many bytes. Gives `false` if
    /// meanwhile there is another one.
    fn begin(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        place: &Place,
        (length, body): (u64, Body<'_>),
    ) -> Result<bool, Error> {
        let headers = self.condition();
        let about = (job.content_type.clone(), headers);
        let response = exchange.exchange(sends("PUT", &place.url, about, body))?;
        match response.status {
            200..=299 => {}
            412 => return Ok(false),
            _ => return Err(refusal(&response)),
        }
        let mut known = self.known();
        known.is_ours = true;
        // Its tag is another one now.
        known.stored = Some(Stored { length, etag: None });
        Ok(true)
    }

    /// Gives the header fields by which a request changes only what the last answer has shown.
    fn condition(&self) -> Headers {
        let known = self.known();
        match &known.stored {
            Some(stored) => stored.only_this(known.has_odd_tags),
            None => vec![header("if-none-match", "*")],
        }
    }

    /// Asks again, after the server has refused a request because its file is another one.
    fn ask_after_412(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        place: &Place,
    ) -> Result<Outcome, Error> {
        exchange.renew();
        let before = self.known().stored.clone();
        let answer = self.ask(exchange, job, (place, None))?;
        let mut known = self.known();
        if let (Some(stored), Some(before)) = (&known.stored, before) {
            // The run ends if the last bytes are not equal.
            let is_compared = answer.tail.is_some() || stored.length == 0;
            known.has_odd_tags |= stored.length == before.length && is_compared;
        }
        Ok(Outcome::OffsetMismatch(answer))
    }
}

impl Protocol for Dav<'_> {
    fn name(&self) -> &'static str {
        "dav"
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            locates: true,
            proves_prefix: false,
            needs_key: false,
            checksum: None,
        }
    }

    fn notes(&self) -> Vec<Note> {
        std::mem::take(&mut self.known().notes)
    }

    fn locate(&self, exchange: &dyn Exchange, job: &Job, _: Option<&str>) -> Result<Answer, Error> {
        let place = Place::of(&self.endpoint, job)?;
        let answer = self.ask(exchange, job, (&place, None))?;
        if answer.state == State::Complete {
            return Ok(answer);
        }
        let mode = self.choose_mode(exchange, job, &place, answer.offset)?;
        self.known().is_whole = mode == Mode::Whole;
        Ok(match mode {
            Mode::Whole => Answer {
                tail: answer.tail,
                ..self.answer()
            },
            Mode::Put | Mode::Patch => answer,
        })
    }

    fn send(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error> {
        let place = Place::of(&self.endpoint, job)?;
        let is_whole = self.known().is_whole;
        let (from, end) = (segment.offset, segment.offset + segment.length);
        // The bytes before were compared.
        self.known().is_ours |= from > 0;
        let mode = match (is_whole, self.learned.get()) {
            (false, Some(mode)) => mode,
            _ => Mode::Whole,
        };
        if mode == Mode::Whole && from > 0 {
            let why = format!("a part from {from} on for a server that takes files whole");
            return Err(Error::Internal { why });
        }
        let is_empty = matches!(&self.known().stored, Some(stored) if stored.length == 0);
        if from == 0 && self.known().stored.is_none() {
            make_collections(exchange, &place)?;
        }
        let mut bytes = CheckedBytes::new(segment.bytes, segment.length);
        // The byte before the range.
        let mut before = self
            .known()
            .last
            .filter(|_| from > 0 && mode == Mode::Patch);
        let begins = match mode {
            Mode::Put => from == 0 && !is_empty,
            Mode::Patch => from == 0,
            Mode::Whole => false,
        };
        if begins {
            let mut one = Read::take(&mut bytes, 1);
            let mut first = Overlap::new(None, &mut one);
            let body = Body::Stream {
                length: 1,
                bytes: &mut first,
            };
            let has_begun = match mode {
                Mode::Patch => self.begin(exchange, job, &place, (1, body))?,
                Mode::Put | Mode::Whole => {
                    self.begin(exchange, job, &place, (0, Body::Text(b"")))?
                }
            };
            before = first.last;
            if !has_begun {
                return self.ask_after_412(exchange, job, &place);
            }
        }
        let (method, mut headers) = mode.request(from, end, job.size);
        if mode == Mode::Patch && before.is_none() {
            headers = vec![header("x-update-range", "append")];
        }
        headers.extend(self.condition());
        let is_more = from > 0 && before.is_some();
        let mut overlap = Overlap::new(before, &mut bytes);
        let body = Body::Stream {
            length: segment.length + u64::from(is_more),
            bytes: &mut overlap,
        };
        let about = (mode.content_type(&job.content_type), headers);
        // An empty file is there already.
        if segment.length > 0 || mode == Mode::Whole {
            let response = exchange.exchange(sends(method, &place.url, about, body))?;
            match response.status {
                200..=299 => self.known().is_ours = true,
                404 | 410 if mode != Mode::Whole => {
                    return Ok(Outcome::UnknownUpload(refusal(&response)))
                }
                412 => return self.ask_after_412(exchange, job, &place),
                _ => return Err(refusal(&response)),
            }
        }
        self.known().last = overlap.last;
        // A success says nothing about what has been stored.
        let answer = self.ask(exchange, job, (&place, Some(end)))?;
        match &self.known().stored {
            Some(stored) if stored.length > end => Err(Error::BadOffset {
                why: format!("{}, but bytes up to {end} were sent", stored.length),
            }),
            Some(_) => Ok(Outcome::Accepted(answer)),
            None => Err(Error::bad_response(
                "it has no file at the URL at which it took bytes",
            )),
        }
    }

    fn store(&self, _: &dyn Exchange, _: &Job, _: Store<'_>) -> Result<Option<Answer>, Error> {
        // A small file goes up by one request as it is, and is asked for before.
        Ok(None)
    }
}
