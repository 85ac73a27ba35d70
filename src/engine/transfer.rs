//! The state machine of an upload.

use std::time::Instant;

use super::budget::Budget;
use super::evidence::Evidence;
use super::faults::sent_by_another;
use super::parts::{Parts, Ranges};
use super::phase::{Claim, Phase, ReplyTo, Sending};
use super::segments::Segments;
use super::step::{Event, Plan, Step};
use crate::control::stop::Stop;
use crate::error::Error;
use crate::options::SIZE_UNKNOWN;
use crate::protocol::{Answer, State};

/// The state machine of one run.
#[derive(Debug)]
pub(crate) struct Transfer {
    /// Bytes in the whole source; [`SIZE_UNKNOWN`] until it is known.
    pub(super) size: u64,
    /// Whether digests are computed, and the protocol has them.
    pub(super) compares: bool,
    /// Whether the digest of the whole source is still to be made.
    pub(super) announcement_due: bool,
    pub(super) locates: bool,
    pub(super) phase: Phase,
    pub(super) evidence: Evidence,
    pub(super) budget: Budget,
    pub(super) segments: Segments,
    /// The number of bytes in the last send, if it may have brought nothing because of that.
    pub(super) doubtful: Option<u64>,
    /// The number of sends so far.
    pub(super) sends: u64,
    pub(super) parts: Parts,
    /// Whether the file goes to the server without a locate.
    pub(super) store_due: bool,
    /// The part that failed last, with no other one under way.
    pub(super) lost: Option<Sending>,
    /// Whether a complete file is read back, where no digest of the server's proves it.
    pub(super) reads_back: bool,
    /// The most bytes that were read back so far.
    pub(super) best_read: u64,
    /// Whether an upload was dropped, since other bytes were read back.
    pub(super) has_dropped: bool,
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
            segments: Segments::new(plan.segment_size, plan.chunks, plan.learned_limit),
            doubtful: None,
            sends: 0,
            parts: Parts::new(plan.size, plan.connections),
            store_due: plan.stores,
            lost: None,
            reads_back: plan.reads_back,
            best_read: 0,
            has_dropped: false,
        };
        (transfer, Step::Begin)
    }

    /// Takes the result of the last step, and gives the next step. `jitter` is a uniformly
    /// distributed number.
    pub(crate) fn handle(&mut self, event: Event, now: Instant, jitter: u64) -> Step {
        let phase = std::mem::replace(&mut self.phase, Phase::Finished);
        let broken = phase.broken_send(&event);
        match self.advance(phase, event, now) {
            Ok(step) => step,
            Err(Stop::Interrupted) => {
                self.budget.note_pause();
                self.begin()
            }
            Err(Stop::Failed(error)) => {
                let broken = broken.or(self.lost.take());
                self.failed(error, broken, now, jitter)
            }
        }
    }

    /// Goes from a phase to the next one.
    fn advance(&mut self, phase: Phase, event: Event, now: Instant) -> Result<Step, Stop> {
        Ok(match (phase, event) {
            (Phase::Parallel(parallel), Event::Stopped(stop)) => {
                self.stop_parts(parallel, stop, now)?
            }
            (_, Event::Stopped(stop)) => return Err(stop),
            (Phase::Beginning, Event::Begun) => self.begun(),
            (Phase::Announcing, Event::Digested) => {
                self.announcement_due = false;
                self.locate()
            }
            (Phase::Locating, Event::Located(answer)) => self.judge(&answer, ReplyTo::Any)?,
            // Only with its digest does the server find the same version of the file.
            (Phase::Locating, Event::DigestMissing) => self.announce(),
            (Phase::Locating, Event::Connected) => self.connected(),
            (Phase::Storing, Event::Stored(answer)) => self.stored(answer)?,
            (Phase::Comparing(claim), Event::Compared { equal }) => {
                self.decide(claim, Some(equal))?
            }
            (Phase::ComparingRange(claim, range), Event::Compared { equal }) => {
                self.compared_range(claim, range, equal)
            }
            (
                Phase::Settling {
                    offset,
                    ours,
                    reply_to,
                },
                Event::Settled,
            ) => self.settled(offset, ours, reply_to, now)?,
            (Phase::Filling { offset }, Event::Filled { length, size }) => {
                self.filled(offset, length, size, now)
            }
            (Phase::Sending(send), Event::Sent { part, read, result }) if part == send.part => {
                self.evidence.sent(send.offset, read);
                self.parts.sent(send.offset, read);
                self.sent(send, result?, now)?
            }
            (Phase::Parallel(parallel), Event::Sent { part, read, result }) => {
                self.part_sent(parallel, (part, read), result, now)?
            }
            (Phase::Parallel(parallel), Event::Measured { sent, under_way }) => {
                self.parts.measure(now, sent, under_way);
                self.send_parts(parallel, now)
            }
            (Phase::Parallel(parallel), Event::Compared { equal }) => {
                self.compared_doubtful(parallel, equal, now)?
            }
            (Phase::Rechecking(answer, is_part), Event::Rechecked) => {
                self.rechecked(answer, is_part)?
            }
            (Phase::ReadingBack(claim), Event::ReadBack { read, at, result }) => {
                self.note_read(read, at);
                self.found_back(claim, result?)?
            }
            (Phase::Concluding, Event::Concluded) => Step::Finish(Ok(())),
            (Phase::Recovering, Event::Recovered) => self.begin(),
            (phase, event) => {
                let (event, phase) = (event.name(), phase.name());
                let why = format!("the engine got \"{event}\" while {phase}");
                return Err(Error::Internal { why }.into());
            }
        })
    }

    fn begin(&mut self) -> Step {
        self.phase = Phase::Beginning;
        Step::Begin
    }

    fn begun(&mut self) -> Step {
        if std::mem::take(&mut self.store_due) {
            self.phase = Phase::Storing;
            return Step::Store;
        }
        match self.announcement_due {
            true => self.announce(),
            false => self.locate(),
        }
    }

    fn announce(&mut self) -> Step {
        self.announcement_due = true;
        self.phase = Phase::Announcing;
        Step::DigestWhole
    }

    pub(super) fn locate(&mut self) -> Step {
        self.phase = Phase::Locating;
        match self.locates {
            true => Step::Locate {
                hash_ahead: self.compares && self.evidence.is_first(),
            },
            false => Step::Connect,
        }
    }

    /// Takes an answer: has the digests compared, or decides without them.
    pub(super) fn judge(&mut self, answer: &Answer, reply_to: ReplyTo) -> Result<Step, Error> {
        self.segments
            .announce(answer.max_segment, answer.min_segment);
        self.segments.set_grain(answer.grain);
        self.compares &= answer.agreed.is_some();
        self.parts.offer(answer.parts.unwrap_or_default());
        if let Some(sections) = &answer.sections {
            return self.hold_sections(answer, sections, reply_to);
        }
        self.leave_sections(answer);
        let mut claim = Claim {
            offset: answer.offset,
            complete: answer.state == State::Complete,
            digest: answer.prefix.filter(|_| self.compares),
            conflict: None,
            location: answer.location.clone(),
            is_own: answer.is_own,
            ranges: answer.ranges.iter().copied().collect(),
            reply_to,
        };
        let Some(digest) = claim.digest else {
            let Some(tail) = answer.tail.clone() else {
                return self.decide(claim, None);
            };
            claim.digest = Some(tail.bytes.digest);
            claim.conflict = tail.conflict;
            self.phase = Phase::Comparing(claim);
            return Ok(Step::CompareRange(tail.bytes));
        };
        let length = claim.offset;
        self.phase = Phase::Comparing(claim);
        Ok(Step::Compare { length, digest })
    }

    /// Decides on a claim; `equal` is the result of comparing the digests, where they were
    /// compared.
    pub(super) fn decide(&mut self, mut claim: Claim, equal: Option<bool>) -> Result<Step, Error> {
        if let (Some(conflict), Some(false)) = (claim.conflict.take(), equal) {
            return Err(conflict);
        }
        if claim.complete && self.is_complete(&claim, equal)? {
            // The request that brought the last byte had the digest, which the server has compared.
            let has_digest = matches!(
                claim.reply_to,
                ReplyTo::Store | ReplyTo::Send { accepted: true, .. }
            );
            let is_proved = self.compares && (equal == Some(true) || has_digest);
            return Ok(match self.reads_back && !is_proved {
                true => self.read_back(claim),
                false => self.conclude(claim),
            });
        }
        if equal.is_none() && self.evidence.is_implausible(claim.offset) {
            return Err(sent_by_another(claim.offset, self.evidence.plausible()));
        }
        let ours = self.evidence.is_ours(claim.offset, equal);
        Ok(self.follow(claim, ours))
    }

    /// Goes on with a claim of bytes that are the source's or not.
    pub(super) fn follow(&mut self, claim: Claim, ours: bool) -> Step {
        self.evidence.judge(ours, claim.digest);
        let foreign = (!ours).then_some(claim.offset);
        // Another file's bytes, or damaged ones: the upload starts again from 0.
        let offset = if ours { claim.offset } else { 0 };
        match ours {
            true => self.parts.hold(Ranges::up_to(offset)),
            false => self.parts.drop_all(offset),
        }
        // A send that is no part makes the server drop its ranges.
        if ours && self.compares && self.parts.are_possible() {
            return self.compare_ranges(claim);
        }
        self.settle(offset, ours, foreign, claim.reply_to)
    }

    /// Whether the file that the server calls complete is the source. If not, it is another file
    /// and has to be replaced.
    fn is_complete(&self, claim: &Claim, equal: Option<bool>) -> Result<bool, Error> {
        let is_first = self.evidence.is_first();
        let is_disproved = self.evidence.restart().is_some();
        let accepted = matches!(claim.reply_to, ReplyTo::Send { accepted: true, .. });
        match equal {
            _ if self.size == SIZE_UNKNOWN => Err(Error::bad_response(
                "it calls the upload complete, and the stream has not ended",
            )),
            Some(true) => Ok(true),
            Some(false) if is_first || is_disproved => Ok(false),
            Some(false) => Err(Error::DigestMismatch {
                why: "it calls the file complete, but with another digest".to_owned(),
            }),
            // Bytes that were disproved stay so until they are proved or replaced.
            None if is_disproved && !accepted => Ok(false),
            // Where a locate finds the file by its name, another program may have uploaded it.
            None if claim.reply_to.is_to_locate() && (is_first || !claim.is_own) => Ok(true),
            None if self.evidence.plausible() >= self.size => Ok(true),
            None => Err(sent_by_another(self.size, self.evidence.plausible())),
        }
    }

    pub(super) fn settle(
        &mut self,
        offset: u64,
        ours: bool,
        foreign: Option<u64>,
        reply_to: ReplyTo,
    ) -> Step {
        self.phase = Phase::Settling {
            offset,
            ours,
            reply_to,
        };
        Step::Settle {
            offset,
            held: self.parts.held().total(),
            foreign,
            is_first: self.evidence.is_first(),
        }
    }

    /// Goes on from the server's offset. If the last send was not worth it, the attempt fails.
    fn settled(
        &mut self,
        offset: u64,
        ours: bool,
        reply_to: ReplyTo,
        now: Instant,
    ) -> Result<Step, Error> {
        let held = self.parts.held().total();
        let gain = self.evidence.settle(offset, held, ours);
        self.budget.settle(gain);
        if let Some(length) = self.doubtful.take().filter(|_| !gain.is_worth) {
            self.segments.brought_nothing(length);
        }
        let why = match reply_to {
            ReplyTo::Send { from, .. } if from == self.size && !self.compares => {
                "it has all bytes and may want their digest, but none is computed".to_owned()
            }
            ReplyTo::Send { from, .. } if offset <= from => {
                format!("it says offset {offset} after it got bytes from {from} on")
            }
            ReplyTo::Send {
                accepted: true,
                from,
            } if !gain.is_worth => {
                let kept = offset - from;
                format!("it kept only {kept} of the bytes that it got from {from} on")
            }
            ReplyTo::Send {
                accepted: false, ..
            } if !self.budget.allows_other_offset() => {
                format!("it says another offset each time, now {offset}")
            }
            _ => return Ok(self.go_on(offset, now)),
        };
        Err(Error::bad_response(why))
    }

    pub(super) fn recheck(&mut self, answer: Answer, is_part: bool) -> Step {
        self.phase = Phase::Rechecking(answer, is_part);
        Step::Recheck
    }

    /// Sends the damaged bytes once more.
    fn rechecked(&mut self, answer: Answer, is_part: bool) -> Result<Step, Error> {
        if !is_part {
            self.evidence.fell_back_to(answer.offset);
        }
        if !self.budget.allows_checksum_mismatch() {
            let no_details = || "the server gives no details".to_owned();
            return Err(Error::DigestMismatch {
                why: answer.message.unwrap_or_else(no_details),
            });
        }
        // Another program may have completed the file, which an answer to a send may not say. The
        // answer to a part may be older than those to others.
        if is_part || answer.offset == self.size && self.locates {
            return Ok(self.locate());
        }
        self.judge(&answer, ReplyTo::Any)
    }
}
