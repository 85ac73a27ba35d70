//! The number of bytes in one send.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Duration;

use crate::options::SegmentSize;

/// The smallest segment after a 413 or after failures.
const MIN: u64 = 64 * 1024;
/// The first automatic segment.
const AUTOMATIC_FIRST: u64 = 4 << 20;
/// The largest automatic segment.
const AUTOMATIC_MAX: u64 = 1 << 30;
/// Automatic segments grow while each takes less than this.
const LONG: Duration = Duration::from_secs(20);

/// The limit that a client has learned from 413 responses, for all its uploads; 0 for none.
pub(crate) type LearnedLimit = Arc<AtomicU64>;

/// The size of the segments of one run.
#[derive(Debug)]
pub(super) struct Segments {
    size: SegmentSize,
    automatic: u64,
    announced: Option<u64>,
    /// Half of the segment that was too large.
    halved: Option<u64>,
    learned: LearnedLimit,
}

impl Segments {
    pub(super) fn new(size: SegmentSize, learned: LearnedLimit) -> Self {
        Segments {
            size,
            automatic: AUTOMATIC_FIRST,
            announced: None,
            halved: None,
            learned,
        }
    }

    /// Notes the server's own limit.
    pub(super) fn announce(&mut self, limit: u64) {
        self.announced = Some(limit);
    }

    /// Gives how many of the `left` bytes the next send carries.
    pub(super) fn next(&self, left: u64) -> u64 {
        let wanted = match self.size {
            SegmentSize::Unlimited => None,
            SegmentSize::Fixed(most) => Some(most),
            SegmentSize::Automatic => Some(self.automatic),
        };
        let learned = Some(self.learned.load(Relaxed)).filter(|limit| *limit > 0);
        let limits = [wanted, self.announced, self.halved, learned];
        limits.into_iter().flatten().fold(left, u64::min)
    }

    /// Notes that the server has accepted a segment, and the time that it took.
    pub(super) fn accepted(&mut self, time: Duration) {
        // Only now it is certain that the size was the reason, so other uploads learn it.
        if let Some(halved) = self.halved {
            let lower = |known| (known == 0 || known > halved).then_some(halved);
            let _ = self.learned.fetch_update(Relaxed, Relaxed, lower);
        }
        if time < LONG {
            self.automatic = (self.automatic * 2).min(AUTOMATIC_MAX);
        }
    }

    /// Notes a failure.
    pub(super) fn failed(&mut self) {
        self.automatic = (self.automatic / 2).max(MIN);
    }

    /// Notes that `length` bytes are too many for the server. Gives whether there is a smaller size
    /// to try.
    pub(super) fn too_large(&mut self, length: u64) -> bool {
        if length <= MIN {
            return false;
        }
        self.halved = Some((length / 2).max(MIN));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(wanted: SegmentSize) -> Segments {
        Segments::new(wanted, LearnedLimit::default())
    }

    #[test]
    fn the_smallest_limit_counts() {
        let mut segments = segments(SegmentSize::Unlimited);
        assert_eq!(segments.next(1 << 40), 1 << 40);
        segments.announce(500);
        assert_eq!(segments.next(1 << 40), 500);
        assert_eq!(segments.next(7), 7);
        segments.size = SegmentSize::Fixed(300);
        assert_eq!(segments.next(1 << 40), 300);
    }

    #[test]
    fn a_413_halves_down_to_the_minimum_and_is_remembered() {
        let learned = LearnedLimit::default();
        let mut segments = Segments::new(SegmentSize::Unlimited, learned.clone());
        let mut length = segments.next(10_000_000);
        let mut tries = 0;
        while segments.too_large(length) {
            length = segments.next(10_000_000);
            tries += 1;
        }
        assert_eq!((length, tries), (MIN, 8));
        let other = |learned| Segments::new(SegmentSize::Unlimited, learned).next(u64::MAX);
        assert_eq!(other(learned.clone()), u64::MAX, "nothing is proved yet");
        segments.accepted(LONG);
        assert_eq!(other(learned), MIN);
    }

    #[test]
    fn automatic_segments_grow_on_a_good_network_and_shrink_after_failures() {
        let mut segments = segments(SegmentSize::Automatic);
        let first = segments.next(u64::MAX);
        segments.accepted(Duration::from_secs(1));
        assert_eq!(segments.next(u64::MAX), 2 * first);
        segments.accepted(LONG);
        assert_eq!(segments.next(u64::MAX), 2 * first);
        for _ in 0..100 {
            segments.failed();
        }
        assert_eq!(segments.next(u64::MAX), MIN);
        for _ in 0..100 {
            segments.accepted(Duration::ZERO);
        }
        assert_eq!(segments.next(u64::MAX), AUTOMATIC_MAX);
    }
}
