//! The number of bytes in one part.

use std::time::Duration;

/// The length of parts while none has ended: so short that one is soon over on a slow link, too.
const SHORT: u64 = 512 * 1024;
/// The very first part, on one connection, has this share of the bytes. Between two parts the connection is idle, so a
/// fast link has to show its rate within the first. On a slow link, other connections meanwhile send the rest, and are not
/// done before the first one.
const SHARE_OF_FIRST: u64 = 8;
/// The most bytes of the very first part: a fast link shows its rate within so many.
const MOST_OF_FIRST: u64 = 32 << 20;
/// The shortest part, but for the rest of a gap.
pub(super) const MIN: u64 = 256 * 1024;
/// The longest part.
const MAX: u64 = 1 << 30;
/// The time that a part should take.
const AIM: Duration = Duration::from_secs(4);
/// What is left is split into so many parts for each of several connections: one that is slower gets fewer.
const PIECES: u64 = 2;
/// No part is so many times as long as the one before, or shorter than that share of it.
const GROWTH: u64 = 4;

/// The length of the next part, from the time that the last one took; `None` before one has ended.
#[derive(Debug, Default)]
pub(super) struct PartLength(Option<u64>);

impl PartLength {
    /// Notes the time that a part of `length` bytes took.
    pub(super) fn note(&mut self, length: u64, time: Duration) {
        let ideal = length as f64 * AIM.as_secs_f64() / time.as_secs_f64().max(1e-6);
        let last = self.0.unwrap_or(length);
        let (least, most) = (last / GROWTH, last * GROWTH);
        self.0 = Some((ideal as u64).clamp(least, most).clamp(MIN, MAX));
    }

    /// Gives the length of a part without regard to what is left.
    pub(super) fn usual(&self) -> u64 {
        self.0.unwrap_or(SHORT)
    }

    /// Gives the length of the next part, where `open` bytes are left for `slots` parts at a time, and
    /// perhaps soon `most`, and the gap that it is for has `gap` bytes. Towards the end the parts become shorter, so that
    /// they end together, though some connections are faster than others.
    pub(super) fn next(&self, open: u64, slots: usize, most: usize, gap: u64) -> u64 {
        let pieces = if slots > 1 { PIECES } else { 1 } * most.max(1) as u64;
        let share = (open / pieces).max(MIN);
        let length = match self.0 {
            None if slots == 1 => (open / SHARE_OF_FIRST).clamp(SHORT, MOST_OF_FIRST),
            _ => self.usual().min(share),
        };
        let length = length.min(gap);
        match gap - length < MIN / 2 {
            true => gap,
            false => length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_part_takes_four_seconds_before_long() {
        for rate in [1, 100_000, 1_000_000, 50_000_000] {
            let mut length = PartLength::default();
            let mut parts = 0;
            loop {
                let next = length.next(u64::MAX, 6, 6, u64::MAX);
                let seconds = next as f64 / rate as f64;
                if (3.9..4.1).contains(&seconds) || next == MIN {
                    break;
                }
                length.note(next, Duration::from_secs_f64(seconds));
                parts += 1;
            }
            assert!(parts <= 5, "{rate}: {parts}");
        }
    }

    #[test]
    fn it_grows_and_shrinks_step_by_step() {
        let mut length = PartLength::default();
        let mut lengths = Vec::new();
        for (mebibytes, seconds) in [(1, 0), (1, 0), (100, 2), (1, 60), (1, 60), (1, 600)] {
            length.note(mebibytes * MIB, Duration::from_secs(seconds));
            lengths.push(length.usual());
        }
        assert_eq!(
            lengths,
            [4 * MIB, 16 * MIB, 64 * MIB, 16 * MIB, 4 * MIB, MIB]
        );
        for _ in 0..99 {
            length.note(MIB, Duration::ZERO);
        }
        assert_eq!(length.usual(), MAX);
    }

    #[test]
    fn the_very_first_part_is_a_share_of_the_file() {
        let length = PartLength::default();
        for (open, slots, next) in [
            (MIB, 1, MIB / 2),
            (12 * MIB, 1, 3 * MIB / 2),
            (100 * MIB, 1, 25 * MIB / 2),
            (1 << 40, 1, 32 * MIB),
            // Beside others, nothing is known of a connection yet.
            (100 * MIB, 2, MIB / 2),
        ] {
            assert_eq!(length.next(open, slots, 6, open), next, "{open} {slots}");
        }
    }

    #[test]
    fn the_rest_is_split_evenly() {
        let length = PartLength(Some(8 * MIB));
        for (open, slots, most, next) in [(24, 3, 6, 2), (24, 2, 2, 6), (24, 1, 6, 4), (6, 1, 2, 3)]
        {
            let part = length.next(open * MIB, slots, most, open * MIB);
            assert_eq!(part, next * MIB, "{open} {slots} {most}");
        }
        for (open, most, gap, next) in [
            (100 * MIB, 6, 100 * MIB, 8 * MIB),
            (100 * MIB, 6, 3 * MIB, 3 * MIB),
            (MIB, 6, MIB, MIN),
            // No crumbs are left.
            (MIB, 6, MIN + MIN / 2 - 1, MIN + MIN / 2 - 1),
            (MIB, 6, MIN + MIN / 2, MIN),
            (1, 6, 1, 1),
        ] {
            assert_eq!(length.next(open, 3, most, gap), next, "{open} {most} {gap}");
        }
    }
}
