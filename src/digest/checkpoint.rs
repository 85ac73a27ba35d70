//! The state of a digest at one position.

use resup_digests::{Algorithm, State};

/// The state of a digest after `at` bytes.
#[derive(Clone)]
pub(crate) struct Checkpoint {
    pub at: u64,
    pub state: State,
}

impl Checkpoint {
    /// Makes the checkpoint before the first byte.
    pub(crate) fn start(algorithm: Algorithm) -> Self {
        Checkpoint {
            at: 0,
            state: State::new(algorithm),
        }
    }
}
