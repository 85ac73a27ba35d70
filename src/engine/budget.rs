//! When to try again: exponential back-off with full jitter, bounded.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use crate::options::RetryPolicy;

/// The longest `Retry-After` that is obeyed; a server that asks for more is asked again then.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The state of one run's retries.
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: RetryPolicy,
    failures: u32,
    /// The first of these failures.
    since: Option<Instant>,
}

impl Backoff {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Backoff {
            policy,
            failures: 0,
            since: None,
        }
    }

    /// The server holds more than before: the budget begins anew.
    pub(crate) fn progressed(&mut self) {
        self.failures = 0;
        self.since = None;
    }

    /// The host has paused: that time was none of failing.
    pub(crate) fn paused(&mut self) {
        self.since = None;
    }

    /// How long to wait before the next attempt; `None` when the budget is used up.
    ///
    /// `random` is a uniformly distributed number; the wait is uniform between zero and the
    /// exponential bound ("full jitter"), and never shorter than `retry_after`.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        retry_after: Option<Duration>,
        random: u64,
    ) -> Option<Duration> {
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
        let wait = jittered.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER));
        let since = *self.since.get_or_insert(now);
        match self.policy.time {
            Some(limit) if now.saturating_duration_since(since) + wait > limit => None,
            _ => Some(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        limit: 4,
        base: Duration::from_millis(100),
        cap: Duration::from_millis(350),
        time: None,
    };

    fn next(backoff: &mut Backoff, random: u64) -> Option<Duration> {
        backoff.next(Instant::now(), None, random)
    }

    #[test]
    fn waits_double_up_to_the_cap_and_end_at_the_limit() {
        let mut backoff = Backoff::new(POLICY);
        let waits: Vec<_> =
            std::iter::from_fn(|| next(&mut backoff, u64::MAX).map(|d| d.as_millis())).collect();
        assert_eq!(waits, [100, 200, 350, 350]);
    }

    #[test]
    fn jitter_spreads_from_zero_to_the_bound() {
        let mut backoff = Backoff::new(POLICY);
        assert_eq!(next(&mut backoff, 0), Some(Duration::ZERO));
        let half = next(&mut backoff, u64::MAX / 2).unwrap();
        assert!((99..=101).contains(&half.as_millis()), "{half:?}");
    }

    #[test]
    fn progress_renews_the_budget() {
        let mut backoff = Backoff::new(POLICY);
        while next(&mut backoff, 1).is_some() {}
        backoff.progressed();
        assert!(next(&mut backoff, 1).is_some());
    }

    #[test]
    fn retry_after_is_a_floor_and_bounded() {
        let mut backoff = Backoff::new(POLICY);
        let asked = Duration::from_secs(7);
        let now = Instant::now();
        assert_eq!(backoff.next(now, Some(asked), 1), Some(asked));
        let week = Duration::from_secs(7 * 86400);
        assert_eq!(backoff.next(now, Some(week), 1), Some(LONGEST_RETRY_AFTER));
    }

    #[test]
    fn the_time_limit_counts_from_the_first_failure_without_progress() {
        let mut backoff = Backoff::new(RetryPolicy {
            limit: u32::MAX,
            time: Some(Duration::from_secs(10)),
            ..POLICY
        });
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(backoff.next(at(0), None, u64::MAX).is_some());
        assert!(backoff.next(at(9), None, u64::MAX).is_some());
        assert_eq!(backoff.next(at(10), None, u64::MAX), None);
        let long = Some(Duration::from_secs(11));
        backoff.progressed();
        assert_eq!(
            backoff.next(at(20), long, 0),
            None,
            "it would wait too long"
        );
        backoff.progressed();
        assert!(backoff.next(at(60), None, u64::MAX).is_some());
    }

    #[test]
    fn a_limit_of_zero_never_waits() {
        let policy = RetryPolicy { limit: 0, ..POLICY };
        assert_eq!(next(&mut Backoff::new(policy), 1), None);
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let policy = RetryPolicy {
            limit: u32::MAX,
            base: Duration::MAX,
            cap: Duration::from_secs(1),
            time: None,
        };
        let mut backoff = Backoff::new(policy);
        for _ in 0..100 {
            assert!(next(&mut backoff, u64::MAX).unwrap() <= policy.cap);
        }
    }
}
