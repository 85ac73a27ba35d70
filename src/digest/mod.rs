//! The digest of a file's beginning, kept in step with a position that moves back and forth.

mod rolling;
pub(crate) mod state_file;
mod worker;

pub(crate) use rolling::{hex, Digest, Digesting, Mark};
pub(crate) use worker::alongside;
