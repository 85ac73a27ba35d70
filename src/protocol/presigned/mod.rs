//! Parts of an S3 multipart upload, each put to a presigned URL.
//!
//! The program's server has begun the upload and signed a URL for each request: a part, the list of parts, the completion, the
//! abort. So neither a key of the storage nor a login is here. The storage keeps a part whole or not at all, and answers with
//! its ETag; the completion names all of them. They are what a later run has to know, or the list gives them.

mod complete;
mod list;
mod memory;
mod refusal;
mod spec;
#[cfg(test)]
mod tests;
mod xml;

pub(crate) use spec::Spec;

use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

use resup_digests::{Algorithm, State as DigestState};

use super::bytes::CheckedBytes;
use super::{
    Abilities, Answer, Chunks, FileBytes, Job, Outcome, Protocol, Range, Sections, Segment, State,
    Store,
};
use crate::error::Error;
use crate::http::{Body, Exchange, Needs, Request};
use crate::protocol::description::check_description;
use memory::Memory;

/// What the protocol carries of a description.
const CARRIED: &str =
    "presigned parts: the server that signed the URLs has said where the file goes; leave it out";

/// The parts of one upload.
pub(crate) struct Presigned<'a> {
    spec: &'a Spec,
    size: u64,
    memory: Mutex<Memory>,
}

impl<'a> Presigned<'a> {
    /// Makes the protocol for one upload, of which an earlier run has noted `record`.
    pub(crate) fn new(spec: &'a Spec, job: &Job, record: Option<&str>) -> Result<Self, Error> {
        if !job.has_size() {
            return Err(Error::size_needed("parts need the size first"));
        }
        spec.check_size(job.size)?;
        let count = spec.count(job.size);
        check_description(job, false, CARRIED)?;
        Ok(Presigned {
            spec,
            size: job.size,
            memory: Mutex::new(Memory::new(spec, count, record)),
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the offsets between which a part is.
    fn bounds(&self, index: usize) -> (u64, u64) {
        let begin = index as u64 * self.spec.part_size;
        (begin, (begin + self.spec.part_size).min(self.size))
    }

    /// Makes a request; the URL is a secret.
    fn request<'b>(method: &'static str, url: &str, body: Option<Body<'b>>) -> Request<'b> {
        Request {
            method,
            url: url.to_owned(),
            // A field more than were signed would be refused by some.
            content_type: None,
            headers: Vec::new(),
            body,
            needs: Needs::Beginning,
        }
    }

    /// Makes an answer of what is known.
    fn answer(&self) -> Answer {
        let memory = self.memory();
        let mut held: Vec<(u64, u64)> = Vec::new();
        for (from, to) in memory.held().map(|index| self.bounds(index)) {
            match held.last_mut() {
                Some(last) if last.1 == from => last.1 = to,
                _ => held.extend(Some((from, to)).filter(|(from, to)| from < to)),
            }
        }
        let offset = held.first().filter(|it| it.0 == 0).map_or(0, |it| it.1);
        let state = match held.is_empty() {
            true => State::New,
            false => State::Partial,
        };
        let ranges = memory.unproven().map(|(index, digest)| {
            let (from, to) = self.bounds(index);
            Range { from, to, digest }
        });
        Answer {
            id: Some(self.spec.id()),
            parts: Some(self.spec.parts.len() as u64),
            ranges: ranges.filter(|range| range.from < range.to).collect(),
            sections: Some(Sections {
                length: self.spec.part_size,
                is_whole: true,
                held,
            }),
            is_own: true,
            ..Answer::new(state, offset)
        }
    }

    /// Puts a part. Gives whether the server has stored other bytes.
    fn put(
        &self,
        exchange: &dyn Exchange,
        index: usize,
        (length, bytes): (u64, &mut dyn FileBytes),
    ) -> Result<bool, Error> {
        let mut bytes = Hashed {
            bytes: CheckedBytes::new(bytes, length),
            md5: DigestState::new(Algorithm::Md5),
        };
        let body = Body::Stream {
            length,
            bytes: &mut bytes,
        };
        let request = Self::request("PUT", &self.spec.parts[index], Some(body));
        let response = exchange.exchange(request)?;
        let what = format!("part {} of {}", index + 1, self.spec.parts.len());
        if !matches!(response.status, 200 | 201 | 204) {
            return Err(self.refusal(&response, &what));
        }
        let etag = response.values("etag").next();
        let Some(etag) = etag.and_then(|etag| memory::etag(&etag)) else {
            return Err(self.no_etag(&response, &what));
        };
        let mut memory = self.memory();
        memory.has_answered = true;
        Ok(memory.store(index, etag, &bytes.md5.digest().hex()))
    }
}

impl Protocol for Presigned<'_> {
    fn name(&self) -> &'static str {
        "presigned"
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            locates: true,
            proves_prefix: false,
            needs_key: true,
            checksum: None,
        }
    }

    fn chunks(&self) -> Option<Chunks> {
        Some(Chunks {
            size: self.spec.part_size,
            last_is_long: false,
            goes_on: true,
        })
    }

    fn record(&self) -> Option<String> {
        Some(self.memory().record())
    }

    fn locate(&self, exchange: &dyn Exchange, _: &Job, _: Option<&str>) -> Result<Answer, Error> {
        self.ask(exchange)?;
        Ok(self.answer())
    }

    fn send(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error> {
        let (from, length) = (segment.offset, segment.length);
        if from == self.size {
            return self.finish(exchange, job, segment.bytes);
        }
        let index = (from / self.spec.part_size) as usize;
        if index >= self.spec.parts.len() || self.bounds(index) != (from, from + length) {
            let why = format!("{length} bytes from {from} on, which are no part");
            return Err(Error::Internal { why });
        }
        Ok(match self.put(exchange, index, (length, segment.bytes))? {
            true => Outcome::ChecksumMismatch(Answer {
                message: Some(format!(
                    "the ETag of part {} is the MD5 of other bytes",
                    index + 1
                )),
                ..self.answer()
            }),
            false => Outcome::Accepted(self.answer()),
        })
    }

    fn store(&self, _: &dyn Exchange, _: &Job, _: Store<'_>) -> Result<Option<Answer>, Error> {
        Ok(None)
    }

    fn discard(&self, exchange: &dyn Exchange, _: &Job, _: Option<&str>) -> Result<(), Error> {
        self.abort(exchange)
    }
}

/// The bytes of a part, with their MD5.
struct Hashed<'a> {
    bytes: CheckedBytes<'a>,
    md5: DigestState,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(buf)?;
        self.md5.update(&buf[..n]);
        Ok(n)
    }
}
