//! Forms of other people: how a server takes a file is data, a dialect (docs/DIALECTS.md). The simplest
//! one, `plain`, is one POST as a browser makes it.

mod counted;
mod finder;
mod key;
mod keys;
mod noting;
mod pattern;
mod presets;
mod question;
mod send;
mod spec;
mod success;
mod template;
#[cfg(test)]
mod tests;
mod trial;

pub use presets::Preset;
pub use trial::{Field, Purpose, Received, Step, Verdict};

pub(crate) use presets::PRESETS;
pub(crate) use spec::Spec;
pub(crate) use trial::Recorder;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use resup_digests::{Algorithm, Digest};

use super::{Abilities, Answer, Chunks, Job, Outcome, Protocol, Segment, State, Store};
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{limited, Exchange, Response};
use crate::options::{FilenameStyle, SegmentSize};
use finder::found;
use key::Key;
use spec::Repeat;
use template::{Place, Values};

/// The longest name that a server may give an upload.
const LONGEST_ID: usize = 1024;

/// A dialect against one endpoint, for one upload.
pub(crate) struct Dialect<'a> {
    spec: &'a Spec,
    endpoint: Endpoint,
    style: FilenameStyle,
    /// Bytes in a chunk; `None` for the whole file in one request.
    chunk_size: Option<u64>,
    /// The client's name of the upload, unless an earlier run has given it one.
    identifier: Mutex<String>,
    /// The end of what the server has accepted in this run, and of what was sent.
    accepted: AtomicU64,
    sent: AtomicU64,
}

impl<'a> Dialect<'a> {
    /// Makes the protocol for an upload, which `target` tells from others.
    pub(crate) fn new(
        spec: &'a Spec,
        endpoint: &Endpoint,
        (style, segment_size): (FilenameStyle, SegmentSize),
        (job, target): (&Job, &str),
    ) -> Result<Self, Error> {
        let chunk_size = spec.chunk_size.map(|size| match segment_size {
            SegmentSize::Fixed(size) => size.max(1),
            _ => size,
        });
        // Without a time, nothing tells two versions of a file apart. Where nothing can be asked, each run
        // begins anew.
        let identifier = match job.mtime.filter(|_| spec.is_asked()) {
            Some(mtime) => {
                let chunk_size = chunk_size.unwrap_or(0);
                let text = format!("{target} {} {mtime} {chunk_size}", job.size);
                Digest::of(Algorithm::Sha256, text.as_bytes()).hex()[..32].to_owned()
            }
            None => random_identifier()?,
        };
        let dialect = Dialect {
            spec,
            endpoint: endpoint.clone(),
            style,
            chunk_size,
            identifier: Mutex::new(identifier),
            accepted: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        };
        dialect.check(job)?;
        Ok(dialect)
    }

    /// Checks that the dialect can say what the program wants to be said, and to whom.
    fn check(&self, job: &Job) -> Result<(), Error> {
        let missing = |what, places: &str| {
            Error::InvalidArgument {
            what,
            why: format!(
                "is set, and no text of the dialect {} has a place for it, {places}: add one to its \
                 \"fields\", or leave it out",
                self.spec.name
            ),
        }
        };
        if !job.dir.is_empty() && !self.spec.uses(&[Place::Dir, Place::Path]) {
            return Err(missing("directory", "{dir} or {path}"));
        }
        if job.user.is_some() && !self.spec.uses(&[Place::User]) {
            return Err(missing("user", "{user}"));
        }
        self.check_targets()
    }

    fn chunk(&self) -> Chunks {
        Chunks {
            size: self.chunk_size.unwrap_or(u64::MAX),
            last_is_long: self.spec.last_is_long,
            goes_on: self.spec.repeat == Repeat::Chunk,
        }
    }

    /// Gives the number of chunks in a file.
    fn count(&self, size: u64) -> u64 {
        self.spec.count(size, self.chunk_size)
    }

    /// Gives the length of the chunk before which so many bytes are left.
    fn length(&self, left: u64) -> u64 {
        self.chunk().length(left)
    }

    /// Gives what a request for these bytes is about.
    fn values<'v>(&'v self, job: &'v Job, key: &'v Key, bytes: (u64, u64)) -> Values<'v> {
        Values {
            job,
            identifier: &key.identifier,
            id: key.id.as_deref().unwrap_or(&job.name),
            chunk_size: self.chunk_size.unwrap_or(job.size),
            chunks: self.count(job.size),
            offset: bytes.0,
            length: bytes.1,
        }
    }

    fn identifier(&self) -> MutexGuard<'_, String> {
        let identifier = self.identifier.lock();
        identifier.unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the upload's key; `known` is the text of one that an earlier request or run has had.
    fn key(&self, known: Option<&str>) -> Result<Key, Error> {
        let chunk_size = self.chunk_size.unwrap_or_default();
        let known = known.filter(|_| self.spec.is_asked());
        match known.and_then(Key::read) {
            Some(key) => key.check(chunk_size),
            None => Ok(Key {
                chunk_size,
                identifier: self.identifier().clone(),
                id: None,
            }),
        }
    }

    /// Takes what the response to an accepted chunk tells: the upload's name, and the offset to go on from.
    fn taken(
        &self,
        job: &Job,
        key: &mut Key,
        (offset, end): (u64, u64),
        response: &Response,
    ) -> Result<u64, Error> {
        if self.spec.asked.is_some() {
            let id = found(&self.spec.id, response);
            let id = id.filter(|id| id.len() <= LONGEST_ID);
            check_id(key.id.as_deref().filter(|_| offset > 0), id.as_deref())?;
            key.id = id.or(key.id.take()).or_else(|| Some(job.name.clone()));
        }
        self.reached(job.size, end, response)
    }

    fn answer(&self, job: &Job, offset: u64, is_complete: bool) -> Answer {
        let (state, offset) = match (is_complete, offset) {
            (true, _) => (State::Complete, job.size),
            (_, 0) => (State::New, 0),
            _ => (State::Partial, offset),
        };
        Answer {
            is_own: true,
            ..Answer::new(state, offset)
        }
    }
}

impl Protocol for Dialect<'_> {
    fn name(&self) -> &'static str {
        self.spec.name
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            locates: self.spec.is_asked(),
            proves_prefix: false,
            needs_key: self.spec.is_asked(),
            checksum: None,
        }
    }

    fn chunks(&self) -> Option<Chunks> {
        Some(self.chunk())
    }

    fn locate(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Result<Answer, Error> {
        let key = self.key(key)?;
        let (offset, is_complete) = self.held(exchange, job, &key)?;
        if is_complete {
            self.finish(exchange, job, &key)?;
        }
        Ok(Answer {
            id: Some(key.text()),
            ..self.answer(job, offset, is_complete)
        })
    }

    fn send(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error> {
        if segment.offset == 0 && self.spec.repeat == Repeat::File && !self.spec.is_asked() {
            // The server may append to what it has of a file that was begun before.
            *self.identifier() = random_identifier()?;
        }
        let mut key = self.key(segment.id)?;
        let (offset, length) = (segment.offset, segment.length);
        let end = offset + length;
        self.sent.fetch_max(end, Relaxed);
        let response = {
            let values = self.values(job, &key, (offset, length));
            self.post(exchange, &values, segment)?
        };
        let reached = self.taken(job, &mut key, (offset, end), &response);
        let reached = self.ended(reached)?;
        let is_complete = reached == job.size;
        if is_complete {
            self.finish(exchange, job, &key)?;
        }
        self.accepted.store(reached, Relaxed);
        let location = found(&self.spec.location, &response);
        let location = location.or_else(|| response.location().map(|it| limited(&it)));
        Ok(Outcome::Accepted(Answer {
            id: self.spec.is_asked().then(|| key.text()),
            location: location.filter(|_| is_complete),
            message: found(&self.spec.message, &response),
            ..self.answer(job, reached, is_complete)
        }))
    }

    fn store(&self, _: &dyn Exchange, _: &Job, _: Store<'_>) -> Result<Option<Answer>, Error> {
        Ok(None)
    }
}

/// Checks that a server goes on with the upload that it has begun: otherwise the chunk may be in another file.
fn check_id(begun: Option<&str>, told: Option<&str>) -> Result<(), Error> {
    match (begun, told) {
        (Some(begun), Some(told)) if begun != told => Err(Error::bad_response(format!(
            "it calls the upload \"{told}\", and before it was \"{begun}\""
        ))),
        _ => Ok(()),
    }
}

/// Makes a name that no other upload has.
fn random_identifier() -> Result<String, Error> {
    Ok(format!("{:032x}", crate::random::u128()?))
}
