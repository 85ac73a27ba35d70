//! What the engine says, and what it is told.

use std::time::Duration;

use super::segments::LearnedLimit;
use crate::control::stop::Stop;
use crate::error::Error;
use crate::options::{RetryPolicy, SegmentSize};
use crate::protocol::{Abilities, Answer, Outcome};

/// What a run is to do.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Bytes in the whole source.
    pub size: u64,
    /// Whether digests are computed, and so compared.
    pub hashing: bool,
    /// Whether the server is told the digest of the whole source before anything is sent.
    pub digest_first: bool,
    pub abilities: Abilities,
    pub retry: RetryPolicy,
    pub segment_size: SegmentSize,
    pub learned_limit: LearnedLimit,
}

/// One send of the run. Several may be under way at once, so steps and events name theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartId(pub u64);

/// What the driver does next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Begin an attempt: wait while the program wants a pause, and check the source.
    Begin,
    /// Digest the whole source, so that the server can be told its digest.
    DigestWhole,
    /// Connect, and ask the server for its offset.
    Locate {
        /// Digest the beginning of the source meanwhile.
        hash_ahead: bool,
    },
    /// Connect to a server that cannot be asked.
    Connect,
    /// Compare the digest of the source's first `length` bytes with the server's.
    Compare { length: u64, md5: [u8; 16] },
    /// Take `offset` for the server's, and bring the digest there.
    Settle {
        offset: u64,
        /// The server's offset was this one, and its bytes are not the source's.
        foreign: Option<u64>,
        /// This is the run's first offset: what is before it need not be sent.
        is_first: bool,
    },
    /// Send these bytes.
    Send {
        part: PartId,
        offset: u64,
        length: u64,
        /// The digest of what the server is to drop before.
        restart: Option<[u8; 16]>,
    },
    /// Check the source, and forget its digest: the server found other bytes.
    Recheck,
    /// Check the source a last time: the server has all of it.
    Conclude {
        /// Where the server says that the file is.
        location: Option<String>,
        /// The server had it before this run.
        is_first: bool,
    },
    /// Get over a failure.
    Recover { error: Error, remedy: Remedy },
    /// End the run.
    Finish(Result<(), Error>),
}

/// How a failure is got over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// By smaller segments, at once.
    SmallerSegments,
    /// By a new login, at once.
    NewLogin,
    /// By another attempt after this time.
    Wait(Duration),
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// [`Step::Begin`] is done.
    Begun,
    /// [`Step::DigestWhole`] is done.
    Digested,
    /// The server answered to [`Step::Locate`].
    Located(Answer),
    /// [`Step::Connect`] is done.
    Connected,
    /// [`Step::Compare`] is done.
    Compared { equal: bool },
    /// [`Step::Settle`] is done.
    Settled,
    /// [`Step::Send`] has ended, well or not.
    Sent {
        part: PartId,
        /// The source was read up to here; any of it may have arrived.
        read: u64,
        result: Result<Outcome, Stop>,
    },
    /// [`Step::Recheck`] is done.
    Rechecked,
    /// [`Step::Conclude`] is done.
    Concluded,
    /// [`Step::Recover`] is done.
    Recovered,
    /// The step, none of a send, ended early.
    Stopped(Stop),
}
