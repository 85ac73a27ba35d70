//! The state of a digest at one position.

use md5::Md5;

/// The state of a digest after `at` bytes.
#[derive(Clone, Default)]
pub(crate) struct Checkpoint {
    pub at: u64,
    pub md5: Md5,
}
