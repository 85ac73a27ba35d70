//! The abilities of every source.

use super::window::Window;
use crate::control::stop::Stop;
use crate::error::Error;

/// An open source. It gives the bytes, size and time that it had when it was opened, or an error
/// that they changed.
pub(crate) trait Source: Send {
    /// Gives its name in messages.
    fn name(&self) -> String;
    /// Gives its size in bytes, or [`SIZE_UNKNOWN`](crate::options::SIZE_UNKNOWN).
    fn size(&self) -> u64;
    /// Gives the last modification, in milliseconds since 1970 UTC, where there is one.
    fn mtime(&self) -> Option<i64>;
    /// Gives the change time, in nanoseconds since 1970, where there is one. Each write moves it, and
    /// so does what leaves the bytes as they are.
    fn change_time(&self) -> Option<i128> {
        None
    }
    /// Gives a text that identifies this version of the source, also to a later run; `None` where
    /// that is not possible.
    fn identity(&self) -> Option<String>;
    /// Gives the window of a source that is read once.
    fn window(&self) -> Option<&Window> {
        None
    }
    /// Sets the position of the next read.
    fn seek(&mut self, offset: u64) -> Result<(), Error>;
    /// Reads some bytes, at least one. An end before or after [`Source::size`] is an error.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop>;
    /// Checks that size, time and name of the source have not changed since it was opened. Gives its
    /// change time as it is now.
    fn verify(&mut self) -> Result<Option<i128>, Stop>;

    /// Opens the source once more, to be read at another place beside this one. A stream cannot.
    fn another(&self) -> Result<Box<dyn Source>, Error> {
        let why = format!("{} is not for several readers", self.name());
        Err(Error::Internal { why })
    }

    /// Makes the error for a source that has changed.
    fn changed(&self, why: String) -> Error {
        Error::SourceChanged {
            path: self.name(),
            why,
        }
    }
}
