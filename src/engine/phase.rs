//! The phases of a run, and what a phase has to remember.

use std::collections::VecDeque;
use std::time::Instant;

use resup_digests::Digest;

use super::step::{Event, PartId};
use crate::error::Error;
use crate::protocol::{Answer, Range};

/// A server's claim, and the request that it replies to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claim {
    pub offset: u64,
    pub complete: bool,
    /// The digest of the server's bytes, or of the last of them, where it is comparable.
    pub digest: Option<Digest>,
    /// The reason why the run ends if the server's bytes are not the source's.
    pub conflict: Option<Error>,
    pub location: Option<String>,
    /// Whether only this run can have added bytes since its first answer.
    pub is_own: bool,
    /// The ranges of the server that are still to be compared.
    pub ranges: VecDeque<Range>,
    pub reply_to: ReplyTo,
}

/// The request that a claim replies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplyTo {
    /// A locate, a send that was damaged, or parts: any offset may follow.
    Any,
    /// A store, which is a locate, too.
    Store,
    /// A send, accepted or not, to a server whose offset was `from`: it has to be higher now.
    Send { accepted: bool, from: u64 },
}

impl ReplyTo {
    /// Whether the request asked for the file, and for no bytes of it.
    pub(super) fn is_to_locate(self) -> bool {
        matches!(self, ReplyTo::Any | ReplyTo::Store)
    }
}

/// A send in progress.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sending {
    pub part: PartId,
    pub offset: u64,
    pub length: u64,
    pub since: Instant,
}

/// Parts that are sent at a time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Parallel {
    /// The answer with the highest offset.
    pub best: Option<Answer>,
    /// The range that is compared meanwhile.
    pub comparing: Option<Range>,
    /// The reason why no more parts begin. Those under way come to their end.
    pub ending: Option<Ending>,
}

/// The reason why parts end before the server has the whole file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending {
    /// A command of the program.
    Interrupted,
    /// A failure; that of the last part, if it is the server's.
    Failed(Error, Option<Sending>),
    /// The server got other bytes than were sent.
    Damaged(Answer),
    /// The server says another offset.
    OtherOffset,
    /// Another program has completed the file.
    Complete(Answer),
}

/// The phase of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Beginning,
    Announcing,
    Locating,
    Storing,
    Comparing(Claim),
    ComparingRange(Claim, Range),
    Settling {
        offset: u64,
        ours: bool,
        reply_to: ReplyTo,
    },
    /// The bytes from this offset on are read: the source's size is unknown.
    Filling {
        offset: u64,
    },
    Sending(Sending),
    Parallel(Box<Parallel>),
    /// The answer to a send of bytes that were damaged on the way, and whether that was a part.
    Rechecking(Answer, bool),
    ReadingBack(Claim),
    Concluding,
    Recovering,
    Finished,
}

impl Phase {
    /// Gives the send that ends with this event without an outcome.
    pub(super) fn broken_send(&self, event: &Event) -> Option<Sending> {
        match (self, event) {
            (Phase::Sending(send), Event::Sent { result: Err(_), .. }) => Some(*send),
            _ => None,
        }
    }

    /// Names the phase in the message of a defect.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Phase::Beginning => "beginning",
            Phase::Announcing => "announcing",
            Phase::Locating => "locating",
            Phase::Storing => "storing",
            Phase::Comparing(_) => "comparing",
            Phase::ComparingRange(..) => "comparing a range",
            Phase::Settling { .. } => "settling",
            Phase::Filling { .. } => "filling",
            Phase::Sending(_) => "sending",
            Phase::Parallel(_) => "sending parts",
            Phase::Rechecking(..) => "rechecking",
            Phase::ReadingBack(_) => "reading back",
            Phase::Concluding => "concluding",
            Phase::Recovering => "recovering",
            Phase::Finished => "finished",
        }
    }
}
