//! The retries that a run has left, and the waits before them.

use std::time::{Duration, Instant};

use super::gain::{is_worth, Gain};
use crate::options::RetryPolicy;

/// The longest `Retry-After` that is obeyed. A server that asks for more is asked again after this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// How often a server that has never answered by the protocol may fail with a 500 and be tried
/// again: the address may be wrong.
const MAX_UNPROVEN: u32 = 2;

/// The failures since the last progress, and the limits of their number and time.
///
/// Progress is a server's offset that is higher than ever before, if that was worth the bytes that
/// were sent for it: a server that moves its offset by one byte each time is given up.
#[derive(Debug)]
pub(crate) struct Budget {
    policy: RetryPolicy,
    failures: u32,
    /// The time of the first of these failures.
    since: Option<Instant>,
    checksum_mismatches: u32,
    logged_in_again: bool,
    /// Whether another offset of the server was followed.
    followed: bool,
    unproven: u32,
    /// The number of bytes in the last send that got a 400.
    rejected: Option<u64>,
}

impl Budget {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Budget {
            policy,
            failures: 0,
            since: None,
            checksum_mismatches: 0,
            logged_in_again: false,
            followed: false,
            unproven: 0,
            rejected: None,
        }
    }

    /// Notes a new offset of the server. If that is progress, the budget starts again from zero
    /// failures.
    pub(super) fn settle(&mut self, gain: Gain) {
        if is_worth(gain.gained, gain.wasted) {
            *self = Budget::new(self.policy);
        }
    }

    /// Notes that the program has paused the run: the time limit starts again.
    pub(super) fn note_pause(&mut self) {
        self.since = None;
    }

    /// Counts a checksum mismatch. Gives whether the bytes may be sent again: one mismatch may be
    /// damage on the network.
    pub(super) fn allows_checksum_mismatch(&mut self) -> bool {
        self.checksum_mismatches += 1;
        self.checksum_mismatches == 1
    }

    /// Counts a new login after an ended session. Gives whether it is allowed: a server may end
    /// each session at once, for ever.
    pub(super) fn allows_login(&mut self) -> bool {
        !std::mem::replace(&mut self.logged_in_again, true)
    }

    /// Counts a send that was refused because the server is at another offset. Gives whether the
    /// run may go on from there at once: a server may give another one each time.
    pub(super) fn allows_other_offset(&mut self) -> bool {
        !std::mem::replace(&mut self.followed, true)
    }

    /// Counts a 500 before the first answer of the protocol. Gives whether it may be tried again.
    pub(super) fn allows_unproven(&mut self) -> bool {
        self.unproven += 1;
        self.unproven <= MAX_UNPROVEN
    }

    /// Notes a 400 to a send of `length` bytes. Gives whether it may be tried again. Something on
    /// the way may have cut the body, or found it too long; a shorter one that gets a 400 again
    /// says no more than that, but one of the same length does.
    pub(super) fn allows_bad_request(&mut self, length: u64) -> bool {
        let before = self.rejected.replace(length);
        before.is_none_or(|before| length < before)
    }

    /// Counts a failure. Gives the time to wait before the next attempt, or `None` when the budget
    /// is used up.
    ///
    /// `jitter` is a uniformly distributed number. The wait is uniform between zero and the
    /// exponential bound ("full jitter"), and never shorter than `retry_after`.
    pub(crate) fn spend(
        &mut self,
        now: Instant,
        retry_after: Option<Duration>,
        jitter: u64,
    ) -> Option<Duration> {
        if self.failures >= self.policy.limit {
            return None;
        }
        let doublings = self.failures.min(30);
        self.failures += 1;
        let doubled = self.policy.base.saturating_mul(1 << doublings);
        let bound = doubled.min(self.policy.cap);
        let share = jitter as f64 / u64::MAX as f64;
        let retry_after = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        let wait = bound.mul_f64(share).max(retry_after);
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

    fn next(budget: &mut Budget, random: u64) -> Option<Duration> {
        budget.spend(Instant::now(), None, random)
    }

    #[test]
    fn waits_double_up_to_the_cap_and_end_at_the_limit() {
        let mut budget = Budget::new(POLICY);
        let waits: Vec<_> =
            std::iter::from_fn(|| next(&mut budget, u64::MAX).map(|d| d.as_millis())).collect();
        assert_eq!(waits, [100, 200, 350, 350]);
    }

    #[test]
    fn jitter_spreads_from_zero_to_the_bound() {
        let mut budget = Budget::new(POLICY);
        assert_eq!(next(&mut budget, 0), Some(Duration::ZERO));
        let half = next(&mut budget, u64::MAX / 2).unwrap();
        assert!((99..=101).contains(&half.as_millis()), "{half:?}");
    }

    fn progress(gained: u64, wasted: u64) -> Gain {
        Gain {
            gained,
            wasted,
            ..Gain::default()
        }
    }

    #[test]
    fn progress_renews_the_budget_if_it_was_worth_the_bytes() {
        for (gained, wasted, renewed) in [
            (1, 0, true),
            (1, 16, true),
            (1, 17, false),
            (0, 0, false),
            (u64::MAX, u64::MAX, true),
        ] {
            let mut budget = Budget::new(POLICY);
            while next(&mut budget, 1).is_some() {}
            budget.settle(progress(gained, wasted));
            let left = next(&mut budget, 1).is_some();
            assert_eq!(left, renewed, "{gained} {wasted}");
        }
    }

    #[test]
    fn good_progress_counts_whatever_was_wasted_before() {
        let mut budget = Budget::new(POLICY);
        while next(&mut budget, 1).is_some() {}
        budget.settle(progress(0, 50_000_000_000));
        assert_eq!(next(&mut budget, 1), None);
        budget.settle(progress(4_000_000, 0));
        assert!(next(&mut budget, 1).is_some());
    }

    #[test]
    fn a_400_is_tried_again_with_fewer_bytes_and_with_as_many_once() {
        let mut budget = Budget::new(POLICY);
        let allowed = [100, 50, 50].map(|length| budget.allows_bad_request(length));
        assert_eq!(allowed, [true, true, false]);
    }

    #[test]
    fn retry_after_is_a_floor_and_bounded() {
        let mut budget = Budget::new(POLICY);
        let asked = Duration::from_secs(7);
        let now = Instant::now();
        assert_eq!(budget.spend(now, Some(asked), 1), Some(asked));
        let week = Duration::from_secs(7 * 86400);
        assert_eq!(budget.spend(now, Some(week), 1), Some(MAX_RETRY_AFTER));
    }

    #[test]
    fn the_time_limit_counts_from_the_first_failure_without_progress() {
        let mut budget = Budget::new(RetryPolicy {
            limit: u32::MAX,
            time: Some(Duration::from_secs(10)),
            ..POLICY
        });
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(budget.spend(at(0), None, u64::MAX).is_some());
        assert!(budget.spend(at(9), None, u64::MAX).is_some());
        assert_eq!(budget.spend(at(10), None, u64::MAX), None);
        let long = Some(Duration::from_secs(11));
        budget.settle(progress(1, 0));
        assert_eq!(
            budget.spend(at(20), long, 0),
            None,
            "it would wait too long"
        );
        budget.settle(progress(1, 0));
        assert!(budget.spend(at(60), None, u64::MAX).is_some());
    }

    #[test]
    fn a_limit_of_zero_never_waits() {
        let policy = RetryPolicy { limit: 0, ..POLICY };
        assert_eq!(next(&mut Budget::new(policy), 1), None);
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let policy = RetryPolicy {
            limit: u32::MAX,
            base: Duration::MAX,
            cap: Duration::from_secs(1),
            time: None,
        };
        let mut budget = Budget::new(policy);
        for _ in 0..100 {
            assert!(next(&mut budget, u64::MAX).unwrap() <= policy.cap);
        }
    }
}
