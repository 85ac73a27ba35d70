//! The speed of an upload.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The rate is the mean over about this time.
const WINDOW: Duration = Duration::from_secs(4);
/// How many samples there are in the window.
const SAMPLES: u32 = 16;

/// A measure of the bytes per second over the last seconds, from samples of a running total.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    samples: VecDeque<(Instant, u64)>,
}

impl Meter {
    /// Notes that `total` bytes were sent by `now`.
    pub(crate) fn sample(&mut self, now: Instant, total: u64) {
        let due = match self.samples.back() {
            Some((last, _)) => now.duration_since(*last) >= WINDOW / SAMPLES,
            None => true,
        };
        if due {
            self.samples.push_back((now, total));
            self.forget(now);
        }
    }

    /// Gives the bytes per second at `now`, when `total` bytes are sent; 0 before there is a
    /// measure.
    pub(crate) fn rate(&mut self, now: Instant, total: u64) -> u64 {
        self.forget(now);
        let Some((then, before)) = self.samples.front() else {
            return 0;
        };
        let seconds = now.duration_since(*then).as_secs_f64();
        if seconds < 0.05 {
            return 0;
        }
        (total.saturating_sub(*before) as f64 / seconds) as u64
    }

    /// Drops the samples from before the window.
    fn forget(&mut self, now: Instant) {
        while self.samples.len() > 1 && now.duration_since(self.samples[1].0) >= WINDOW {
            self.samples.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_flow_has_its_rate() {
        let start = Instant::now();
        let mut meter = Meter::default();
        for tenth in 0..100u64 {
            meter.sample(start + Duration::from_millis(tenth * 100), tenth * 1000);
        }
        let rate = meter.rate(start + Duration::from_secs(10), 100_000);
        assert!((9_900..=10_100).contains(&rate), "{rate}");
        assert!(meter.samples.len() <= SAMPLES as usize + 2);
    }

    #[test]
    fn a_stopped_flow_falls_to_zero() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.sample(start, 0);
        meter.sample(start + Duration::from_secs(1), 1_000_000);
        let later = start + Duration::from_secs(1000);
        assert!(meter.rate(later, 1_000_000) < 1100);
    }

    #[test]
    fn nothing_is_claimed_before_there_is_a_measure() {
        let now = Instant::now();
        let mut meter = Meter::default();
        assert_eq!(meter.rate(now, 5), 0);
        meter.sample(now, 0);
        assert_eq!(meter.rate(now, 5), 0);
    }
}
