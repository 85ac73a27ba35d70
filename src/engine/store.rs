//! The decision about a small file that went to the server without a locate.

use super::phase::ReplyTo;
use super::step::Step;
use super::transfer::Transfer;
use crate::error::Error;
use crate::protocol::Answer;

impl Transfer {
    /// Takes the answer to a store, if the server takes stores.
    pub(super) fn stored(&mut self, answer: Option<Answer>) -> Result<Step, Error> {
        // The digest of the whole file was made for the store.
        self.announcement_due = false;
        let Some(answer) = answer else {
            return Ok(self.locate());
        };
        self.evidence.sent(0, self.size);
        self.judge(&answer, ReplyTo::Store)
    }
}
