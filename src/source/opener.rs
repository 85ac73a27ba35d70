//! The choice of a source.

use std::path::PathBuf;
use std::sync::Arc;

use super::file::FileSource;
use super::forward::ForwardSource;
use super::memory::MemorySource;
use super::stream::StreamSource;
use super::traits::Source;
use super::window::Window;
use crate::control::stop::Stop;
use crate::control::Control;

/// The source that the program chose. Every run opens it anew.
#[derive(Debug, Clone)]
pub(crate) enum Opener {
    File(PathBuf),
    Memory(Arc<Vec<u8>>),
    /// The program's stream; the upload holds it on the program's side.
    Stream,
    /// The program's stream, read once; what all runs have read and not sent.
    Forward(Arc<Window>),
}

impl Opener {
    /// Opens the source for the run of `control`.
    pub(crate) fn open<'a>(&self, control: &'a Control) -> Result<Box<dyn Source + 'a>, Stop> {
        Ok(match self {
            Opener::File(path) => Box::new(FileSource::open(path)?),
            Opener::Memory(bytes) => Box::new(MemorySource::new(bytes.clone())),
            Opener::Stream => Box::new(StreamSource::open(control)?),
            Opener::Forward(window) => Box::new(ForwardSource::new(window.clone())),
        })
    }
}
