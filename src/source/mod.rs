//! The sources of a file's bytes: a file on disk, memory, or the program's own stream. A `stream` can go
//! back; a `forward` one is read once, and a `window` keeps what the server has not confirmed.

mod failure;
mod file;
mod forward;
mod memory;
mod opener;
mod port;
mod stamp;
mod stream;
mod traits;
mod window;

pub(crate) use opener::Opener;
pub(crate) use port::ReadPort;
#[cfg(windows)]
pub(crate) use stamp::set_change_time;
pub(crate) use stream::{ProgramStream, StreamPort};
pub(crate) use traits::Source;
pub(crate) use window::{Window, WindowPort};
