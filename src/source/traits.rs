//! What every source can do.

use crate::control::stop::Stop;
use crate::error::Error;

/// An open source. Its bytes, size and time are those of the moment when it was opened, or it
/// says that they changed.
pub(crate) trait Source: Send {
    /// Gives the name that messages have for it.
    fn name(&self) -> String;
    /// Gives the bytes in the whole source.
    fn size(&self) -> u64;
    /// Gives the last modification, in milliseconds since 1970 UTC, where there is one.
    fn mtime(&self) -> Option<i64>;
    /// Gives a text that differs for every other version of the source, where that can be known in
    /// a later run.
    fn identity(&self) -> Option<String>;
    /// Sets the position of the next read.
    fn seek(&mut self, offset: u64) -> Result<(), Error>;
    /// Reads some bytes, at least one; an end before [`Source::size`] is an error.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop>;
    /// Checks that the source is still what was opened.
    fn verify(&mut self) -> Result<(), Stop>;

    /// Makes the error for a source that is no longer what was opened.
    fn changed(&self, why: String) -> Error {
        Error::SourceChanged {
            path: self.name(),
            why,
        }
    }
}
