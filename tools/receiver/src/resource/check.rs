//! The digest of a request's body.

use resup_digests::{Algorithm, Digest, State};
use sha1::{Digest as _, Sha1};

/// A digest that a body has to have.
pub struct Check {
    hash: Hash,
    expected: Vec<u8>,
}

enum Hash {
    /// What the protocol of forms has, too.
    Own(State),
    /// SHA-1, which clients of tus use: against accidents only.
    Sha1(Sha1),
}

impl Check {
    /// Begins to check a digest of the project's own algorithms.
    pub fn own(expected: &Digest) -> Self {
        Self {
            hash: Hash::Own(State::new(expected.algorithm())),
            expected: expected.bytes().to_vec(),
        }
    }

    /// Begins to check by an algorithm; `None` when it has no such digest.
    pub fn new(algorithm: Option<Algorithm>, expected: Vec<u8>) -> Option<Self> {
        match algorithm {
            Some(algorithm) => Digest::new(algorithm, &expected).map(|it| Self::own(&it)),
            None => (expected.len() == 20).then(|| Self {
                hash: Hash::Sha1(Sha1::new()),
                expected,
            }),
        }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.hash {
            Hash::Own(state) => state.update(bytes),
            Hash::Sha1(state) => state.update(bytes),
        }
    }

    /// Whether the bytes were those that the client read.
    pub fn is_right(&self) -> bool {
        match &self.hash {
            Hash::Own(state) => state.digest().bytes() == self.expected,
            Hash::Sha1(state) => state.clone().finalize()[..] == self.expected,
        }
    }
}
