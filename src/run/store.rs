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
use crate::http::Link;
use crate::protocol::{FileBytes, Store};
use crate::source::{Opener, Source};

impl Driver<'_> {
    /// Sends the whole file without a locate.
    pub(super) fn store(&mut self) -> Result<Event, Stop> {
        let size = self.job.size;
        let bytes = self.read_whole()?;
        let digest = self.source.digest.digest();
        if self.plan.digest_first {
            self.job.digests = vec![digest];
        }
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
                source: &mut *self.source.source,
                proof: &mut self.source.proof,
                digest,
            };
            let store = Store {
                digest,
                bytes: &mut reader,
            };
            match self.protocol.store(exchange, &self.job, store) {
                Ok(answer) => break answer,
                // It may be sent again.
                Err(_) if exchange.link() == Link::Dead && dead < MAX_DEAD => dead += 1,
                Err(error) => return Err(error.into()),
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
        self.answers
            .agree(answer.agreed, &self.job, &mut self.source);
        Ok(Event::Stored(Some(answer)))
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
    source: &'a mut dyn Source,
    proof: &'a mut Proof,
    digest: Digest,
}

impl Read for StoreReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.pace.read(&mut *self.bytes, buf)?)
    }
}

impl FileBytes for StoreReader<'_> {
    fn algorithm(&self) -> Option<Algorithm> {
        Some(self.digest.algorithm())
    }

    fn finish(&mut self) -> io::Result<Option<Digest>> {
        let (size, digest) = (self.bytes.size(), Some(self.digest));
        self.proof
            .check(self.source, self.pace.control, size, digest)?;
        Ok(digest)
    }
}
