//! How many bytes one send carries.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Duration;

use crate::options::SegmentSize;

/// Nothing smaller is tried after a 413, or chosen after breaks.
const FLOOR: u64 = 64 * 1024;
const AUTOMATIC_START: u64 = 4 << 20;
const AUTOMATIC_MOST: u64 = 1 << 30;
/// An automatic segment grows as long as one takes less than this.
const LONG: Duration = Duration::from_secs(20);

/// What a client has learnt from answers of 413, for all its uploads; 0 for nothing.
pub(crate) type Learnt = Arc<AtomicU64>;

/// The segments of one run.
#[derive(Debug)]
pub(crate) struct Segments {
    wanted: SegmentSize,
    automatic: u64,
    announced: Option<u64>,
    /// What is left of a segment that was too large.
    halved: Option<u64>,
    learnt: Learnt,
}

impl Segments {
    pub(crate) fn new(wanted: SegmentSize, learnt: Learnt) -> Self {
        Segments {
            wanted,
            automatic: AUTOMATIC_START,
            announced: None,
            halved: None,
            learnt,
        }
    }

    /// The server's own limit.
    pub(crate) fn announce(&mut self, most: u64) {
        self.announced = Some(most);
    }

    /// How many of the `left` bytes go next.
    pub(crate) fn next(&self, left: u64) -> u64 {
        let wanted = match self.wanted {
            SegmentSize::Unlimited => None,
            SegmentSize::Fixed(most) => Some(most),
            SegmentSize::Automatic => Some(self.automatic),
        };
        let learnt = Some(self.learnt.load(Relaxed)).filter(|most| *most > 0);
        let limits = [wanted, self.announced, self.halved, learnt];
        limits.into_iter().flatten().fold(left, u64::min)
    }

    /// The server has taken a segment, which took so long.
    pub(crate) fn taken(&mut self, time: Duration) {
        // Only now is it known that the size was the reason, and worth telling other uploads.
        if let Some(halved) = self.halved {
            let lower = |known| (known == 0 || known > halved).then_some(halved);
            let _ = self.learnt.fetch_update(Relaxed, Relaxed, lower);
        }
        if time < LONG {
            self.automatic = (self.automatic * 2).min(AUTOMATIC_MOST);
        }
    }

    /// The connection broke.
    pub(crate) fn broken(&mut self) {
        self.automatic = (self.automatic / 2).max(FLOOR);
    }

    /// The server finds `length` bytes too many; whether there is a smaller size to try.
    pub(crate) fn too_large(&mut self, length: u64) -> bool {
        if length <= FLOOR {
            return false;
        }
        self.halved = Some((length / 2).max(FLOOR));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(wanted: SegmentSize) -> Segments {
        Segments::new(wanted, Learnt::default())
    }

    #[test]
    fn the_smallest_limit_counts() {
        let mut segments = segments(SegmentSize::Unlimited);
        assert_eq!(segments.next(1 << 40), 1 << 40);
        segments.announce(500);
        assert_eq!(segments.next(1 << 40), 500);
        assert_eq!(segments.next(7), 7);
        segments.wanted = SegmentSize::Fixed(300);
        assert_eq!(segments.next(1 << 40), 300);
    }

    #[test]
    fn a_413_halves_down_to_the_floor_and_is_remembered() {
        let learnt = Learnt::default();
        let mut segments = Segments::new(SegmentSize::Unlimited, learnt.clone());
        let mut length = segments.next(10_000_000);
        let mut tries = 0;
        while segments.too_large(length) {
            length = segments.next(10_000_000);
            tries += 1;
        }
        assert_eq!((length, tries), (FLOOR, 8));
        let other = |learnt| Segments::new(SegmentSize::Unlimited, learnt).next(u64::MAX);
        assert_eq!(other(learnt.clone()), u64::MAX, "nothing is proved yet");
        segments.taken(LONG);
        assert_eq!(other(learnt), FLOOR);
    }

    #[test]
    fn automatic_segments_grow_on_good_links_and_shrink_after_breaks() {
        let mut segments = segments(SegmentSize::Automatic);
        let first = segments.next(u64::MAX);
        segments.taken(Duration::from_secs(1));
        assert_eq!(segments.next(u64::MAX), 2 * first);
        segments.taken(LONG);
        assert_eq!(segments.next(u64::MAX), 2 * first);
        for _ in 0..100 {
            segments.broken();
        }
        assert_eq!(segments.next(u64::MAX), FLOOR);
        for _ in 0..100 {
            segments.taken(Duration::ZERO);
        }
        assert_eq!(segments.next(u64::MAX), AUTOMATIC_MOST);
    }
}
