//! The number of bytes in one send.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Duration;

use crate::options::SegmentSize;
use crate::protocol::Chunks;

/// The smallest segment after a 413 or after failures.
const MIN: u64 = 64 * 1024;
/// The first automatic segment, and the largest one after a send that brought nothing.
const FIRST: u64 = 4 << 20;
/// The largest automatic segment.
const MAX: u64 = 1 << 30;
/// Segments grow while each takes less than this.
const SHORT: Duration = Duration::from_secs(5);
/// Segments shrink when one takes more than this.
const LONG: Duration = Duration::from_secs(20);

/// The limit that a client has learned from 413 responses, for all its uploads; 0 for none.
pub(crate) type LearnedLimit = Arc<AtomicU64>;

/// The size of the segments of one run.
///
/// One send carries everything until one has brought nothing. From then on the server, or a proxy
/// before it, may take whole requests only, and the size is the one that suits the network.
#[derive(Debug)]
pub(super) struct Segments {
    /// The program's limit.
    most: Option<u64>,
    /// The size that suits the network; `None` while one send carries everything.
    suitable: Option<u64>,
    /// Half of the last send that brought nothing. Past it the size grows slowly.
    slow_from: u64,
    announced: Option<u64>,
    /// All but the last segment are a multiple of this.
    grain: Option<u64>,
    /// The least that the server takes, but for the last bytes.
    least: u64,
    /// Half of the segment that was too large.
    halved: Option<u64>,
    learned: LearnedLimit,
    /// The chunks that the protocol prescribes. Then no limit counts.
    chunks: Option<Chunks>,
}

impl Segments {
    pub(super) fn new(size: SegmentSize, chunks: Option<Chunks>, learned: LearnedLimit) -> Self {
        let (most, suitable) = match size {
            SegmentSize::Unlimited => (None, None),
            SegmentSize::Fixed(most) => (Some(most), None),
            SegmentSize::Automatic => (None, Some(FIRST)),
        };
        Segments {
            most,
            suitable,
            slow_from: MAX,
            announced: None,
            grain: None,
            least: 0,
            halved: None,
            learned,
            chunks,
        }
    }

    /// Notes the server's own limits.
    pub(super) fn announce(&mut self, most: Option<u64>, least: Option<u64>) {
        self.announced = most.or(self.announced);
        self.least = least.unwrap_or(self.least);
    }

    /// Notes that all but the last segment are a multiple of so many bytes.
    pub(super) fn set_grain(&mut self, grain: Option<u64>) {
        self.grain = grain;
    }

    /// Gives how many of the `left` bytes the next send carries.
    pub(super) fn next(&self, left: u64) -> u64 {
        if let Some(chunks) = self.chunks {
            return chunks.length(left);
        }
        let learned = Some(self.learned.load(Relaxed)).filter(|limit| *limit > 0);
        let limits = [
            self.most,
            self.suitable,
            self.announced,
            self.halved,
            learned,
        ];
        let most = limits.into_iter().flatten().fold(left, u64::min);
        let least = self.least.min(self.announced.unwrap_or(u64::MAX));
        let most = most.max(least).min(left);
        match self.grain {
            Some(grain) if most < left => (most - most % grain).max(grain).min(left),
            _ => most,
        }
    }

    /// Notes that the server has accepted `length` bytes, and the time that this took.
    pub(super) fn accepted(&mut self, length: u64, time: Duration) {
        // Only now it is certain that the size was the reason, so other uploads learn it.
        if let Some(halved) = self.halved {
            let lower = |known| (known == 0 || known > halved).then_some(halved);
            let _ = self.learned.fetch_update(Relaxed, Relaxed, lower);
        }
        // A shorter one tells nothing about this size.
        if let Some(size) = self.suitable.as_mut().filter(|size| length >= **size) {
            if time > LONG {
                *size = (*size / 2).max(MIN);
            } else if time < SHORT {
                let more = match *size * 2 <= self.slow_from {
                    true => *size,
                    false => *size / 4,
                };
                *size = (*size + more).min(MAX);
            }
        }
    }

    /// Notes that a send of `length` bytes has brought nothing.
    pub(super) fn brought_nothing(&mut self, length: u64) {
        self.suitable = Some((length / 4).clamp(MIN, FIRST));
        self.slow_from = (length / 2).max(MIN);
    }

    /// Whether the protocol prescribes the chunks.
    pub(super) fn are_fixed(&self) -> bool {
        self.chunks.is_some()
    }

    /// Gives the offset at which an attempt without a locate begins, after the server has accepted bytes up
    /// to another one.
    pub(super) fn first(&self, accepted: Option<u64>) -> u64 {
        let goes_on = self.chunks.is_some_and(|chunks| chunks.goes_on);
        accepted.filter(|_| goes_on).unwrap_or_default()
    }

    /// Notes that `length` bytes are too many for the server. Gives whether there is a smaller size
    /// to try.
    pub(super) fn too_large(&mut self, length: u64) -> bool {
        if self.chunks.is_some() || length <= MIN.max(self.grain.unwrap_or(0)) {
            return false;
        }
        self.halved = Some((length / 2).max(MIN));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_last_segment_are_multiples_of_the_grain() {
        let mut segments = segments(SegmentSize::Fixed(100_000));
        segments.set_grain(Some(30_000));
        let lengths = [250_000, 100_001, 100_000, 1].map(|left| segments.next(left));
        assert_eq!(lengths, [90_000, 90_000, 100_000, 1]);
        assert!(!segments.too_large(30_000), "there is no smaller one");
        segments.set_grain(Some(200_000));
        assert_eq!(
            [250_000, 150_000].map(|left| segments.next(left)),
            [200_000, 150_000]
        );
        segments.set_grain(Some(u64::MAX));
        assert_eq!(segments.next(1 << 40), 1 << 40, "the whole file at once");
        assert!(!segments.too_large(1 << 40));
    }

    fn segments(wanted: SegmentSize) -> Segments {
        Segments::new(wanted, None, LearnedLimit::default())
    }

    #[test]
    fn chunks_that_a_protocol_prescribes_stay_as_they_are() {
        for (last_is_long, lengths) in [(false, [10, 10, 9, 0]), (true, [10, 19, 0, 0])] {
            let chunks = Chunks {
                size: 10,
                last_is_long,
                goes_on: true,
            };
            let mut segments =
                Segments::new(SegmentSize::Fixed(3), Some(chunks), LearnedLimit::default());
            assert!(!segments.too_large(1 << 20));
            segments.brought_nothing(1 << 20);
            let mut left = 29;
            for length in lengths {
                assert_eq!(segments.next(left), length);
                left -= length;
            }
            assert_eq!(left, 0);
        }
    }

    #[test]
    fn the_smallest_limit_counts() {
        let mut segments = segments(SegmentSize::Unlimited);
        assert_eq!(segments.next(1 << 40), 1 << 40);
        segments.announce(Some(500), None);
        assert_eq!(segments.next(1 << 40), 500);
        assert_eq!(segments.next(7), 7);
        segments.most = Some(300);
        assert_eq!(segments.next(1 << 40), 300);
        // The server's limits change, and go before the program's.
        segments.announce(None, Some(400));
        assert_eq!(segments.next(1 << 40), 400);
        assert_eq!(segments.next(350), 350);
        segments.announce(Some(200), None);
        assert_eq!(segments.next(1 << 40), 200);
    }

    #[test]
    fn a_413_halves_down_to_the_minimum_and_is_remembered() {
        let learned = LearnedLimit::default();
        let mut segments = Segments::new(SegmentSize::Unlimited, None, learned.clone());
        let mut length = segments.next(10_000_000);
        let mut tries = 0;
        while segments.too_large(length) {
            length = segments.next(10_000_000);
            tries += 1;
        }
        assert_eq!((length, tries), (MIN, 8));
        let other = |learned| Segments::new(SegmentSize::Unlimited, None, learned).next(u64::MAX);
        assert_eq!(other(learned.clone()), u64::MAX, "nothing is proved yet");
        segments.accepted(MIN, LONG);
        assert_eq!(other(learned), MIN);
    }

    /// Makes sends that each take this time; gives the size of the next one.
    fn after(segments: &mut Segments, sends: u32, time: Duration) -> u64 {
        for _ in 0..sends {
            let length = segments.next(u64::MAX);
            segments.accepted(length, time);
        }
        segments.next(u64::MAX)
    }

    #[test]
    fn the_time_of_a_segment_decides_on_the_next() {
        let mut segments = segments(SegmentSize::Automatic);
        assert_eq!(after(&mut segments, 1, SHORT / 2), 2 * FIRST);
        assert_eq!(after(&mut segments, 9, SHORT), 2 * FIRST);
        assert_eq!(after(&mut segments, 9, LONG), 2 * FIRST);
        assert_eq!(after(&mut segments, 1, LONG * 2), FIRST);
        assert_eq!(after(&mut segments, 99, LONG * 2), MIN);
        assert_eq!(after(&mut segments, 99, Duration::ZERO), MAX);
        // The last segment of a file is short.
        segments.accepted(10, LONG * 2);
        assert_eq!(segments.next(u64::MAX), MAX);
    }

    #[test]
    fn one_send_carries_everything_as_long_as_it_works() {
        let mut segments = segments(SegmentSize::Unlimited);
        assert_eq!(after(&mut segments, 9, LONG * 2), u64::MAX);
    }

    #[test]
    fn what_brought_nothing_is_followed_by_less_and_then_by_more_again() {
        let mut segments = segments(SegmentSize::Unlimited);
        let mut sizes = Vec::new();
        for _ in 0..5 {
            segments.brought_nothing(segments.next(100 << 20));
            sizes.push(segments.next(u64::MAX));
        }
        assert_eq!(sizes, [4 << 20, 1 << 20, 256 << 10, MIN, MIN]);

        segments.brought_nothing(4 << 20);
        // Up to half of what failed it doubles. Past that it grows by a quarter.
        let sizes = [(); 3].map(|()| after(&mut segments, 1, Duration::ZERO));
        assert_eq!(sizes, [2 << 20, 5 << 19, 25 << 17]);
        assert_eq!(after(&mut segments, 99, Duration::ZERO), MAX);
    }

    #[test]
    fn no_size_is_larger_than_the_programs() {
        let mut segments = segments(SegmentSize::Fixed(200_000));
        segments.brought_nothing(200_000);
        assert_eq!(segments.next(u64::MAX), MIN);
        assert_eq!(after(&mut segments, 99, Duration::ZERO), 200_000);
    }
}
