//! The bytes of a send.

use std::io::{self, Read};

use super::FileBytes;

/// The bytes of a send, which end only after the check that they are still the file's: without the
/// last one the server cannot complete a mixture of two versions.
pub(super) struct CheckedBytes<'a> {
    bytes: &'a mut dyn FileBytes,
    left: u64,
    is_checked: bool,
}

impl<'a> CheckedBytes<'a> {
    pub(super) fn new(bytes: &'a mut dyn FileBytes, length: u64) -> Self {
        CheckedBytes {
            bytes,
            left: length,
            is_checked: false,
        }
    }
}

impl Read for CheckedBytes<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // The last byte is read alone.
        let most = self.left.saturating_sub(1).max(self.left.min(1));
        let most = most.min(buf.len() as u64) as usize;
        let n = self.bytes.read(&mut buf[..most])?;
        self.left -= n as u64;
        if self.left == 0 && !self.is_checked {
            self.is_checked = true;
            self.bytes.finish()?;
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resup_digests::{Algorithm, Digest};

    /// Five bytes of a file that has changed.
    struct Changed(&'static [u8]);

    impl Read for Changed {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read(buf)
        }
    }

    impl FileBytes for Changed {
        fn algorithm(&self) -> Option<Algorithm> {
            None
        }

        fn finish(&mut self) -> io::Result<Option<Digest>> {
            Err(io::Error::other("it has changed"))
        }
    }

    #[test]
    fn the_last_byte_of_a_file_that_has_changed_is_not_sent() {
        for step in [1, 2, 4, 5, 100] {
            let mut file = Changed(b"12345");
            let mut bytes = CheckedBytes::new(&mut file, 5);
            let mut sent = 0;
            let mut buf = vec![0; step];
            let error = loop {
                match bytes.read(&mut buf) {
                    Ok(n) => sent += n,
                    Err(e) => break e,
                }
            };
            assert_eq!((sent, error.to_string()), (4, "it has changed".to_owned()));
        }
    }
}
