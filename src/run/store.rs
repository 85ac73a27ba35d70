//! Storing a small file in one request.

use std::io::{self, Read};
use std::sync::Arc;

use resup_digests::{Algorithm, Digest};

use super::driver::{Driver, MAX_DEAD};
use super::pace::Pace;
use super::proof::Proof;
use super::reading;
use crate::control::log::LogLevel;
use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::engine::Event;
use crate::error::Error;
use crate::http::Link;
use crate::protocol::{FileBytes, State, Store};
use crate::source::{Opener, Source};

impl Driver<'_> {
    /// Sends the whole file without a locate.
    pub(super) fn store(&mut self) -> Result<Event, Stop> {
        let size = self.job.size;
        let bytes = self.read_whole()?;
        let computes = self.source.digest.algorithm().is_some();
        let digest = computes.then(|| self.source.digest.digest());
        if self.plan.digest_first {
            self.job.digests = digest.into_iter().collect();
        }
        let checksum = self.checksum(0, size)?;
        self.log(LogLevel::Debug, || {
            format!("storing the file, {size} bytes, in one request")
        });
        self.connect()?;
        self.control.enter(UploadState::Sending);
        let mut dead = 0;
        let answer = loop {
            let exchange = Self::connection(&self.exchange);
            let mut reader = StoreReader {
                bytes: Opener::Memory(bytes.clone()).open(self.control)?,
                pace: Pace::new(self.control, self.rates),
                has_begun: false,
                source: &mut *self.source.source,
                proof: &mut self.source.proof,
                digest,
            };
            let store = Store {
                digest,
                checksum: checksum.clone(),
                bytes: &mut reader,
            };
            let stored = self.protocol.store(exchange, &self.job, store);
            let has_begun = reader.has_begun;
            drop(reader);
            let error = match stored {
                Ok(answer) => break answer,
                Err(error) => error,
            };
            let is_dead = exchange.link() == Link::Dead;
            if has_begun && error.refusal().is_none() {
                self.note_lost_creation(&error);
            }
            match is_dead && dead < MAX_DEAD {
                // Only where no server can have made one more upload of it, it is sent again.
                true if self.protocol.abilities().needs_key => return Ok(Event::Stored(None)),
                true => dead += 1,
                false => return Err(error.into()),
            }
            self.control.check()?;
            self.control.confirm(0);
        };
        let Some(answer) = answer else {
            self.log(LogLevel::Info, || {
                "the server takes no file without being asked for it first".to_owned()
            });
            self.answers.learned_store.refuse();
            return Ok(Event::Stored(None));
        };
        // A late answer to an earlier request may be on a connection that was kept; its id was given to
        // another upload.
        let link = Self::connection(&self.exchange).link();
        let is_ours = match self.answers.tells_upload(&answer, &self.job) {
            Some(told) => told,
            None if answer.id.is_some() || link != Link::Kept => true,
            None => self.is_proven(&answer)?,
        };
        if !is_ours {
            // The answer to this store may come on it, too.
            Self::connection(&self.exchange).renew();
            return Ok(Event::Stored(None));
        }
        self.note_protocol(self.protocol.name());
        self.answers.note(&answer, &self.job);
        if answer.state != State::Complete {
            self.remember();
        }
        self.answers
            .agree(answer.agreed, &self.job, &mut self.source);
        Ok(Event::Stored(Some(answer)))
    }

    /// Says what is not known of an upload whose creation carried the file, and had no answer.
    fn note_lost_creation(&self, error: &Error) {
        if self.protocol.abilities().needs_key {
            self.log(LogLevel::Warn, || {
                format!(
                    "nothing tells whether the server has made an upload of the request that carried the file ({error}); \
                     what it has made stays there, so the file may be there twice"
                )
            });
        }
    }

    /// Reads the whole source into memory, and digests it.
    fn read_whole(&mut self) -> Result<Arc<Vec<u8>>, Stop> {
        let size = self.job.size;
        let mut whole = Vec::new();
        let source = &mut self.source;
        source.digest.rewind(0);
        reading::read(source.source, self.control, (0, size), |bytes| {
            source.digest.update(bytes);
            whole.extend_from_slice(bytes);
        })?;
        Ok(Arc::new(whole))
    }
}

/// A reader of the bytes of a store, which are in memory.
struct StoreReader<'a> {
    bytes: Box<dyn Source + 'a>,
    pace: Pace<'a>,
    has_begun: bool,
    source: &'a mut dyn Source,
    proof: &'a mut Proof,
    digest: Option<Digest>,
}

impl Read for StoreReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.has_begun = true;
        Ok(self.pace.read(&mut *self.bytes, buf)?)
    }
}

impl FileBytes for StoreReader<'_> {
    fn algorithm(&self) -> Option<Algorithm> {
        self.digest.map(|digest| digest.algorithm())
    }

    fn finish(&mut self) -> io::Result<Option<Digest>> {
        let size = self.bytes.size();
        self.proof
            .check(self.source, self.pace.control, size, self.digest)?;
        Ok(self.digest)
    }
}
