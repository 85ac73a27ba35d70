//! The number of bytes in one part.

use std::time::Duration;

/// The first part: so short that it is soon over on a slow link, too.
const FIRST: u64 = 512 * 1024;
/// The shortest part, but for the rest of a gap.
pub(super) const MIN: u64 = 256 * 1024;
/// The longest part.
const MAX: u64 = 1 << 30;
/// The time that a part should take.
const AIM: Duration = Duration::from_secs(4);
/// No part is so many times as long as the one before, or shorter than that share of it.
const GROWTH: u64 = 4;

/// The length of the next part, from the time that the last one took.
#[derive(Debug)]
pub(super) struct PartLength(u64);

impl Default for PartLength {
    fn default() -> Self {
        PartLength(FIRST)
    }
}

impl PartLength {
    /// Notes the time that a part of `length` bytes took.
    pub(super) fn note(&mut self, length: u64, time: Duration) {
        let ideal = length as f64 * AIM.as_secs_f64() / time.as_secs_f64().max(1e-6);
        let (least, most) = (self.0 / GROWTH, self.0 * GROWTH);
        self.0 = (ideal as u64).clamp(least, most).clamp(MIN, MAX);
    }

    /// Gives the length of the next part, where `open` bytes are left for `slots` parts at a time
    /// and the gap that it is for has `gap` bytes. Towards the end the parts become shorter, so that
    /// they end together.
    pub(super) fn next(&self, open: u64, slots: usize, gap: u64) -> u64 {
        let share = (open / slots.max(1) as u64).max(MIN);
        let length = self.0.min(share).min(gap);
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
                let next = length.next(u64::MAX, 6, u64::MAX);
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
            lengths.push(length.0);
        }
        assert_eq!(
            lengths,
            [2 * MIB, 8 * MIB, 32 * MIB, 8 * MIB, 2 * MIB, MIB / 2]
        );
        for _ in 0..99 {
            length.note(MIB, Duration::ZERO);
        }
        assert_eq!(length.0, MAX);
    }

    #[test]
    fn the_rest_is_split_evenly() {
        let length = PartLength(8 * MIB);
        for (open, slots, gap, next) in [
            (100 * MIB, 6, 100 * MIB, 8 * MIB),
            (100 * MIB, 1, 3 * MIB, 3 * MIB),
            (12 * MIB, 6, 12 * MIB, 2 * MIB),
            (MIB, 6, MIB, MIN),
            // No crumbs are left.
            (MIB, 6, MIN + MIN / 2 - 1, MIN + MIN / 2 - 1),
            (MIB, 6, MIN + MIN / 2, MIN),
            (1, 6, 1, 1),
        ] {
            assert_eq!(length.next(open, slots, gap), next, "{open} {slots} {gap}");
        }
    }
}
