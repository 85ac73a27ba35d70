//! The state machine of an upload.

use std::time::Instant;

use super::budget::Budget;
use super::evidence::Evidence;
use super::phase::{Claim, Phase, ReplyTo};
use super::segments::Segments;
use super::step::{Event, PartId, Plan, Remedy, Step};
use crate::control::stop::Stop;
use crate::error::{Error, ErrorKind, RefusalKind};
use crate::protocol::{Answer, Outcome, State};

/// The state machine of one run.
#[derive(Debug)]
pub(crate) struct Transfer {
    size: u64,
    /// Whether digests are computed, and the protocol has them.
    compares: bool,
    /// Whether the digest of the whole source is still to be made.
    announcement_due: bool,
    locates: bool,
    phase: Phase,
    evidence: Evidence,
    budget: Budget,
    segments: Segments,
    /// The number of sends so far.
    parts: u64,
}

impl Transfer {
    /// Begins a run; gives its first step.
    pub(crate) fn new(plan: Plan) -> (Self, Step) {
        let transfer = Transfer {
            size: plan.size,
            compares: plan.hashing && plan.abilities.proves_prefix,
            announcement_due: plan.digest_first,
            locates: plan.abilities.locates,
            phase: Phase::Beginning,
            evidence: Evidence::default(),
            budget: Budget::new(plan.retry),
            segments: Segments::new(plan.segment_size, plan.learned_limit),
            parts: 0,
        };
        (transfer, Step::Begin)
    }

    /// Takes the result of the last step, and gives the next step. `jitter` is a uniformly
    /// distributed number.
    pub(crate) fn handle(&mut self, event: Event, now: Instant, jitter: u64) -> Step {
        let phase = std::mem::replace(&mut self.phase, Phase::Finished);
        let result = match (phase, event) {
            (phase, Event::Stopped(stop)) => {
                self.phase = phase;
                return self.stopped(stop, now, jitter);
            }
            (Phase::Beginning, Event::Begun) => Ok(self.begun()),
            (Phase::Announcing, Event::Digested) => {
                self.announcement_due = false;
                Ok(self.locate())
            }
            (Phase::Locating, Event::Located(answer)) => self.judge(&answer, ReplyTo::Any),
            (Phase::Locating, Event::Connected) => Ok(self.settle(0, true, None, ReplyTo::Any)),
            (Phase::Comparing(claim), Event::Compared { equal }) => self.decide(claim, Some(equal)),
            (
                Phase::Settling {
                    offset,
                    ours,
                    reply_to,
                },
                Event::Settled,
            ) => self.settled(offset, ours, reply_to, now),
            (
                Phase::Sending {
                    part,
                    offset,
                    length,
                    since,
                },
                Event::Sent {
                    part: sent,
                    read,
                    result,
                },
            ) if sent == part => {
                self.evidence.sent_up_to(read);
                match result {
                    Ok(outcome) => self.sent(offset, length, outcome, since, now),
                    Err(stop) => {
                        self.phase = Phase::Sending {
                            part,
                            offset,
                            length,
                            since,
                        };
                        return self.stopped(stop, now, jitter);
                    }
                }
            }
            (Phase::Rechecking(answer), Event::Rechecked) => self.rechecked(answer),
            (Phase::Concluding, Event::Concluded) => Ok(Step::Finish(Ok(()))),
            (Phase::Recovering, Event::Recovered) => Ok(self.begin()),
            (phase, event) => Err(Error::Internal {
                why: format!("the engine got \"{}\" while {}", event.name(), phase.name()),
            }),
        };
        result.unwrap_or_else(|error| self.failed(error, now, jitter))
    }

    fn begin(&mut self) -> Step {
        self.phase = Phase::Beginning;
        Step::Begin
    }

    fn begun(&mut self) -> Step {
        if self.announcement_due {
            self.phase = Phase::Announcing;
            return Step::DigestWhole;
        }
        self.locate()
    }

    fn locate(&mut self) -> Step {
        self.phase = Phase::Locating;
        match self.locates {
            true => Step::Locate {
                hash_ahead: self.compares && self.evidence.is_first(),
            },
            false => Step::Connect,
        }
    }

    /// Takes an answer: has the digests compared, or decides without them.
    fn judge(&mut self, answer: &Answer, reply_to: ReplyTo) -> Result<Step, Error> {
        if let Some(limit) = answer.max_segment {
            self.segments.announce(limit);
        }
        let claim = Claim {
            offset: answer.offset,
            complete: answer.state == State::Complete,
            md5: answer.prefix_md5.filter(|_| self.compares),
            location: answer.location.clone(),
            reply_to,
        };
        let Some(md5) = claim.md5 else {
            return self.decide(claim, None);
        };
        let length = claim.offset;
        self.phase = Phase::Comparing(claim);
        Ok(Step::Compare { length, md5 })
    }

    /// Decides on a claim; `equal` is the result of comparing the digests, where they were
    /// compared.
    fn decide(&mut self, claim: Claim, equal: Option<bool>) -> Result<Step, Error> {
        if claim.complete && self.is_complete(&claim, equal)? {
            self.phase = Phase::Concluding;
            return Ok(Step::Conclude {
                location: claim.location,
                is_first: self.evidence.is_first(),
            });
        }
        if equal.is_none() && self.evidence.is_implausible(claim.offset) {
            let sent = self.evidence.plausible();
            return Err(Error::BadOffset {
                why: format!("{} bytes, but only {sent} were sent", claim.offset),
            });
        }
        let ours = self.evidence.is_ours(claim.offset, equal);
        self.evidence.judge(ours, claim.md5);
        let foreign = (!ours).then_some(claim.offset);
        // Another file's bytes, or damaged ones: the upload starts again from 0.
        let offset = if ours { claim.offset } else { 0 };
        Ok(self.settle(offset, ours, foreign, claim.reply_to))
    }

    /// Whether the file that the server calls complete is the source. If not, it is another file
    /// and has to be replaced.
    fn is_complete(&self, claim: &Claim, equal: Option<bool>) -> Result<bool, Error> {
        let is_first = self.evidence.is_first();
        let is_disproved = self.evidence.restart().is_some();
        let accepted = matches!(claim.reply_to, ReplyTo::Send { accepted: true, .. });
        match equal {
            Some(true) => Ok(true),
            Some(false) if is_first || is_disproved => Ok(false),
            Some(false) => Err(Error::DigestMismatch {
                why: "it calls the file complete, but with another digest".to_owned(),
            }),
            // Bytes that were disproved stay so until they are proved or replaced.
            None if is_disproved && !accepted => Ok(false),
            None if is_first || self.evidence.plausible() >= self.size => Ok(true),
            None => {
                let (sent, size) = (self.evidence.plausible(), self.size);
                Err(Error::BadOffset {
                    why: format!("complete, but only {sent} of {size} bytes were sent"),
                })
            }
        }
    }

    fn settle(&mut self, offset: u64, ours: bool, foreign: Option<u64>, reply_to: ReplyTo) -> Step {
        self.phase = Phase::Settling {
            offset,
            ours,
            reply_to,
        };
        Step::Settle {
            offset,
            foreign,
            is_first: self.evidence.is_first(),
        }
    }

    /// Goes on from the server's offset, if that is higher than the one before. If not, the attempt
    /// fails, so that the back-off and the limit of retries apply.
    fn settled(
        &mut self,
        offset: u64,
        ours: bool,
        reply_to: ReplyTo,
        now: Instant,
    ) -> Result<Step, Error> {
        if self.evidence.settle(offset, ours) {
            self.budget.renew();
        }
        match reply_to {
            ReplyTo::Send { from, .. } if offset <= from => Err(Error::bad_response(format!(
                "it says offset {offset} after it got bytes from {from} on"
            ))),
            _ => Ok(self.send(offset, now)),
        }
    }

    fn send(&mut self, offset: u64, now: Instant) -> Step {
        self.parts += 1;
        let part = PartId(self.parts);
        let length = self.segments.next(self.size - offset);
        self.phase = Phase::Sending {
            part,
            offset,
            length,
            since: now,
        };
        Step::Send {
            part,
            offset,
            length,
            restart: self.evidence.restart(),
        }
    }

    fn sent(
        &mut self,
        offset: u64,
        length: u64,
        outcome: Outcome,
        since: Instant,
        now: Instant,
    ) -> Result<Step, Error> {
        let from = self.evidence.confirmed().unwrap_or(offset);
        match outcome {
            Outcome::Accepted(answer) => {
                self.segments.accepted(now.saturating_duration_since(since));
                let complete = answer.state == State::Complete;
                if !complete && answer.offset == offset + length {
                    // If there was a restart, the server obeyed it: its bytes are of this send.
                    self.evidence.restarted();
                }
                let reply_to = ReplyTo::Send {
                    accepted: true,
                    from,
                };
                self.judge(&answer, reply_to)
            }
            Outcome::OffsetMismatch(answer) => {
                let reply_to = ReplyTo::Send {
                    accepted: false,
                    from,
                };
                self.judge(&answer, reply_to)
            }
            Outcome::ChecksumMismatch(answer) => {
                self.phase = Phase::Rechecking(answer);
                Ok(Step::Recheck)
            }
            Outcome::UnknownUpload(refusal) => Err(Error::bad_response(format!(
                "it no longer knows the upload that it confirmed before: {refusal}"
            ))),
        }
    }

    /// Sends the damaged bytes once more.
    fn rechecked(&mut self, answer: Answer) -> Result<Step, Error> {
        self.evidence.fell_back_to(answer.offset);
        if !self.budget.allows_checksum_mismatch() {
            let no_details = || "the server gives no details".to_owned();
            return Err(Error::DigestMismatch {
                why: answer.message.unwrap_or_else(no_details),
            });
        }
        self.judge(&answer, ReplyTo::Any)
    }

    fn stopped(&mut self, stop: Stop, now: Instant, jitter: u64) -> Step {
        match stop {
            Stop::Interrupted => {
                self.budget.note_pause();
                self.begin()
            }
            Stop::Failed(error) => self.failed(error, now, jitter),
        }
    }

    /// Decides whether there is a remedy for a failure, in the phase in which it happened.
    fn failed(&mut self, error: Error, now: Instant, jitter: u64) -> Step {
        // If the server answered before, a login page may answer in its place by now.
        let error = match self.evidence.is_first() {
            true => error,
            false => error.after_answers(),
        };
        let Some(remedy) = self.remedy(&error, now, jitter) else {
            self.phase = Phase::Finished;
            return Step::Finish(Err(error));
        };
        self.phase = Phase::Recovering;
        Step::Recover { error, remedy }
    }

    fn remedy(&mut self, error: &Error, now: Instant, jitter: u64) -> Option<Remedy> {
        match (error.kind(), &self.phase) {
            (ErrorKind::Refused(RefusalKind::TooLarge), Phase::Sending { length, .. })
                if self.segments.too_large(*length) =>
            {
                return Some(Remedy::SmallerSegments)
            }
            // A new login does not count as a retry.
            (ErrorKind::SessionExpired, _) if self.budget.allows_login() => {
                return Some(Remedy::NewLogin)
            }
            _ => {}
        }
        self.segments.failed();
        if !error.is_passing() {
            return None;
        }
        let retry_after = error.refusal().and_then(|refusal| refusal.retry_after);
        let wait = self.budget.spend(now, retry_after, jitter);
        wait.map(Remedy::Wait)
    }
}
