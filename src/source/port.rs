//! The program's side of a stream.

use crate::control::reads::{ReadReply, ReadRequest};

/// The program's side of a stream.
pub(crate) trait ReadPort: Send {
    /// Replies to a request, on the program's thread.
    fn reply(&mut self, request: &ReadRequest) -> ReadReply;
}
