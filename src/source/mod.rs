//! The sources of a file's bytes: a file on disk, memory, or the program's own stream.

mod file;
mod file_id;
mod memory;
mod opener;
mod stream;
mod traits;

pub(crate) use opener::Opener;
pub(crate) use stream::{ProgramStream, StreamPort};
pub(crate) use traits::Source;
