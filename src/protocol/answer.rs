//! What a server's answers tell of a file.

use resup_digests::{Algorithm, Digest};

use crate::error::Error;

/// A server's answer: what it has of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub state: State,
    /// Bytes from the start that the server has stored durably; never more than the job's size.
    pub offset: u64,
    /// The server's own key of the upload.
    pub id: Option<String>,
    /// The location of the finished file.
    pub location: Option<String>,
    /// The algorithm of all digests of this upload; `None` where the server compares none.
    pub agreed: Option<Algorithm>,
    /// The digest of the first `offset` bytes at the server.
    pub prefix: Option<Digest>,
    /// The most file bytes that one send may carry.
    pub max_segment: Option<u64>,
    /// A send that is not the file's last one carries a multiple of so many bytes. The largest number
    /// stands for a server that takes the whole file at once.
    pub grain: Option<u64>,
    /// The server's last bytes before `offset`, where no digest proves all of them.
    pub tail: Option<Box<Tail>>,
    /// The least file bytes that each send but the last one has to carry.
    pub min_segment: Option<u64>,
    /// The size of the largest file that a store may carry.
    pub small: Option<u64>,
    /// How many parts may be sent at a time.
    pub parts: Option<u64>,
    /// The bytes that the server holds behind `offset`, in order.
    pub ranges: Vec<Range>,
    /// The sections of the file, where each goes to an upload of its own.
    pub sections: Option<Sections>,
    /// Whether nobody but this upload's client can add to it, since nobody else knows its key.
    pub is_own: bool,
    /// Text for a person.
    pub message: Option<String>,
}

impl Answer {
    /// Makes an answer that tells the state and the offset only.
    pub(crate) fn new(state: State, offset: u64) -> Self {
        Answer {
            state,
            offset,
            id: None,
            location: None,
            agreed: None,
            prefix: None,
            max_segment: None,
            grain: None,
            tail: None,
            min_segment: None,
            small: None,
            parts: None,
            ranges: Vec::new(),
            sections: None,
            is_own: false,
            message: None,
        }
    }

    /// Whether the server says that it holds the bytes from one offset up to another.
    pub(crate) fn shows(&self, from: u64, to: u64) -> bool {
        let behind = self.ranges.iter().map(|range| (range.from, range.to));
        let sections = self.sections.iter().flat_map(|it| it.held.iter().copied());
        let mut at = from;
        for (begin, end) in [(0, self.offset)].into_iter().chain(behind).chain(sections) {
            if begin <= at {
                at = at.max(end);
            }
        }
        at >= to
    }

    /// Gives the offsets at which the server goes on.
    pub(crate) fn ends(&self) -> impl Iterator<Item = u64> + '_ {
        let in_sections = self.sections.iter().flat_map(|sections| {
            let ends = sections.held.iter().map(|(_, to)| *to);
            ends.filter(|to| to % sections.length > 0)
        });
        let whole = self.sections.is_none().then_some(self.offset);
        whole.into_iter().chain(in_sections)
    }

    /// Gives the offset up to which the server has the section that this answer is about.
    pub(crate) fn reach(&self) -> u64 {
        let mut held = self.sections.iter().flat_map(|it| &it.held);
        held.next().map_or(0, |(_, to)| *to)
    }
}

/// A range of bytes that a server holds behind a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub from: u64,
    pub to: u64,
    /// The digest of these bytes.
    pub digest: Digest,
}

/// The last bytes that a server has, which are compared with the file's before more are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tail {
    pub bytes: Range,
    /// The reason why the run ends where they are not the file's. Without one the upload begins anew.
    pub conflict: Option<Error>,
}

/// The sections of a file: equal in length, but for the last one. Each goes to the server in order, on one connection at
/// a time, and in the end the server joins them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sections {
    pub length: u64,
    /// Whether the server stores a section whole or not at all, so that each goes in one send.
    pub is_whole: bool,
    /// The bytes that the server holds, as far as the answer tells, in order.
    pub held: Vec<(u64, u64)>,
}

/// The state of an upload on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    New,
    Partial,
    Complete,
}

/// The outcome of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server has accepted the bytes.
    Accepted(Answer),
    /// The server has accepted nothing: its offset is another one.
    OffsetMismatch(Answer),
    /// The server got other bytes than were sent, and has dropped them.
    ChecksumMismatch(Answer),
    /// The server no longer knows the upload.
    UnknownUpload(Error),
}
