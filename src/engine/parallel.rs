//! The decisions about parts that are sent at a time.

use std::time::Instant;

use super::faults::{sent_by_another, unknown};
use super::phase::{Claim, Ending, Parallel, Phase, ReplyTo, Sending};
use super::step::{PartId, PartSend, Step};
use super::transfer::Transfer;
use crate::control::stop::Stop;
use crate::error::{Error, ErrorKind, RefusalKind};
use crate::protocol::{Answer, Outcome, Range, State};

impl Transfer {
    /// Has the ranges of a claim compared that are behind its offset, then goes on from there.
    pub(super) fn compare_ranges(&mut self, mut claim: Claim) -> Step {
        while let Some(range) = claim.ranges.pop_front() {
            if self.parts.is_proven(&range) {
                // After each failure the server shows it once more.
                self.parts.hold_range(range.from, range.to);
                continue;
            }
            // One that begins at the offset would be a part of the server's beginning, but for a section.
            if range.from > claim.offset || self.parts.has_sections() {
                self.phase = Phase::ComparingRange(claim, range);
                return Step::CompareRange(range);
            }
        }
        let offset = match self.parts.has_sections() {
            true => self.parts.held().prefix(),
            false => claim.offset,
        };
        self.settle(offset, true, None, claim.reply_to)
    }

    pub(super) fn compared_range(&mut self, claim: Claim, range: Range, equal: bool) -> Step {
        if !equal && self.parts.has_sections() {
            // It is sent again.
            return self.compare_ranges(claim);
        }
        if !equal {
            // Before the server's offset gets there, a send without parts makes it drop them all.
            self.parts.disprove(claim.offset);
            return self.settle(claim.offset, true, None, claim.reply_to);
        }
        if self.parts.has_sections() {
            self.parts.prove(range);
        }
        self.parts.hold_range(range.from, range.to);
        self.evidence.sent_before(range.to);
        self.compare_ranges(claim)
    }

    /// Goes on from the server's offset: with parts, or with one send.
    pub(super) fn go_on(&mut self, offset: u64, now: Instant) -> Step {
        let restarts = self.parts.is_disproved() || self.evidence.restart().is_some();
        let most = match self.parts.begin(now) {
            Ok(()) if self.parts.go_at_a_time() => return self.send_parts(Box::default(), now),
            _ if !self.compares => u64::MAX,
            // A part does not make the server drop bytes.
            Ok(()) if restarts => self.parts.first_length(),
            Ok(()) => return self.send_parts(Box::default(), now),
            Err(most) => most,
        };
        self.send(offset, most, now)
    }

    /// Begins as many parts as there may be.
    pub(super) fn send_parts(&mut self, parallel: Box<Parallel>, now: Instant) -> Step {
        let mut sends = Vec::new();
        while parallel.ending.is_none() {
            let part = PartId(self.sends + 1);
            let limit = |length| self.segments.next(length);
            let Some(next) = self.parts.next(part, now, limit) else {
                break;
            };
            self.sends += 1;
            let (offset, length) = (next.offset, next.length);
            sends.push(PartSend {
                part,
                offset,
                length,
                asks: self.parts.doubt(offset),
            });
        }
        let abort = matches!(
            parallel.ending,
            Some(Ending::Interrupted | Ending::Failed(_, None))
        );
        self.phase = Phase::Parallel(parallel);
        Step::SendParts { sends, abort }
    }

    /// Takes the result of a part, which was read up to an offset.
    pub(super) fn part_sent(
        &mut self,
        mut parallel: Box<Parallel>,
        (part, read): (PartId, u64),
        result: Result<Outcome, Stop>,
        now: Instant,
    ) -> Result<Step, Stop> {
        let Some(send) = self.parts.end(part) else {
            let why = "the engine got the end of a part that was not under way".to_owned();
            return Err(Error::Internal { why }.into());
        };
        self.evidence.sent(send.offset, read);
        self.parts.sent(send.offset, read);
        let ending = match self.outcome(&mut parallel, send, result, now) {
            Ok(ending) => ending,
            Err(error) => self.lose(error, send, read, now),
        };
        parallel.end(ending);
        self.go_on_with_parts(parallel, now)
    }

    /// Ends the parts: comparing a range meanwhile was not possible.
    pub(super) fn stop_parts(
        &mut self,
        mut parallel: Box<Parallel>,
        stop: Stop,
        now: Instant,
    ) -> Result<Step, Stop> {
        parallel.comparing = None;
        parallel.end(Some(match stop {
            Stop::Interrupted => Ending::Interrupted,
            Stop::Failed(error) => Ending::Failed(error, None),
        }));
        self.go_on_with_parts(parallel, now)
    }

    /// Takes the result of comparing a range that may have come with a part that failed.
    pub(super) fn compared_doubtful(
        &mut self,
        mut parallel: Box<Parallel>,
        equal: bool,
        now: Instant,
    ) -> Result<Step, Stop> {
        if let Some(range) = parallel.comparing.take().filter(|_| equal) {
            self.parts.hold_range(range.from, range.to);
        }
        self.go_on_with_parts(parallel, now)
    }

    /// Goes on after a part has ended.
    fn go_on_with_parts(
        &mut self,
        mut parallel: Box<Parallel>,
        now: Instant,
    ) -> Result<Step, Stop> {
        if parallel.ending.is_none() {
            parallel.comparing = self.parts.next_doubtful();
        }
        if let Some(range) = parallel.comparing {
            self.phase = Phase::Parallel(parallel);
            return Ok(Step::CompareRange(range));
        }
        if !self.parts.is_idle() {
            return Ok(self.send_parts(parallel, now));
        }
        match parallel.ending.take() {
            Some(ending) => self.end_parts(ending),
            None if self.parts.is_done() => Ok(self.conclude_parts(parallel.best)?),
            // One send would make the server drop what it may hold behind a gap.
            None if self.parts.is_unknown() => Ok(self.locate()),
            None if self.parts.is_over(now) => Ok(self.conclude_parts(parallel.best)?),
            None => Ok(self.send_parts(parallel, now)),
        }
    }

    /// Takes the outcome of a part. Gives the reason why no more parts begin, if there is one, or the
    /// error of this one.
    fn outcome(
        &mut self,
        parallel: &mut Parallel,
        send: Sending,
        result: Result<Outcome, Stop>,
        now: Instant,
    ) -> Result<Option<Ending>, Error> {
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(Stop::Interrupted) => return Ok(Some(Ending::Interrupted)),
            Err(Stop::Failed(error)) if is_ours(&error) => {
                return Ok(Some(Ending::Failed(error, None)))
            }
            Err(Stop::Failed(error)) => return Err(error),
        };
        if let Outcome::Accepted(answer) | Outcome::OffsetMismatch(answer) = &outcome {
            self.note_limits(answer);
        }
        Ok(match outcome {
            Outcome::Accepted(answer) if answer.state == State::Complete => {
                Some(Ending::Complete(answer))
            }
            Outcome::Accepted(answer) => {
                self.accept(&answer, send, now)?;
                let best = parallel.best.as_ref().map(|best| best.offset);
                if best.is_none_or(|best| answer.offset >= best) {
                    parallel.best = Some(answer);
                }
                None
            }
            // The offset was right, so the server means the digest.
            Outcome::OffsetMismatch(answer) if self.compares && answer.offset == send.offset => {
                Some(Ending::Damaged(answer))
            }
            // What came with a part that failed may have moved it.
            Outcome::OffsetMismatch(answer) if self.parts.note(&answer, send.part) => None,
            Outcome::OffsetMismatch(_) => Some(Ending::OtherOffset),
            Outcome::ChecksumMismatch(answer) => Some(Ending::Damaged(answer)),
            Outcome::UnknownUpload(refusal) => Some(Ending::Failed(unknown(&refusal), Some(send))),
        })
    }

    /// Notes the limits in an answer to a part.
    fn note_limits(&mut self, answer: &Answer) {
        self.segments
            .announce(answer.max_segment, answer.min_segment);
        if let Some(parts) = answer.parts {
            self.parts.offer(parts);
        }
    }

    /// Notes that the server has accepted a part, if its answer shows the part.
    fn accept(&mut self, answer: &Answer, send: Sending, now: Instant) -> Result<(), Error> {
        let end = send.offset + send.length;
        if !answer.shows(send.offset, end) {
            return Err(Error::bad_response(format!(
                "it does not show the bytes from {} up to {end}, which it has accepted",
                send.offset
            )));
        }
        let time = now.saturating_duration_since(send.since);
        self.segments.accepted(send.length, time);
        self.parts.accept(send, now);
        self.parts.note(answer, send.part);
        let gain = self.evidence.hold(self.parts.held().total());
        self.budget.settle(gain);
        Ok(())
    }

    /// Decides on a part that failed: others go on without it.
    fn lose(&mut self, error: Error, send: Sending, read: u64, now: Instant) -> Option<Ending> {
        if !self.parts.lose(send, read, PartId(self.sends), now) {
            if error.kind() == ErrorKind::System && !self.parts.has_sections() {
                // One send needs neither a further thread nor a further reader.
                self.parts.give_up();
                return None;
            }
            return Some(Ending::Failed(error, Some(send)));
        }
        if error.kind() == ErrorKind::Refused(RefusalKind::TooLarge) {
            self.segments.too_large(send.length);
        }
        None
    }

    /// Goes on after the last part that was under way, where the server does not have the whole file.
    fn end_parts(&mut self, ending: Ending) -> Result<Step, Stop> {
        match ending {
            Ending::Interrupted => Err(Stop::Interrupted),
            Ending::Failed(error, send) => {
                self.lost = send;
                Err(error.into())
            }
            Ending::Damaged(answer) => Ok(self.recheck(answer, true)),
            Ending::OtherOffset if self.budget.allows_other_offset() => Ok(self.locate()),
            Ending::OtherOffset => {
                let why = "it says another offset each time that it gets a part";
                Err(Error::bad_response(why).into())
            }
            // No part completes the file: that was another program, and only a digest proves its bytes.
            Ending::Complete(answer) if answer.prefix.is_none() => {
                let sent = self.parts.held().total();
                Err(sent_by_another(self.size, sent).into())
            }
            Ending::Complete(answer) => {
                let from = self.evidence.confirmed().unwrap_or_default();
                let reply_to = ReplyTo::Send {
                    accepted: true,
                    from,
                };
                Ok(self.judge(&answer, reply_to)?)
            }
        }
    }

    /// Goes on in order, where the server has no gap any more.
    fn conclude_parts(&mut self, best: Option<Answer>) -> Result<Step, Error> {
        let prefix = self.parts.held().prefix();
        if self.parts.has_sections() {
            return Ok(self.settle(prefix, true, None, ReplyTo::Any));
        }
        match best.filter(|answer| answer.offset == prefix) {
            Some(mut answer) => {
                // What the last answers did not say stays as it was.
                answer.parts = answer.parts.or(Some(self.parts.offered()));
                answer.ranges.clear();
                self.judge(&answer, ReplyTo::Any)
            }
            // An older answer may be the last one to come.
            None if self.budget.allows_other_offset() => Ok(self.locate()),
            None => {
                let why =
                    format!("it does not say offset {prefix} after it has accepted all parts");
                Err(Error::bad_response(why))
            }
        }
    }
}

/// Whether an error has nothing to do with the server and the way to it.
fn is_ours(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::SourceNotFound
            | ErrorKind::SourceDenied
            | ErrorKind::SourceNotAFile
            | ErrorKind::SourceIo
            | ErrorKind::SourceChanged
            | ErrorKind::Internal
    )
}

impl Parallel {
    /// Lets no more parts begin. The first reason counts, but for a command of the program.
    fn end(&mut self, ending: Option<Ending>) {
        match ending {
            Some(Ending::Interrupted) => self.ending = ending,
            ending => self.ending = self.ending.take().or(ending),
        }
    }
}
