//! What helps against a failure.

use std::time::Instant;

use super::parts::Ranges;
use super::phase::{Phase, ReplyTo, Sending};
use super::step::{Remedy, Step};
use super::transfer::Transfer;
use crate::error::{Error, ErrorKind, RefusalKind};

impl Transfer {
    /// Goes on without a locate.
    pub(super) fn connected(&mut self) -> Step {
        let offset = self.segments.first(self.evidence.confirmed());
        self.parts.hold(Ranges::up_to(offset));
        self.settle(offset, true, None, ReplyTo::Any)
    }

    /// Whether the server has answered in this run. Where it is not asked, its first answer is one to a
    /// send.
    fn has_answered(&self) -> bool {
        match self.locates {
            true => !self.evidence.is_first(),
            false => self.evidence.confirmed() > Some(0),
        }
    }

    /// Decides whether there is a remedy for a failure. `broken` is the send that has failed.
    pub(super) fn failed(
        &mut self,
        error: Error,
        broken: Option<Sending>,
        now: Instant,
        jitter: u64,
    ) -> Step {
        // If the server answered before, something else may answer in its place for a while.
        let error = match self.has_answered() {
            true => error.after_answers(broken.is_some()),
            false => error,
        };
        let Some(remedy) = self.remedy(&error, broken, now, jitter) else {
            return Step::Finish(Err(error));
        };
        self.phase = Phase::Recovering;
        Step::Recover { error, remedy }
    }

    fn remedy(
        &mut self,
        error: &Error,
        broken: Option<Sending>,
        now: Instant,
        jitter: u64,
    ) -> Option<Remedy> {
        // Its kind is that of its cause.
        if let Error::MayBeStored { .. } = error {
            return None;
        }
        match (error.kind(), broken) {
            (ErrorKind::Refused(RefusalKind::TooLarge), Some(send))
                if self.segments.too_large(send.length) =>
            {
                return Some(Remedy::SmallerSegments)
            }
            // A new login does not count as a retry.
            (ErrorKind::SessionExpired, _) if self.budget.allows_login() => {
                return Some(Remedy::NewLogin)
            }
            _ => {}
        }
        if !self.passes(error, broken) {
            return None;
        }
        let has_bytes = |send: &Sending| send.length > 0;
        if let Some(send) = broken.filter(|it| has_bytes(it) && error.may_mean_too_large()) {
            self.doubtful = Some(send.length);
        }
        let retry_after = error.refusal().and_then(|refusal| refusal.retry_after);
        let wait = self.budget.spend(now, retry_after, jitter);
        wait.map(Remedy::Wait)
    }

    /// Whether a failure may pass.
    fn passes(&mut self, error: &Error, broken: Option<Sending>) -> bool {
        let status = error.refusal().map(|refusal| refusal.status);
        match (status, broken) {
            (Some(400), Some(send)) if !self.segments.are_fixed() => {
                self.budget.allows_bad_request(send.length)
            }
            (Some(500 | 505..), _) if error.is_passing() && !self.has_answered() => {
                self.budget.allows_unproven()
            }
            _ => error.is_passing(),
        }
    }
}
