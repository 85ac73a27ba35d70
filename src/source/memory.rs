//! A source in memory.

use std::sync::Arc;

use super::traits::Source;
use crate::control::stop::Stop;
use crate::error::Error;

/// The bytes of the program in memory.
pub(super) struct MemorySource {
    bytes: Arc<Vec<u8>>,
    at: usize,
}

impl MemorySource {
    pub(super) fn new(bytes: Arc<Vec<u8>>) -> Self {
        MemorySource { bytes, at: 0 }
    }
}

impl Source for MemorySource {
    fn name(&self) -> String {
        "the bytes in memory".to_owned()
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn mtime(&self) -> Option<i64> {
        None
    }

    fn identity(&self) -> Option<String> {
        None
    }

    fn seek(&mut self, offset: u64) -> Result<(), Error> {
        let end = self.bytes.len();
        self.at = usize::try_from(offset).unwrap_or(end).min(end);
        Ok(())
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop> {
        let rest = &self.bytes[self.at..];
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }

    fn verify(&mut self) -> Result<Option<i128>, Stop> {
        Ok(None)
    }

    fn another(&self) -> Result<Box<dyn Source>, Error> {
        Ok(Box::new(MemorySource::new(self.bytes.clone())))
    }
}
