//! tus for files in sections: each is a partial upload, and in the end the server joins them (the extension concatenation).

use std::collections::HashMap;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::layout::{divide, Layout};
use super::{Offers, Tus1};
use crate::error::{Error, RefusalKind};
use crate::http::endpoint::Endpoint;
use crate::http::Exchange;
use crate::protocol::resource::{Dialect, Headers, Known, Resource};
use crate::protocol::{
    Abilities, Answer, Job, Note, Outcome, Protocol, Sections, Segment, State, Store,
};

/// How many sections there are for each connection. So none of these is without work before the end, also where some are
/// slower than others.
const SECTIONS: u64 = 2;

/// The longest list of URLs. Many servers take header lines of up to 8 KiB.
const LONGEST_LIST: usize = 7 * 1024;

/// How often a server that fails, or says that it is busy, is asked for partial uploads or to join them.
const MOST_FAILURES: u32 = 2;

/// tus 1.0 against one endpoint. An upload's key is its URL, or the URLs of its sections with blanks between them.
pub(in crate::protocol) struct Tus<'a> {
    pub(super) whole: Resource<Tus1<'a>>,
    memory: Mutex<Memory>,
}

/// What a run knows beside the key.
#[derive(Default)]
pub(super) struct Memory {
    /// The URLs of the first partial uploads, while not all are made.
    made: Vec<String>,
    /// The URL of the file that the server has joined from the sections of a key.
    pub joined: Option<(String, Endpoint)>,
    /// The URLs of sections that were made anew, by those before.
    renewed: HashMap<String, String>,
    /// The key of sections that the server was asked to join, perhaps without an answer.
    pub asked: Option<String>,
    /// Whether this upload does without sections, since the server has refused them.
    pub is_refused: bool,
    /// How often the server has failed to make a partial upload or to join them.
    failures: u32,
}

impl<'a> Tus<'a> {
    /// Makes the protocol for uploads that are created at `endpoint`.
    pub(in crate::protocol) fn at(endpoint: Endpoint, offers: &'a OnceLock<Offers>) -> Self {
        Tus {
            whole: Resource::new(endpoint, Tus1 { offers }),
            memory: Mutex::default(),
        }
    }

    /// Shares what is known of PATCH with the client's other runs.
    pub(in crate::protocol) fn share(self, patches_by_post: &Arc<AtomicBool>) -> Self {
        Tus {
            whole: self.whole.share(patches_by_post),
            ..self
        }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn resolve(&self, url: &str) -> Result<Endpoint, Error> {
        let url = self.whole.endpoint.resolve(url);
        url.ok_or_else(|| Error::Internal {
            why: "a section without a URL".to_owned(),
        })
    }

    /// Makes an upload for each section. Gives `None` if the URLs are too long to be joined.
    fn make(&self, exchange: &dyn Exchange, job: &Job) -> Result<Option<Answer>, Error> {
        let mut made = std::mem::take(&mut self.memory().made);
        let mut most = job.connections as u64 * SECTIONS;
        loop {
            let (length, count) = divide(job.size, most);
            if count < 2 {
                return Ok(None);
            }
            let longest = made.iter().map(|url| url.len() + 1).max().unwrap_or(1);
            let fitting = (LONGEST_LIST / longest) as u64;
            if fitting < count {
                self.remove(exchange, made.iter().map(String::as_str));
                made.clear();
                most = fitting;
                continue;
            }
            let begin = made.len() as u64 * length;
            if begin >= job.size {
                let key = made.join(" ");
                let layout = Layout::of(Some(&key), job.size);
                return Ok(layout.map(|layout| self.answer(&layout, Vec::new())));
            }
            match self.make_one(exchange, job, length.min(job.size - begin)) {
                Ok(url) => made.push(url),
                Err(error) => {
                    self.memory().made = made;
                    return Err(self.judge(error, "take partial uploads"));
                }
            }
        }
    }

    /// Makes a partial upload; gives its URL.
    fn make_one(&self, exchange: &dyn Exchange, job: &Job, length: u64) -> Result<String, Error> {
        let headers = || Ok(self.whole.dialect.partial(length));
        let made = self.whole.post(exchange, job, &headers);
        Ok(made?.uri().to_string())
    }

    /// Has the next attempt send the file as one upload, if a failure shows that the server refuses to do something.
    pub(super) fn judge(&self, error: Error, what: &str) -> Error {
        let Some(status) = error.refusal().map(|refusal| refusal.status) else {
            return error;
        };
        let refuses = match status {
            // These are about the moment, or about who asks.
            401 | 407 | 408 | 421 | 423 | 425 | 502..=504 | 507 | 511 => false,
            429 | 500 => {
                let mut memory = self.memory();
                memory.failures += 1;
                memory.failures >= MOST_FAILURES
            }
            400.. => true,
            _ => false,
        };
        let Some(offers) = self.whole.dialect.offers.get().filter(|_| refuses) else {
            return error;
        };
        let _ = offers.has_refused.set(());
        self.memory().is_refused = true;
        let hint =
            format!("the server does not {what}; the next attempt sends the file as one upload");
        error.with_hint(hint).with_kind(RefusalKind::Failing)
    }

    /// Asks for the state of all sections. Those that the server no longer has begin anew.
    fn ask_all(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        layout: &Layout<'_>,
    ) -> Result<Answer, Error> {
        if self.has_joined(layout) {
            return Ok(self.answer(layout, vec![(0, job.size)]));
        }
        // No late answer to an earlier request is on a new connection.
        exchange.renew();
        let mut urls = Vec::new();
        let mut held = Vec::new();
        while let Some((url, begin, length)) = layout.at(urls.len() as u64 * layout.length) {
            let known = self.memory().renewed.get(url).cloned();
            let known = known.unwrap_or_else(|| url.to_owned());
            match self.ask_one(exchange, job, (&known, length))? {
                Some(offset) => {
                    urls.push(known);
                    held.extend(Some((begin, begin + offset)).filter(|_| offset > 0));
                }
                None => {
                    if self.is_joined_by_now(exchange, job, (layout, urls.len()))? {
                        return Ok(self.answer(layout, vec![(0, job.size)]));
                    }
                    let made = self.make_one(exchange, job, length)?;
                    let mut memory = self.memory();
                    memory.renewed.insert(url.to_owned(), made.clone());
                    urls.push(made);
                }
            }
        }
        let key = urls.join(" ");
        let internal = || Error::Internal {
            why: "other sections than before".to_owned(),
        };
        let layout = Layout::of(Some(&key), job.size).ok_or_else(internal)?;
        Ok(self.answer(&layout, held))
    }

    /// Whether the server has joined these sections: it may not have them any more.
    fn has_joined(&self, layout: &Layout<'_>) -> bool {
        let memory = self.memory();
        let mut joined = memory.joined.iter();
        joined.any(|(key, _)| key == layout.key)
    }

    /// Asks what the server has of a section; `None` if it no longer has its upload.
    pub(super) fn ask_one(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        (url, length): (&str, u64),
    ) -> Result<Option<u64>, Error> {
        let url = self.resolve(url)?;
        Ok(
            match self.whole.ask(exchange, &section(job, length), &url)? {
                Known::Has(answer) => Some(answer.offset),
                Known::Gone | Known::NotOurs => None,
            },
        )
    }

    /// Makes an answer of the bytes that the server has.
    fn answer(&self, layout: &Layout<'_>, held: Vec<(u64, u64)>) -> Answer {
        let reach = |at, (from, to): &(u64, u64)| if *from == at { *to } else { at };
        let offset = held.iter().fold(0, reach);
        Answer {
            state: match held.is_empty() {
                true => State::New,
                false => State::Partial,
            },
            id: Some(layout.key.to_owned()),
            location: None,
            parts: Some(layout.urls.len() as u64),
            sections: Some(Sections {
                length: layout.length,
                is_whole: false,
                held,
            }),
            ..self.whole.answer(&self.whole.endpoint, offset, false)
        }
    }

    /// Removes uploads, where the server does that. Where it fails, they stay until they expire.
    pub(super) fn remove<'u>(&self, exchange: &dyn Exchange, urls: impl Iterator<Item = &'u str>) {
        let offers = self.whole.dialect.offers.get();
        if offers.is_none_or(|offers| offers.terminates != Some(true)) {
            return;
        }
        for url in urls.filter_map(|url| self.resolve(url).ok()) {
            let request = self.whole.request("DELETE", &url, Headers::new());
            if exchange.exchange(request).is_err() {
                return;
            }
        }
    }
}

/// Describes a section as an upload of its own.
fn section(job: &Job, length: u64) -> Job {
    Job {
        size: length,
        ..job.clone()
    }
}

impl Protocol for Tus<'_> {
    fn name(&self) -> &'static str {
        self.whole.name()
    }

    fn abilities(&self) -> Abilities {
        self.whole.abilities()
    }

    fn notes(&self) -> Vec<Note> {
        self.whole.notes()
    }

    fn max_size(&self) -> Option<u64> {
        self.whole.max_size()
    }

    fn creates_with_file(&self) -> bool {
        self.whole.creates_with_file()
    }

    fn locate(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Result<Answer, Error> {
        let dialect = &self.whole.dialect;
        dialect.learn(exchange, &self.whole.endpoint)?;
        let is_refused = self.memory().is_refused;
        if is_refused {
            let made = std::mem::take(&mut self.memory().made);
            self.remove(exchange, made.iter().map(String::as_str));
        }
        let key = match Layout::of(key, job.size) {
            Some(layout) if is_refused || job.connections == 0 => {
                self.remove(exchange, layout.urls.into_iter());
                None
            }
            Some(layout) => return self.ask_all(exchange, job, &layout),
            None => key.filter(|key| !key.contains(' ')),
        };
        if key.is_none() && job.connections > 1 && dialect.joins(job.size) {
            if let Some(answer) = self.make(exchange, job)? {
                return Ok(answer);
            }
        }
        self.whole.locate(exchange, job, key)
    }

    fn send(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error> {
        let Some(layout) = Layout::of(segment.id, job.size) else {
            return self.whole.send(exchange, job, segment);
        };
        if segment.offset == job.size {
            // The file must still be the one that was sent.
            segment.bytes.finish().map_err(own)?;
            return self.join(exchange, job, &layout).map(Outcome::Accepted);
        }
        let Some((url, begin, length)) = layout.at(segment.offset) else {
            let why = format!("bytes from {} on, which no section has", segment.offset);
            return Err(Error::Internal { why });
        };
        let segment = Segment {
            id: Some(url),
            offset: segment.offset - begin,
            ..segment
        };
        let shown = |answer: Answer| {
            let held = (begin, begin + answer.offset);
            let held = Some(held).filter(|(from, to)| from < to);
            self.answer(&layout, held.into_iter().collect())
        };
        let sent = self.whole.send(exchange, &section(job, length), segment)?;
        Ok(match sent {
            Outcome::Accepted(answer) => Outcome::Accepted(shown(answer)),
            Outcome::OffsetMismatch(answer) => Outcome::OffsetMismatch(shown(answer)),
            Outcome::ChecksumMismatch(answer) => Outcome::ChecksumMismatch(shown(answer)),
            // The section begins anew.
            Outcome::UnknownUpload(_) => Outcome::OffsetMismatch(self.answer(&layout, Vec::new())),
        })
    }

    fn ask_section(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
        offset: u64,
    ) -> Result<Answer, Error> {
        let internal = || Error::Internal {
            why: format!("a question about bytes from {offset} on, which no section has"),
        };
        let layout = Layout::of(key, job.size).ok_or_else(internal)?;
        let (url, begin, length) = layout.at(offset).ok_or_else(internal)?;
        // No late answer to an earlier request is on a new connection.
        exchange.renew();
        match self.ask_one(exchange, job, (url, length))? {
            Some(offset) => Ok(self.answer(&layout, vec![(begin, begin + offset)])),
            None => Err(Error::bad_response(format!(
                "it no longer has the partial upload from {begin} on"
            ))),
        }
    }

    fn discard(&self, exchange: &dyn Exchange, job: &Job, key: Option<&str>) -> Result<(), Error> {
        match Layout::of(key, job.size) {
            Some(layout) => self.delete_all(exchange, job, &layout),
            None => self.whole.discard(exchange, job, key),
        }
    }

    fn store(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        store: Store<'_>,
    ) -> Result<Option<Answer>, Error> {
        self.whole.store(exchange, job, store)
    }
}

/// Gives the error of reading the file.
fn own(error: io::Error) -> Error {
    let own = error.get_ref().and_then(|it| it.downcast_ref::<Error>());
    let why = || Error::Internal {
        why: error.to_string(),
    };
    own.cloned().unwrap_or_else(why)
}
