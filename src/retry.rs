//! When to try again: exponential back-off with full jitter, bounded.
#![forbid(unsafe_code)]

use std::time::Duration;

/// How often, and how patiently, a break is followed by another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Attempts in a row that may fail without the server's offset having moved.
    pub limit: u32,
    /// Upper bound of the first wait.
    pub base: Duration,
    /// Upper bound of every wait.
    pub cap: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            limit: 8,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(30),
        }
    }
}

/// The longest `Retry-After` that is obeyed; a server that asks for more is asked again then.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The state of one run's retries.
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: Policy,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(policy: Policy) -> Self {
        Backoff {
            policy,
            failures: 0,
        }
    }

    /// The server holds more than before: the budget begins anew.
    pub(crate) fn progressed(&mut self) {
        self.failures = 0;
    }

    /// How long to wait before the next attempt; `None` when the budget is used up.
    ///
    /// `random` is a uniformly distributed number; the wait is uniform between zero and the
    /// exponential bound ("full jitter"), and never shorter than `retry_after`.
    pub(crate) fn next(&mut self, retry_after: Option<Duration>, random: u64) -> Option<Duration> {
        if self.failures >= self.policy.limit {
            return None;
        }
        let doublings = self.failures.min(30);
        self.failures += 1;
        let bound = self
            .policy
            .base
            .saturating_mul(1 << doublings)
            .min(self.policy.cap);
        let share = random as f64 / u64::MAX as f64;
        let jittered = bound.mul_f64(share);
        Some(jittered.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        limit: 4,
        base: Duration::from_millis(100),
        cap: Duration::from_millis(350),
    };

    #[test]
    fn waits_double_up_to_the_cap_and_end_at_the_limit() {
        let mut backoff = Backoff::new(POLICY);
        let waits: Vec<_> =
            std::iter::from_fn(|| backoff.next(None, u64::MAX).map(|d| d.as_millis())).collect();
        assert_eq!(waits, [100, 200, 350, 350]);
    }

    #[test]
    fn jitter_spreads_from_zero_to_the_bound() {
        let mut backoff = Backoff::new(POLICY);
        assert_eq!(backoff.next(None, 0), Some(Duration::ZERO));
        let half = backoff.next(None, u64::MAX / 2).unwrap();
        assert!((99..=101).contains(&half.as_millis()), "{half:?}");
    }

    #[test]
    fn progress_renews_the_budget() {
        let mut backoff = Backoff::new(POLICY);
        while backoff.next(None, 1).is_some() {}
        backoff.progressed();
        assert!(backoff.next(None, 1).is_some());
    }

    #[test]
    fn retry_after_is_a_floor_and_bounded() {
        let mut backoff = Backoff::new(POLICY);
        let asked = Duration::from_secs(7);
        assert_eq!(backoff.next(Some(asked), 1), Some(asked));
        let week = Duration::from_secs(7 * 86400);
        assert_eq!(backoff.next(Some(week), 1), Some(LONGEST_RETRY_AFTER));
    }

    #[test]
    fn a_limit_of_zero_never_waits() {
        let policy = Policy { limit: 0, ..POLICY };
        assert_eq!(Backoff::new(policy).next(None, 1), None);
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let policy = Policy {
            limit: u32::MAX,
            base: Duration::MAX,
            cap: Duration::from_secs(1),
        };
        let mut backoff = Backoff::new(policy);
        for _ in 0..100 {
            assert!(backoff.next(None, u64::MAX).unwrap() <= policy.cap);
        }
    }
}
