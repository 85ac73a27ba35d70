//! Bringing bytes of a file to the server.

use std::io::Read;

use super::collections::make_collections;
use super::mode::Mode;
use super::overlap::Overlap;
use super::place::Place;
use super::requests::sends;
use super::stored::{refusal, Stored};
use super::{Dav, SMALL};
use crate::error::Error;
use crate::http::{Body, Exchange};
use crate::protocol::bytes::CheckedBytes;
use crate::protocol::headers::{header, Headers};
use crate::protocol::{Job, Outcome, Segment};

impl Dav<'_> {
    /// Finds out how the server takes bytes, before a large file is trusted to it.
    pub(super) fn choose_mode(
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

    /// Sends a segment of the file at a place.
    pub(super) fn put(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        place: &Place,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error> {
        let (from, end) = (segment.offset, segment.offset + segment.length);
        // The bytes before were compared.
        self.known().is_ours |= from > 0;
        let is_whole = self.known().is_whole;
        let mode = match self.learned.get() {
            _ if is_whole => Mode::Whole,
            Some(mode) => mode,
            // The file was complete, and was read back: it is to be replaced.
            None => self.choose_mode(exchange, job, place, from)?,
        };
        self.known().is_whole = mode == Mode::Whole;
        if mode == Mode::Whole && segment.length < job.size && from == 0 {
            return Ok(Outcome::OffsetMismatch(self.answer()));
        }
        if mode == Mode::Whole && from > 0 {
            let why = format!("a part from {from} on for a server that takes files whole");
            return Err(Error::Internal { why });
        }
        let is_empty = matches!(&self.known().stored, Some(stored) if stored.length == 0);
        if from == 0 && self.known().stored.is_none() {
            make_collections(exchange, place)?;
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
                Mode::Patch => self.begin(exchange, job, place, (1, body))?,
                Mode::Put | Mode::Whole => {
                    self.begin(exchange, job, place, (0, Body::Text(b"")))?
                }
            };
            before = first.last;
            if !has_begun {
                return self.ask_after_412(exchange, job, place);
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
                412 => return self.ask_after_412(exchange, job, place),
                _ => return Err(refusal(&response)),
            }
        }
        self.known().last = overlap.last;
        // A success says nothing about what has been stored.
        let answer = self.ask(exchange, job, (place, Some(end)))?;
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
        // Its tag is another one now, which some servers tell.
        let etag = response.strong_tag();
        known.stored = Some(Stored { length, etag });
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
}
