//! The speed of an upload.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The rate is the mean over about this time.
const WINDOW: Duration = Duration::from_secs(4);
/// The least time between two samples.
const INTERVAL: Duration = Duration::from_millis(250);
/// The shortest time over which a rate is measured.
const SHORTEST: Duration = Duration::from_millis(200);

/// A measure of the bytes per second over the last seconds, from samples of a running total.
///
/// After a time in which nothing flowed it begins anew: a mean over that time would say for seconds
/// that the rest takes days. On a slow network every sample comes that late; there the mean is right.
///
/// It does not count the first bytes of a flow: they fill buffers, and come in the burst that a rate limit
/// allows after a pause.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    samples: VecDeque<(Instant, u64)>,
    /// Whether there was no sample for the whole window before the last one.
    is_slow: bool,
    /// Whether the first bytes of the flow are past.
    is_steady: bool,
}

impl Meter {
    /// Notes that `total` bytes were sent by `now`.
    pub(crate) fn sample(&mut self, now: Instant, total: u64) {
        if let Some((last, _)) = self.samples.back() {
            let time = now.duration_since(*last);
            if time < INTERVAL {
                return;
            }
            let is_late = time >= WINDOW;
            match (self.is_slow, is_late) {
                (false, true) => {
                    self.samples.clear();
                    self.is_steady = false;
                }
                // Bytes flow again: what was before the last sample is no measure of that.
                (true, false) => drop(self.samples.drain(..self.samples.len() - 1)),
                _ => {}
            }
            self.is_slow = is_late;
            if !self.is_steady && !is_late {
                self.samples.clear();
                self.is_steady = true;
            }
        }
        self.samples.push_back((now, total));
        self.forget(now);
    }

    /// Forgets all samples, for bytes that flow on another connection.
    pub(crate) fn reset(&mut self) {
        *self = Meter::default();
    }

    /// Gives the bytes per second at `now`, when `total` bytes are sent; 0 before there is a
    /// measure.
    pub(crate) fn rate(&mut self, now: Instant, total: u64) -> u64 {
        self.forget(now);
        let Some((then, before)) = self.samples.front() else {
            return 0;
        };
        let time = now.duration_since(*then);
        let has_measure = self.is_steady || self.samples.len() > 1;
        if !has_measure || time < SHORTEST {
            return 0;
        }
        (total.saturating_sub(*before) as f64 / time.as_secs_f64()) as u64
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
    use crate::control::rate::{Limiter, Permit};

    /// A flow: from this millisecond on, a sample every so many milliseconds, each of so many bytes, so many
    /// times.
    type Flow = (u64, u64, u64, u64);

    /// Gives the rate after the last sample of some flows, one after the other.
    fn rate(flows: &[Flow]) -> u64 {
        let start = Instant::now();
        let (mut meter, mut total, mut now) = (Meter::default(), 0, start);
        for (from, step, bytes, count) in flows {
            for number in 0..*count {
                now = start + Duration::from_millis(from + number * step);
                total += bytes;
                meter.sample(now, total);
                let most = WINDOW.as_millis() / INTERVAL.as_millis() + 2;
                assert!(meter.samples.len() as u128 <= most);
            }
        }
        meter.rate(now, total)
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds_in_which_bytes_flow() {
        const MINUTE: u64 = 60_000;
        // Ten seconds at 1 MB/s.
        let before = (0, 100, 100_000, 100);
        for (what, flows, wanted) in [
            ("a steady flow", &[before][..], 950_000..=1_050_000),
            (
                "the first bytes after ten minutes",
                &[before, (10 * MINUTE, 100, 50_000, 1)],
                0..=0,
            ),
            (
                "half a second after ten minutes",
                &[before, (10 * MINUTE, 100, 50_000, 6)],
                480_000..=520_000,
            ),
            (
                "a second after ten minutes",
                &[before, (10 * MINUTE, 100, 50_000, 11)],
                480_000..=520_000,
            ),
            (
                "a second after five seconds",
                &[before, (15_000, 100, 50_000, 11)],
                480_000..=520_000,
            ),
            (
                "after two breaks",
                &[before, (20_000, 1, 9, 1), (40_000, 100, 50_000, 11)],
                480_000..=520_000,
            ),
            (
                "half a minute after ten minutes",
                &[before, (10 * MINUTE, 100, 50_000, 300)],
                480_000..=520_000,
            ),
            (
                "a pause of a second",
                &[before, (11_000, 100, 100_000, 5)],
                700_000..=1_000_000,
            ),
            ("64 KiB every 10 s", &[(0, 10_000, 65_536, 9)], 6000..=7000),
            (
                "64 KiB every 10 s after an hour",
                &[before, (60 * MINUTE, 10_000, 65_536, 9)],
                6000..=7000,
            ),
        ] {
            let rate = rate(flows);
            assert!(wanted.contains(&rate), "{what}: {rate}");
        }
    }

    #[test]
    fn a_rate_after_a_pause_is_that_of_the_limit() {
        const LIMIT: u64 = 20_000_000;
        let limiter = Limiter::default();
        limiter.set(LIMIT);
        let start = Instant::now();
        limiter.take(start, 1);
        let (mut meter, mut total) = (Meter::default(), 0);
        for millisecond in 0..5000 {
            let now = start + Duration::from_millis(60_000 + millisecond);
            while let Permit::Now(bytes) = limiter.take(now, 64 * 1024) {
                total += bytes as u64;
                meter.sample(now, total);
            }
            let rate = meter.rate(now, total);
            let is_right = (LIMIT * 95 / 100..=LIMIT * 105 / 100).contains(&rate);
            let is_early = millisecond < 500 && rate == 0;
            assert!(is_right || is_early, "after {millisecond} ms: {rate}");
        }
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
        meter.sample(now + Duration::from_secs(1), 5);
        meter.reset();
        meter.sample(now + Duration::from_secs(100), 10);
        assert_eq!(meter.rate(now + Duration::from_secs(100), 10), 0);
    }
}
