//! The decisions about one send.

use std::time::Instant;

use super::faults::unknown;
use super::phase::{Phase, ReplyTo, Sending};
use super::step::{PartId, Step};
use super::transfer::Transfer;
use crate::error::Error;
use crate::options::SIZE_UNKNOWN;
use crate::protocol::{Answer, Outcome, State};

impl Transfer {
    /// Gives the next send its number.
    fn number(&mut self) -> PartId {
        self.sends += 1;
        PartId(self.sends)
    }

    /// Sends at most `most` bytes from the server's offset on. Where the source's size is unknown, they
    /// are read first: only then it is known how many there are, and whether they are the last ones.
    pub(super) fn send(&mut self, offset: u64, most: u64, now: Instant) -> Step {
        let most = self.segments.next((self.size - offset).min(most));
        if self.size == SIZE_UNKNOWN {
            self.phase = Phase::Filling { offset };
            return Step::Fill { offset, most };
        }
        self.send_now(offset, most, now)
    }

    /// Sends the bytes that were read; `size` is that of the source, if they reach its end.
    pub(super) fn filled(
        &mut self,
        offset: u64,
        length: u64,
        size: Option<u64>,
        now: Instant,
    ) -> Step {
        self.size = size.unwrap_or(self.size);
        self.send_now(offset, length, now)
    }

    fn send_now(&mut self, offset: u64, length: u64, now: Instant) -> Step {
        let part = self.number();
        self.phase = Phase::Sending(Sending {
            part,
            offset,
            length,
            since: now,
        });
        Step::Send {
            part,
            offset,
            length,
            restart: self.evidence.restart(),
        }
    }

    pub(super) fn sent(
        &mut self,
        send: Sending,
        outcome: Outcome,
        now: Instant,
    ) -> Result<Step, Error> {
        let from = self.evidence.confirmed().unwrap_or(send.offset);
        match outcome {
            Outcome::Accepted(answer) => {
                let time = now.saturating_duration_since(send.since);
                self.segments.accepted(send.length, time);
                self.doubtful = Some(send.length);
                let is_partial = answer.state != State::Complete;
                if is_partial && answer.offset == send.offset + send.length {
                    // If there was a restart, the server obeyed it: its bytes are of this send.
                    self.evidence.restarted();
                }
                let reply_to = ReplyTo::Send {
                    accepted: true,
                    from,
                };
                self.judge(&answer, reply_to)
            }
            // The offset was right, so the server means the digest.
            Outcome::OffsetMismatch(answer) if self.compares && answer.offset == send.offset => {
                let why = "it answers 409 to bytes at its own offset";
                let answer = Answer {
                    message: answer.message.or_else(|| Some(why.to_owned())),
                    ..answer
                };
                Ok(self.recheck(answer, false))
            }
            Outcome::OffsetMismatch(answer) => {
                let reply_to = ReplyTo::Send {
                    accepted: false,
                    from,
                };
                self.judge(&answer, reply_to)
            }
            Outcome::ChecksumMismatch(answer) => Ok(self.recheck(answer, false)),
            Outcome::UnknownUpload(refusal) => Err(unknown(&refusal)),
        }
    }
}
