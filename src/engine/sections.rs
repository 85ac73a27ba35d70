//! The decisions about a file in sections, each of which goes to an upload of its own.

use super::parts::Ranges;
use super::phase::{Claim, ReplyTo};
use super::step::Step;
use super::transfer::Transfer;
use crate::error::Error;
use crate::protocol::{Answer, Sections, State};

impl Transfer {
    /// Goes on from what the server holds of each section. Nobody else knows their keys, so after the first answer it
    /// can only be what was held before, or sent since. What is to be proved first is in the ranges.
    pub(super) fn hold_sections(
        &mut self,
        answer: &Answer,
        sections: &Sections,
        reply_to: ReplyTo,
    ) -> Result<Step, Error> {
        let mut held = Ranges::up_to(answer.offset);
        for (from, to) in &sections.held {
            held.insert(*from, *to);
        }
        let foreign = self.parts.find_foreign(&held);
        if let Some((from, to)) = foreign.filter(|_| !self.evidence.is_first()) {
            let why =
                format!("the server has its bytes from {from} to {to}, which were not sent here");
            return Err(Error::SentByAnother { why });
        }
        self.parts.divide(sections.length, sections.is_whole);
        self.parts.hold(held);
        Ok(self.compare_ranges(Claim {
            offset: answer.offset,
            complete: false,
            digest: None,
            conflict: None,
            location: None,
            is_own: answer.is_own,
            ranges: answer.ranges.iter().copied().collect(),
            reply_to,
        }))
    }

    /// Goes on with one upload for the whole file, if that is what the server says now.
    pub(super) fn leave_sections(&mut self, answer: &Answer) {
        if answer.state != State::Complete && self.parts.has_sections() {
            self.parts.leave_sections();
            self.evidence.fell_back_to(answer.offset);
        }
    }
}
