//! The steps that the engine gives, and the events that it takes.

use std::time::Duration;

use resup_digests::Digest;

use super::segments::LearnedLimit;
use crate::control::stop::Stop;
use crate::error::Error;
use crate::options::{RetryPolicy, SegmentSize};
use crate::protocol::{Abilities, Answer, Outcome};

/// The plan of a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Bytes in the whole source.
    pub size: u64,
    /// Whether digests are computed, and so compared.
    pub hashing: bool,
    /// Whether the locate carries the digest of the whole source.
    pub digest_first: bool,
    pub abilities: Abilities,
    pub retry: RetryPolicy,
    pub segment_size: SegmentSize,
    pub learned_limit: LearnedLimit,
}

/// The number of a send in its run. There may be several at once, so steps and events name theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartId(pub u64);

/// The driver's next step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Begin an attempt: wait while the program wants a pause, and check the source.
    Begin,
    /// Digest the whole source, for the locate.
    DigestWhole,
    /// Connect, and ask the server for its offset.
    Locate {
        /// Digest the beginning of the source meanwhile.
        hash_ahead: bool,
    },
    /// Connect to a server that has no locate.
    Connect,
    /// Compare the digest of the source's first `length` bytes with the server's.
    Compare { length: u64, digest: Digest },
    /// Go on from `offset`, and bring the digest there.
    Settle {
        offset: u64,
        /// How many bytes the server has that are not the source's.
        foreign: Option<u64>,
        /// Whether this is the run's first offset: the bytes before it need not be sent.
        is_first: bool,
    },
    /// Send these bytes.
    Send {
        part: PartId,
        offset: u64,
        length: u64,
        /// The digest of the bytes that the server must drop first.
        restart: Option<Digest>,
    },
    /// Check the source, and drop its digest: the server got other bytes.
    Recheck,
    /// Check the source a last time: the server has all of it.
    Conclude {
        /// The location of the finished file, in the server's words.
        location: Option<String>,
        /// Whether the server had the whole file before this run.
        is_first: bool,
    },
    /// Recover from a failure.
    Recover { error: Error, remedy: Remedy },
    /// End the run.
    Finish(Result<(), Error>),
}

/// The remedy for a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Smaller segments, at once.
    SmallerSegments,
    /// A new login, at once.
    NewLogin,
    /// Another attempt after this time.
    Wait(Duration),
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// [`Step::Begin`] is done.
    Begun,
    /// [`Step::DigestWhole`] is done.
    Digested,
    /// [`Step::Locate`] is done; this is the server's answer.
    Located(Answer),
    /// [`Step::Locate`] is done; the server uses another digest than those that the locate carried.
    DigestMissing,
    /// [`Step::Connect`] is done.
    Connected,
    /// [`Step::Compare`] is done.
    Compared { equal: bool },
    /// [`Step::Settle`] is done.
    Settled,
    /// [`Step::Send`] has ended, with success or not.
    Sent {
        part: PartId,
        /// The source was read up to here; any of these bytes may have arrived.
        read: u64,
        result: Result<Outcome, Stop>,
    },
    /// [`Step::Recheck`] is done.
    Rechecked,
    /// [`Step::Conclude`] is done.
    Concluded,
    /// [`Step::Recover`] is done.
    Recovered,
    /// The step ended early, and was not [`Step::Send`].
    Stopped(Stop),
}

impl Event {
    /// Names the event in the message of a defect.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Event::Begun => "begun",
            Event::Digested => "digested",
            Event::Located(_) => "located",
            Event::DigestMissing => "digest missing",
            Event::Connected => "connected",
            Event::Compared { .. } => "compared",
            Event::Settled => "settled",
            Event::Sent { .. } => "sent",
            Event::Rechecked => "rechecked",
            Event::Concluded => "concluded",
            Event::Recovered => "recovered",
            Event::Stopped(_) => "stopped",
        }
    }
}
