//! A rate limit that several uploads may share: a token bucket.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The bucket holds the bytes of this time, so that no burst follows a pause.
const DEPTH: Duration = Duration::from_millis(100);
/// No permit is smaller than the bytes of this time, so that bytes go in useful steps.
const STEP: Duration = Duration::from_millis(25);
/// A changed limit is noticed within this time.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// A limit in bytes per second, changeable at any time from any thread.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    /// Bytes per second; 0 for no limit.
    rate: AtomicU64,
    bucket: Mutex<Bucket>,
}

#[derive(Debug, Default)]
struct Bucket {
    tokens: f64,
    filled: Option<Instant>,
}

/// A limiter's permit to send, or the time until the next one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Permit {
    /// So many bytes may go now.
    Now(usize),
    /// Ask again after this time.
    After(Duration),
}

impl Limiter {
    /// Sets the limit, in bytes per second; 0 for none.
    pub(crate) fn set(&self, rate: u64) {
        let mut bucket = self.lock();
        self.rate.store(rate, Relaxed);
        bucket.tokens = bucket.tokens.min(depth(rate as f64));
    }

    /// Gives the limit, without a lock.
    pub(crate) fn get(&self) -> u64 {
        self.rate.load(Relaxed)
    }

    /// Asks for a permit to send up to `want` bytes, more than 0. Permitted bytes count as sent.
    pub(crate) fn take(&self, now: Instant, want: usize) -> Permit {
        let mut bucket = self.lock();
        let rate = self.get();
        if rate == 0 {
            return Permit::Now(want);
        }
        let rate = rate as f64;
        let elapsed = bucket
            .filled
            .map_or(Duration::ZERO, |then| now.saturating_duration_since(then));
        bucket.filled = Some(now);
        let flowed = bucket.tokens + rate * elapsed.as_secs_f64();
        bucket.tokens = flowed.min(depth(rate));
        let least = (rate * STEP.as_secs_f64()).max(1.0).min(want as f64);
        if bucket.tokens < least {
            let wait = Duration::from_secs_f64((least - bucket.tokens) / rate);
            return Permit::After(wait.clamp(Duration::from_millis(1), LONGEST_WAIT));
        }
        let permitted = (bucket.tokens as usize).clamp(1, want);
        bucket.tokens -= permitted as f64;
        Permit::Now(permitted)
    }

    /// Takes back bytes that were permitted and not sent.
    pub(crate) fn give_back(&self, bytes: usize) {
        let mut bucket = self.lock();
        if self.get() > 0 {
            bucket.tokens += bytes as f64;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the most that the bucket holds.
fn depth(rate: f64) -> f64 {
    (rate * DEPTH.as_secs_f64()).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the bytes sent in `seconds` when `takers` ask in turn, each as soon as it may.
    fn flow(limiter: &Limiter, start: Instant, seconds: u64, takers: usize) -> u64 {
        let end = start + Duration::from_secs(seconds);
        let mut ready = vec![start; takers];
        let mut total = 0;
        loop {
            let (index, now) = ready
                .iter()
                .copied()
                .enumerate()
                .min_by_key(|(_, at)| *at)
                .unwrap();
            if now >= end {
                return total;
            }
            match limiter.take(now, 128 * 1024) {
                Permit::Now(bytes) => {
                    total += bytes as u64;
                    ready[index] = now + Duration::from_micros(10);
                }
                Permit::After(wait) => ready[index] = now + wait,
            }
        }
    }

    #[test]
    fn the_flow_is_the_limit_for_any_number_of_uploads() {
        for rate in [500, 20_000, 1_000_000, 80_000_000] {
            for takers in [1, 3, 20] {
                let limiter = Limiter::default();
                limiter.set(rate);
                let bytes = flow(&limiter, Instant::now(), 5, takers);
                let share = bytes as f64 / (rate * 5) as f64;
                assert!((0.95..=1.05).contains(&share), "{rate} × {takers}: {share}");
            }
        }
    }

    #[test]
    fn a_change_takes_effect_at_once_and_0_lifts_the_limit() {
        let limiter = Limiter::default();
        let start = Instant::now();
        assert_eq!(limiter.take(start, 1 << 20), Permit::Now(1 << 20));
        limiter.set(1000);
        let slow = flow(&limiter, start, 2, 1);
        assert!(slow <= 2100, "{slow}");
        limiter.set(10_000);
        let faster = flow(&limiter, start + Duration::from_secs(2), 2, 1);
        assert!((18_000..=21_000).contains(&faster), "{faster}");
        limiter.set(0);
        assert_eq!(limiter.take(start, 77), Permit::Now(77));
    }

    #[test]
    fn a_pause_is_not_followed_by_a_burst() {
        let limiter = Limiter::default();
        limiter.set(1_000_000);
        let start = Instant::now();
        flow(&limiter, start, 1, 1);
        let later = start + Duration::from_secs(60);
        let Permit::Now(bytes) = limiter.take(later, 1 << 30) else {
            panic!("nothing after a minute");
        };
        assert!(bytes <= 100_000, "{bytes}");
    }
}
