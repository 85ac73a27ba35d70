//! The program's stream that is read once, from its start: the run's side.

use std::sync::Arc;

use super::traits::Source;
use super::window::Window;
use crate::control::stop::Stop;
use crate::error::{Error, STREAM};

/// A source that gives the bytes of a window.
pub(super) struct ForwardSource {
    window: Arc<Window>,
    /// The position of the next read.
    position: u64,
}

impl ForwardSource {
    pub(super) fn new(window: Arc<Window>) -> Self {
        ForwardSource {
            window,
            position: 0,
        }
    }
}

impl Source for ForwardSource {
    fn name(&self) -> String {
        STREAM.to_owned()
    }

    fn size(&self) -> u64 {
        self.window.size()
    }

    fn mtime(&self) -> Option<i64> {
        None
    }

    fn identity(&self) -> Option<String> {
        None
    }

    fn window(&self) -> Option<&Window> {
        Some(&self.window)
    }

    fn seek(&mut self, offset: u64) -> Result<(), Error> {
        self.position = offset;
        Ok(())
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop> {
        let n = self.window.copy(self.position, buf);
        if n == 0 && !buf.is_empty() {
            let at = self.position;
            return Err(Error::stream_failed(format!("byte {at} is not in its window")).into());
        }
        self.position += n as u64;
        Ok(n)
    }

    fn verify(&mut self) -> Result<Option<i128>, Stop> {
        Ok(None)
    }
}
