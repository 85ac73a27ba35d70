//! A request's body in the form that ureq reads.

use std::io::{self, Read};
use std::sync::atomic::Ordering::Relaxed;

use super::state::{ConnectionState, Phase};

/// A request's body. Once the response is there, the rest of the announced length is made up
/// instead of read, and the layers below do not send it.
pub(super) struct RequestBody<'a> {
    inner: &'a mut dyn Read,
    left: u64,
    state: &'a ConnectionState,
}

impl<'a> RequestBody<'a> {
    /// Makes a body of the first `length` bytes that `inner` gives.
    pub(super) fn new(inner: &'a mut dyn Read, length: u64, state: &'a ConnectionState) -> Self {
        RequestBody {
            inner,
            left: length,
            state,
        }
    }

    /// Notes that more of the body is wanted; gives the phase.
    fn begin_read(&self) -> Phase {
        let mut request = self.state.request();
        let phase = request.phase();
        if phase != Phase::Early {
            request.body_read.get_or_insert(0);
        }
        phase
    }
}

impl Read for RequestBody<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let most = buf.len().min(left);
        let n = if self.begin_read() == Phase::Early {
            most
        } else {
            let n = self.inner.read(&mut buf[..most]).inspect_err(|_| {
                self.state.is_aborted.store(true, Relaxed);
            })?;
            *self.state.request().body_read.get_or_insert(0) += n as u64;
            n
        };
        if n == 0 && self.left > 0 {
            // Without an error, ureq would ask for the rest for ever.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(n as u64);
        if self.left == 0 {
            self.state.request().end_sending();
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_is_read_beyond_the_announced_length() {
        let state = ConnectionState::default();
        let mut file: &[u8] = b"0123456789";
        let mut body = RequestBody::new(&mut file, 4, &state);
        let mut read = Vec::new();
        body.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"0123");
        assert_eq!(file, b"456789");
    }
}
