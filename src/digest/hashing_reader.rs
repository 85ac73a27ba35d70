//! A reader that digests a source's bytes as it reads them.

use super::worker::HashSink;
use crate::control::stop::Stop;
use crate::source::Source;

/// A reader of a source that feeds a digest.
pub(crate) struct HashingReader<'a, 'f> {
    pub source: &'a mut dyn Source,
    pub sink: &'a mut HashSink<'f>,
}

impl HashingReader<'_, '_> {
    /// Reads some bytes, at least one, and digests them.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop> {
        let n = self.source.read(buf)?;
        self.sink.update(&buf[..n]);
        Ok(n)
    }
}
