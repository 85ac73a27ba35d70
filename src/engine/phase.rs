//! The phases of a run, and what a phase has to remember.

use std::time::Instant;

use resup_digests::Digest;

use super::step::{Event, PartId};
use crate::protocol::Answer;

/// A server's claim, and the request that it replies to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claim {
    pub offset: u64,
    pub complete: bool,
    /// The digest of the server's bytes, where it is comparable.
    pub digest: Option<Digest>,
    pub location: Option<String>,
    pub reply_to: ReplyTo,
}

/// The request that a claim replies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplyTo {
    /// A locate, or a send that was damaged: any offset may follow.
    Any,
    /// A send, accepted or not, to a server whose offset was `from`: it has to be higher now.
    Send { accepted: bool, from: u64 },
}

/// A send in progress.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sending {
    pub part: PartId,
    pub offset: u64,
    pub length: u64,
    pub since: Instant,
}

/// The phase of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Beginning,
    Announcing,
    Locating,
    Comparing(Claim),
    Settling {
        offset: u64,
        ours: bool,
        reply_to: ReplyTo,
    },
    Sending(Sending),
    Rechecking(Answer),
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
            Phase::Comparing(_) => "comparing",
            Phase::Settling { .. } => "settling",
            Phase::Sending(_) => "sending",
            Phase::Rechecking(_) => "rechecking",
            Phase::Concluding => "concluding",
            Phase::Recovering => "recovering",
            Phase::Finished => "finished",
        }
    }
}
