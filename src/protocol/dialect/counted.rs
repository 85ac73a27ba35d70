//! A request's body, counted.

use std::io::{self, Read};

/// A reader that counts what is read of it: no more than that can have arrived.
pub(super) struct Counted<'a> {
    inner: &'a mut dyn Read,
    length: u64,
    read: u64,
}

impl<'a> Counted<'a> {
    /// Makes a reader of `length` bytes.
    pub(super) fn new(inner: &'a mut dyn Read, length: u64) -> Self {
        Counted {
            inner,
            length,
            read: 0,
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.read > 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn is_whole(&self) -> bool {
        self.read == self.length
    }

    /// Tells how much was read.
    pub(super) fn words(&self) -> String {
        match self.is_whole() {
            true => "all of it was sent".to_owned(),
            false => format!(
                "{} of {} bytes of the request were sent",
                self.read, self.length
            ),
        }
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.read += n as u64;
        Ok(n)
    }
}
