//! The digests of the protocol, by the names that it has for them.
//!
//! They come from the crates themselves, so that a mistake of `tools/digests` shows in the tests.

use md5::{Digest as _, Md5};
use sha2::Sha256;

use crate::files::hex;

/// The names, the digest that a client of 1.1 likes most first.
pub const NAMES: [&str; 3] = ["blake3", "sha256", "md5"];

/// The state of a digest after some bytes.
#[derive(Clone)]
pub(crate) enum State {
    Md5(Md5),
    Sha256(Sha256),
    Blake3(Box<blake3::Hasher>),
}

impl State {
    /// Makes the state after no byte; `None` if the protocol has no digest of this name.
    pub(crate) fn new(name: &str) -> Option<Self> {
        match name {
            "md5" => Some(Self::Md5(Md5::new())),
            "sha256" => Some(Self::Sha256(Sha256::new())),
            "blake3" => Some(Self::Blake3(Box::default())),
            _ => None,
        }
    }

    /// Adds the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(state) => state.update(bytes),
            Self::Sha256(state) => state.update(bytes),
            Self::Blake3(state) => drop(state.update(bytes)),
        }
    }

    /// Returns the digest so far in lower-case hex.
    pub(crate) fn hex(&self) -> String {
        match self {
            Self::Md5(state) => hex(&state.clone().finalize()),
            Self::Sha256(state) => hex(&state.clone().finalize()),
            Self::Blake3(state) => hex(state.finalize().as_bytes()),
        }
    }
}

/// Computes a digest of bytes in lower-case hex.
///
/// # Panics
///
/// When the protocol has no digest of this name.
pub fn hex_of(name: &str, bytes: &[u8]) -> String {
    let mut state = State::new(name).unwrap_or_else(|| panic!("no digest named {name}"));
    state.update(bytes);
    state.hex()
}
