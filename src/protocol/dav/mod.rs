//! WebDAV (RFC 4918), and servers that take `PUT`: a file has its own URL, which its name gives.
//!
//! An upload begins with an empty `PUT`. After a cut the server has the bytes that have arrived: a
//! `HEAD` tells how many, and the last of them are compared with the file's.
//!
//! - `place`: the file's URL; `stored`, `ask`: what the server has there; `put`: bringing bytes there.
//! - `mode`: how a server takes bytes behind others; `overlap`: the byte that some ranges begin with.

mod ask;
mod collections;
mod mode;
mod overlap;
mod place;
mod put;
mod requests;
mod stored;
#[cfg(test)]
mod tests;

pub(crate) use mode::Learned;

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Abilities, Answer, Job, Note, Outcome, Protocol, Segment, State, Store};
use crate::control::log::LogLevel;
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::Exchange;
use mode::{Mode, Probe};
use place::Place;
use stored::Stored;

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
        self.put(exchange, job, &place, segment)
    }

    fn store(&self, _: &dyn Exchange, _: &Job, _: Store<'_>) -> Result<Option<Answer>, Error> {
        // A small file goes up by one request as it is, and is asked for before.
        Ok(None)
    }
}
