//! The decisions about a complete file that is read back from the server.

use super::gain::Gain;
use super::phase::{Claim, Phase, ReplyTo};
use super::step::{FoundBack, Step};
use super::transfer::Transfer;
use crate::error::Error;

impl Transfer {
    pub(super) fn read_back(&mut self, claim: Claim) -> Step {
        let location = claim.location.clone();
        self.phase = Phase::ReadingBack(claim);
        Step::ReadBack { location }
    }

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
        Ok(match found {
            FoundBack::Equal => self.conclude(claim),
            _ if self.evidence.plausible() > 0 => {
                return Err(Error::DigestMismatch {
                    why: "the finished file was read back, and its digest is another one"
                        .to_owned(),
                })
            }
            FoundBack::Other(digest) => {
                claim.digest = Some(digest);
                self.follow(claim, false)
            }
            FoundBack::Dropped => self.locate(),
        })
    }
}
