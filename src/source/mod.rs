//! The sources of a file's bytes: a file on disk, memory, or the program's own stream.

mod failure;
mod file;
mod memory;
mod opener;
mod stamp;
mod stream;
mod traits;

pub(crate) use opener::Opener;
#[cfg(windows)]
pub(crate) use stamp::set_change_time;
pub(crate) use stream::{ProgramStream, StreamPort};
pub(crate) use traits::Source;
