//! The steps that the engine gives, and the events that it takes.

use std::time::Duration;

use resup_digests::Digest;

use super::segments::LearnedLimit;
use crate::control::stop::Stop;
use crate::error::Error;
use crate::options::{RetryPolicy, SegmentSize};
use crate::protocol::{Abilities, Answer, Chunks, Outcome, Range};

/// The plan of a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Bytes in the whole source; [`SIZE_UNKNOWN`](crate::options::SIZE_UNKNOWN) where only its end
    /// tells.
    pub size: u64,
    /// How many parts may be sent at a time, by the program's will; 0 if the source cannot be read at
    /// several places.
    pub connections: usize,
    /// Whether the file is so small that it goes to the server without a locate.
    pub stores: bool,
    /// Whether digests are computed, and so compared.
    pub hashing: bool,
    /// Whether the locate carries the digest of the whole source.
    pub digest_first: bool,
    pub abilities: Abilities,
    /// The chunks that the protocol prescribes.
    pub chunks: Option<Chunks>,
    pub retry: RetryPolicy,
    pub segment_size: SegmentSize,
    pub learned_limit: LearnedLimit,
    /// Whether a complete file is read back, where no digest of the server's proves it.
    pub reads_back: bool,
}

/// The number of a send in its run. There may be several at once, so steps and events name theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Connect, and send the whole file without a locate.
    Store,
    /// Compare the digest of the source's first `length` bytes with the server's.
    Compare { length: u64, digest: Digest },
    /// Compare the digest of a range of the source with the server's.
    CompareRange(Range),
    /// Go on from `offset`, and bring the digest there.
    Settle {
        offset: u64,
        /// How many bytes of the source the server holds, those behind `offset` included.
        held: u64,
        /// How many bytes the server has that are not the source's.
        foreign: Option<u64>,
        /// Whether this is the run's first offset: the bytes before it need not be sent.
        is_first: bool,
    },
    /// Read the next bytes of a source of unknown size, up to so many or up to its end.
    Fill { offset: u64, most: u64 },
    /// Send these bytes.
    Send {
        part: PartId,
        offset: u64,
        length: u64,
        /// The digest of the bytes that the server must drop first.
        restart: Option<Digest>,
    },
    /// Begin to send these parts, and wait until one of those under way has ended, or for a measure.
    SendParts {
        sends: Vec<PartSend>,
        /// End those under way at once.
        abort: bool,
    },
    /// Check the source, and drop its digest: the server got other bytes.
    Recheck,
    /// Read the finished file back from the server.
    ReadBack {
        /// Its location, in the server's words.
        location: Option<String>,
    },
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

/// A part to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartSend {
    pub part: PartId,
    pub offset: u64,
    pub length: u64,
    /// The highest offset that the server may have of the part's section, if it has to be asked first.
    pub asks: Option<u64>,
}

/// What the bytes are that were read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoundBack {
    /// Those of the source.
    Equal,
    /// Others, with this digest.
    Other(Digest),
    /// Others, and the next locate begins another upload.
    Dropped,
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
    /// [`Step::Store`] is done: this is the server's answer, or it takes no store.
    Stored(Option<Answer>),
    /// [`Step::Compare`] or [`Step::CompareRange`] is done.
    Compared { equal: bool },
    /// [`Step::Settle`] is done.
    Settled,
    /// [`Step::Fill`] is done: so many bytes can be sent. `size` is that of the source, if its end was
    /// reached.
    Filled { length: u64, size: Option<u64> },
    /// [`Step::Send`] or a part has ended, with success or not.
    Sent {
        part: PartId,
        /// The source was read up to here; any of these bytes may have arrived.
        read: u64,
        result: Result<Outcome, Stop>,
    },
    /// No part has ended for a while: so many bytes of parts went to the network so far, of which
    /// those that are under way have `under_way`.
    Measured { sent: u64, under_way: u64 },
    /// [`Step::Recheck`] is done.
    Rechecked,
    /// [`Step::ReadBack`] has ended, with success or not.
    ReadBack {
        /// So many bytes were read by it, the last of them up to the offset `at`.
        read: u64,
        at: u64,
        result: Result<FoundBack, Stop>,
    },
    /// [`Step::Conclude`] is done.
    Concluded,
    /// [`Step::Recover`] is done.
    Recovered,
    /// The step ended early, and sent no segment and no part.
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
            Event::Stored(_) => "stored",
            Event::Compared { .. } => "compared",
            Event::Settled => "settled",
            Event::Filled { .. } => "filled",
            Event::Sent { .. } => "sent",
            Event::Measured { .. } => "measured",
            Event::Rechecked => "rechecked",
            Event::ReadBack { .. } => "read back",
            Event::Concluded => "concluded",
            Event::Recovered => "recovered",
            Event::Stopped(_) => "stopped",
        }
    }
}
