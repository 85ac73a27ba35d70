//! Bytes of a file that begin with one that the server has.

use std::io::{self, Read};

/// A reader of bytes, with another one before them, that keeps the last of them.
pub(super) struct Overlap<'a> {
    first: Option<u8>,
    inner: &'a mut dyn Read,
    pub last: Option<u8>,
}

impl<'a> Overlap<'a> {
    pub(super) fn new(first: Option<u8>, inner: &'a mut dyn Read) -> Self {
        Overlap {
            first,
            inner,
            last: None,
        }
    }
}

impl Read for Overlap<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let n = match self.first.take() {
            Some(first) => {
                buf[0] = first;
                1
            }
            None => self.inner.read(buf)?,
        };
        if n > 0 {
            self.last = Some(buf[n - 1]);
        }
        Ok(n)
    }
}
