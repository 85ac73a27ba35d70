//! The largest file that a client's server takes without a locate.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The largest file that is held in memory for a store.
const MOST: u64 = 256 * 1024;
/// The value for a server that has refused a store.
const REFUSED: u64 = u64::MAX;

/// The size of the largest file that a server takes without a locate, by its last answer.
#[derive(Debug, Default)]
pub(crate) struct LearnedStore(AtomicU64);

impl LearnedStore {
    /// Whether a file of `size` bytes may go to the server without a locate.
    pub(super) fn takes(&self, size: u64) -> bool {
        match self.0.load(Relaxed) {
            0 | REFUSED => false,
            small => size <= small.min(MOST),
        }
    }

    /// Whether a file of `size` bytes may go with the request that creates its upload.
    pub(super) fn may_create(&self, size: u64) -> bool {
        (1..=MOST).contains(&size) && self.0.load(Relaxed) != REFUSED
    }

    /// Notes what an answer says.
    pub(super) fn set(&self, small: u64) {
        let unless_refused = |known| (known != REFUSED).then_some(small.min(REFUSED - 1));
        let _ = self.0.fetch_update(Relaxed, Relaxed, unless_refused);
    }

    /// Notes that the server has refused a store. It gets no other one.
    pub(super) fn refuse(&self) {
        self.0.store(REFUSED, Relaxed);
    }
}

impl Clone for LearnedStore {
    fn clone(&self) -> Self {
        LearnedStore(AtomicU64::new(self.0.load(Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_what_is_small_until_it_refuses_a_store() {
        let learned = LearnedStore::default();
        assert!(!learned.takes(0), "nothing is known");
        learned.set(1000);
        assert!(learned.takes(1000) && !learned.takes(1001));
        learned.set(u64::MAX);
        assert!(learned.takes(MOST) && !learned.takes(MOST + 1));
        learned.refuse();
        learned.set(1000);
        assert!(!learned.takes(1) && !learned.clone().takes(1));
    }

    #[test]
    fn a_creation_carries_a_small_file_until_one_is_refused() {
        let learned = LearnedStore::default();
        assert!(learned.may_create(1) && learned.may_create(MOST));
        assert!(!learned.may_create(0), "there is nothing to carry");
        assert!(!learned.may_create(MOST + 1));
        learned.refuse();
        assert!(!learned.may_create(1));
    }
}
