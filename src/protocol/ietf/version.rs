//! The version of the draft that a server speaks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// The values of `Upload-Draft-Interop-Version`, the newest first. The RFC to come will have none.
const NUMBERS: [Option<u8>; 8] = [
    None,
    Some(9),
    Some(8),
    Some(7),
    Some(6),
    Some(5),
    Some(4),
    Some(3),
];

/// The last version whose flag says that an upload is incomplete, not that it is complete.
const WITH_INCOMPLETE: u8 = 3;

/// The version that a server speaks: the newest one, until it refuses that.
#[derive(Debug, Default)]
pub(super) struct Version {
    place: AtomicUsize,
    /// Whether the server has accepted a request of this version.
    is_settled: AtomicBool,
}

impl Version {
    /// Gives the version's number, if it has one.
    pub(super) fn number(&self) -> Option<u8> {
        NUMBERS[self.place.load(Relaxed)]
    }

    /// Notes that the server speaks this version.
    pub(super) fn settle(&self) {
        self.is_settled.store(true, Relaxed);
    }

    /// Takes the version that another one has.
    pub(super) fn take(&self, other: &Version) {
        self.place.store(other.place.load(Relaxed), Relaxed);
        self.is_settled
            .store(other.is_settled.load(Relaxed), Relaxed);
    }

    /// Goes to the next older version, after a refusal. Gives whether there is one; if not, the next
    /// request has the newest one again.
    pub(super) fn choose_older(&self) -> bool {
        if self.is_settled.load(Relaxed) {
            return false;
        }
        let place = self.place.load(Relaxed) + 1;
        self.place.store(place % NUMBERS.len(), Relaxed);
        place < NUMBERS.len()
    }

    /// Writes the header field that says whether an upload is complete.
    pub(super) fn flag(&self, is_complete: bool) -> (&'static str, &'static str) {
        let value = |is: bool| if is { "?1" } else { "?0" };
        match self.number() {
            Some(WITH_INCOMPLETE) => ("upload-incomplete", value(!is_complete)),
            _ => ("upload-complete", value(is_complete)),
        }
    }
}

impl Clone for Version {
    fn clone(&self) -> Self {
        Version {
            place: AtomicUsize::new(self.place.load(Relaxed)),
            is_settled: AtomicBool::new(self.is_settled.load(Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_tried_from_the_newest_on_until_one_is_spoken() {
        let version = Version::default();
        let mut tried = vec![version.number()];
        while version.choose_older() {
            tried.push(version.number());
        }
        assert_eq!(tried, NUMBERS);
        assert_eq!(version.flag(false), ("upload-complete", "?0"));
        (0..7).for_each(|_| assert!(version.choose_older()));
        assert_eq!(version.flag(false), ("upload-incomplete", "?1"));
        version.settle();
        assert!(!version.choose_older());
        assert_eq!(version.clone().number(), Some(3));
    }
}
