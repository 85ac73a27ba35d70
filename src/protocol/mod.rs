//! How a server is spoken to.
//!
//! The engine knows two requests, [`Protocol::locate`] and [`Protocol::send`], and their answers.
//! How they look on the wire is the business of one room for each protocol; today that is
//! [`form`]. What a protocol cannot do it says in its [`Abilities`], which the engine reads.

pub(crate) mod form;

use std::io::{self, Read};

use crate::error::Error;
use crate::http::Exchange;

/// What a server is told about the file of one upload, the same in every request.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// File name without a path.
    pub name: String,
    /// Bytes in the whole file.
    pub size: u64,
    /// Last modification, milliseconds since 1970 UTC, for sources that have one.
    pub mtime: Option<i64>,
    /// Lower-case hex MD5 of the whole file, where it is known before the upload.
    pub md5: Option<String>,
    /// Target directory on the server, `/`-separated, may be empty.
    pub dir: String,
    /// User name, where the program gave one.
    pub user: Option<String>,
    /// MIME type of the file.
    pub content_type: String,
    /// The program's own fields, in the order given.
    pub fields: Vec<(String, String)>,
}

/// What a server says that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub state: State,
    /// Bytes held durably from the start; never more than the job's size.
    pub offset: u64,
    /// The server's own key of the upload.
    pub id: Option<String>,
    /// Where the finished file is to be found.
    pub location: Option<String>,
    /// MD5 of the first `offset` bytes as the server holds them.
    pub prefix_md5: Option<[u8; 16]>,
    /// The most file bytes that one send may carry.
    pub max_segment: Option<u64>,
    /// Text for a person.
    pub message: Option<String>,
}

/// The state of an upload on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    New,
    Partial,
    Complete,
}

/// What became of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server has taken the bytes.
    Accepted(Answer),
    /// The server has taken nothing: its offset is another one.
    OffsetMismatch(Answer),
    /// What arrived is not what was sent; the server has dropped it.
    ChecksumMismatch(Answer),
    /// The server does not know the upload any more.
    UnknownUpload(Error),
}

/// The bytes of one send.
pub(crate) struct Segment<'a> {
    /// The server's key of the upload, as its last answer gave it.
    pub id: Option<&'a str>,
    /// Where the bytes begin in the file.
    pub offset: u64,
    /// How many there are.
    pub length: u64,
    /// The MD5 of what the server has and is to drop: it is of another file, or damaged.
    pub restart: Option<[u8; 16]>,
    /// Gives exactly `length` bytes, or an error.
    pub bytes: &'a mut dyn FileBytes,
}

/// File bytes on their way out, with the digest of everything up to them.
pub(crate) trait FileBytes: Read {
    /// Whether [`finish`](Self::finish) will give a digest.
    fn has_digest(&self) -> bool;

    /// Checks that the bytes read are still the file's. Gives the lower-case hex MD5 of the file
    /// from its start to the last of them, where it is computed.
    fn finish(&mut self) -> io::Result<Option<String>>;
}

/// What a protocol can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// Whether a server can be asked for its offset. If not, every attempt begins at 0.
    pub locates: bool,
    /// Whether a server may prove with a digest what it has.
    pub proves_prefix: bool,
}

/// A protocol: a way to ask a server for its offset and to send it bytes.
pub(crate) trait Protocol {
    /// Tells what the protocol can do.
    fn abilities(&self) -> Abilities;

    /// Asks what the server has of the file. It changes nothing there.
    fn locate(&self, exchange: &dyn Exchange, job: &Job) -> Result<Answer, Error>;

    /// Sends the bytes of `segment`.
    fn send(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error>;
}
