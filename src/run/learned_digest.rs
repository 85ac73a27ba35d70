//! The digest that a client's server has agreed to.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use resup_digests::Algorithm;

/// The digest that a server has agreed to last, which it will mostly use for the next upload, too.
#[derive(Debug, Default)]
pub(crate) struct LearnedDigest(AtomicU8);

impl LearnedDigest {
    /// Gives the digest, if there was an answer.
    pub(super) fn get(&self) -> Option<Algorithm> {
        let number = usize::from(self.0.load(Relaxed));
        Algorithm::ALL.get(number.checked_sub(1)?).copied()
    }

    /// Notes the digest of an answer.
    pub(super) fn set(&self, algorithm: Algorithm) {
        let at = Algorithm::ALL.iter().position(|it| *it == algorithm);
        self.0.store(at.map_or(0, |at| at as u8 + 1), Relaxed);
    }
}

impl Clone for LearnedDigest {
    fn clone(&self) -> Self {
        LearnedDigest(AtomicU8::new(self.0.load(Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digest_is_remembered() {
        let learned = LearnedDigest::default();
        assert_eq!(learned.get(), None);
        for algorithm in Algorithm::ALL {
            learned.set(algorithm);
            assert_eq!(learned.get(), Some(algorithm));
            assert_eq!(learned.clone().get(), Some(algorithm));
        }
    }
}
