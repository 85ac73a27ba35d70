//! The decisions about a complete file that is read back from the server.

use std::mem;

use super::gain::Gain;
use super::phase::{Claim, Phase, ReplyTo};
use super::step::{FoundBack, Step};
use super::transfer::Transfer;
use crate::error::Error;

impl Transfer {
    /// Has the finished file read back.
    pub(super) fn read_back(&mut self, claim: Claim) -> Step {
        let location = claim.location.clone();
        self.phase = Phase::ReadingBack(claim);
        Step::ReadBack { location }
    }

    /// Ends with the file that the server has.
    pub(super) fn conclude(&mut self, claim: Claim) -> Step {
        self.phase = Phase::Concluding;
        Step::Conclude {
            location: claim.location,
            is_first: self.evidence.is_first() && claim.reply_to != ReplyTo::Store,
        }
    }

    /// Notes that so many bytes were read, up to an offset. Only what was not read before is progress.
    pub(super) fn note_read(&mut self, read: u64, at: u64) {
        let gained = at.saturating_sub(self.best_read).min(read);
        self.best_read = self.best_read.max(at);
        self.budget.settle(Gain {
            gained,
            wasted: read - gained,
            ..Gain::default()
        });
    }

    /// Decides on a file that was read back. One that was there before this run has sent a byte is
    /// replaced; one that this run has sent ends it.
    pub(super) fn found_back(&mut self, mut claim: Claim, found: FoundBack) -> Result<Step, Error> {
        self.best_read = 0;
        let was_there = self.evidence.plausible() == 0;
        Ok(match found {
            FoundBack::Equal => self.conclude(claim),
            FoundBack::Other(digest) if was_there => {
                claim.digest = Some(digest);
                self.follow(claim, false)
            }
            // A server that calls the new upload complete, too, would have no end of them.
            FoundBack::Dropped if was_there && !mem::replace(&mut self.has_dropped, true) => {
                self.locate()
            }
            FoundBack::Other(_) | FoundBack::Dropped => {
                return Err(Error::DigestMismatch {
                    why: "the finished file was read back, and its bytes are others".to_owned(),
                })
            }
        })
    }
}
