//! A reader of the bytes of one part.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use resup_digests::{Algorithm, Digest, State};

use super::pace::Pace;
use crate::protocol::FileBytes;
use crate::source::Source;

/// A reader of the bytes of one part, with their own digest where one is computed.
pub(super) struct PartReader<'a> {
    pub source: &'a mut dyn Source,
    pub pace: Pace<'a>,
    pub state: Option<State>,
    /// The number of bytes that were read, and that of all parts.
    pub read: [&'a AtomicU64; 2],
}

impl Read for PartReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.pace.read(self.source, buf)?;
        if let Some(state) = &mut self.state {
            state.update(&buf[..n]);
        }
        for counter in self.read {
            counter.fetch_add(n as u64, Relaxed);
        }
        Ok(n)
    }
}

impl FileBytes for PartReader<'_> {
    fn algorithm(&self) -> Option<Algorithm> {
        self.state.as_ref().map(State::algorithm)
    }

    fn finish(&mut self) -> io::Result<Option<Digest>> {
        self.source.verify()?;
        Ok(self.state.as_ref().map(State::digest))
    }
}
