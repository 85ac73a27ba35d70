//! A reader of the file bytes of one send: counts them, limits their rate, and digests them.

use std::io::{self, Read};

use resup_digests::{Algorithm, Digest};

use super::pace::Pace;
use super::proof::Proof;
use crate::digest::HashSink;
use crate::protocol::FileBytes;
use crate::source::Source;

/// A reader of the file bytes of one send, no faster than its limits allow.
pub(super) struct ThrottledReader<'a, 'f> {
    source: &'a mut dyn Source,
    sink: &'a mut HashSink<'f>,
    pace: Pace<'a>,
    /// Where these bytes end the source.
    end: Option<FileEnd<'a>>,
}

/// What is checked at the end of the source: after that the server has all of it.
pub(super) struct FileEnd<'a> {
    /// The digests of the whole source that the locate announced.
    pub announced: &'a [Digest],
    pub proof: &'a mut Proof,
    /// The number of bytes in the source.
    pub size: u64,
}

impl<'a, 'f> ThrottledReader<'a, 'f> {
    pub(super) fn new(
        source: &'a mut dyn Source,
        sink: &'a mut HashSink<'f>,
        pace: Pace<'a>,
        end: Option<FileEnd<'a>>,
    ) -> Self {
        ThrottledReader {
            source,
            sink,
            pace,
            end,
        }
    }
}

impl Read for ThrottledReader<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.pace.read(self.source, buf)?;
        self.sink.update(&buf[..n]);
        Ok(n)
    }
}

impl FileBytes for ThrottledReader<'_, '_> {
    fn algorithm(&self) -> Option<Algorithm> {
        self.sink.algorithm()
    }

    fn finish(&mut self) -> io::Result<Option<Digest>> {
        let digest = self.sink.digest();
        let Some(end) = &mut self.end else {
            self.source.verify()?;
            return Ok(digest);
        };
        // This comes before the server can complete a mixture of two versions.
        let source = &mut *self.source;
        end.proof
            .check(source, self.pace.control, end.size, digest)?;
        let announced = |is: &Digest| {
            let mut others = end.announced.iter();
            others.find(|was| was.algorithm() == is.algorithm())
        };
        let both = digest.and_then(|is| Some((announced(&is)?, is)));
        if let Some((was, is)) = both.filter(|(was, is)| *was != is) {
            let why = format!(
                "its {} was {} and is {}",
                is.algorithm().label(),
                was.hex(),
                is.hex()
            );
            return Err(io::Error::other(self.source.changed(why)));
        }
        Ok(digest)
    }
}
