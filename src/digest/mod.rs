//! The digest of a file from its start, for a position that moves back and forth.

mod checkpoint;
mod rolling;
mod state_file;
mod worker;

#[cfg(test)]
pub(crate) use checkpoint::Checkpoint;
pub(crate) use rolling::RollingDigest;
pub(crate) use state_file::StateFile;
pub(crate) use worker::{in_background, HashSink};
