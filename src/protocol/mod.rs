//! The protocols between a client and a server.
//!
//! The engine knows two requests, [`Protocol::locate`] and [`Protocol::send`], and their answers.
//! Each protocol has a module that writes and reads them. The [`Abilities`] of a protocol, and what its
//! answers leave out, say what it can do.
//!
//! - `form`: the one of docs/PROTOCOL.md.
//! - `resource`: protocols in which each upload has a URL of its own; `tus` and `ietf` are two of them.
//! - `dav`: files of WebDAV servers, at their own URLs; `session`: sessions as Google Cloud Storage has them.
//! - `dialect`: forms of other people, which are data; `presigned`: parts that go to presigned URLs of S3.
//! - `others`: which protocols this build has; `choice`: the protocol of a run; `auto`: finds out which one a server speaks.
//! - `sizeless`: finds out the same for a file whose size is not known, which the form protocol does not take.
//! - `bytes`, `headers`: what several protocols send, and how they read and write header fields.
//! - `answer`: what the answers tell; `description`: what of a file's description has no place in a protocol; `checksum`: what goes before the bytes of one send, in protocols that have that; `read_back`: reads the finished file back.

mod answer;
mod auto;
mod bytes;
mod charset;
mod checksum;
mod choice;
#[cfg(feature = "dav")]
mod dav;
mod description;
#[cfg(feature = "dialect")]
pub(crate) mod dialect;
pub(crate) mod form;
mod headers;
#[cfg(feature = "ietf")]
mod ietf;
mod learned;
mod others;
#[cfg(feature = "presigned")]
mod presigned;
mod read_back;
#[cfg(any(feature = "ietf", feature = "session", feature = "tus"))]
mod resource;
#[cfg(test)]
#[allow(dead_code)] // the tests of one protocol do not use all of it
mod script;
#[cfg(feature = "session")]
mod session;
mod sizeless;
#[cfg(feature = "tus")]
mod tus;

pub(crate) use answer::{Answer, Outcome, Range, Sections, State, Tail};
pub(crate) use checksum::{Checksum, ChecksumAlgorithm, ChecksumState};
pub(crate) use choice::choose;
pub(crate) use learned::LearnedProtocol;
pub(crate) use others::{put_parts, speak, DialectText, PartsText};
pub(crate) use read_back::ReadBack;

use std::io::{self, Read};

use resup_digests::{Algorithm, Digest};

use crate::control::log::LogLevel;
use crate::error::Error;
use crate::http::Exchange;
use crate::options::SIZE_UNKNOWN;

/// The description of an upload's file, the same in every request.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// File name without a path.
    pub name: String,
    /// Bytes in the whole file; [`SIZE_UNKNOWN`] until the end of its source is read.
    pub size: u64,
    /// Whether the source's first bytes are gone, so that no upload of it can begin anew.
    pub is_passed: bool,
    /// Last modification, milliseconds since 1970 UTC, for sources that have one.
    pub mtime: Option<i64>,
    /// The algorithms of digests that the server may choose from, the best one first; none where no
    /// digest is computed.
    pub offer: &'static [Algorithm],
    /// The digests of the whole file that are known before the upload.
    pub digests: Vec<Digest>,
    /// Target directory on the server, with `/` between names; may be empty.
    pub dir: String,
    /// User name, where the program gave one.
    pub user: Option<String>,
    /// MIME type of the file.
    pub content_type: String,
    /// The program's own fields, in the order given.
    pub fields: Vec<(String, String)>,
    /// How many connections the file may use at a time. Where there are several, the protocol may make sections of it.
    pub connections: usize,
}

impl Job {
    /// Whether the size is known.
    pub(crate) fn has_size(&self) -> bool {
        self.size != SIZE_UNKNOWN
    }

    /// Shows the size in a message.
    pub(crate) fn shown_size(&self) -> String {
        match self.has_size() {
            true => format!("{} bytes", self.size),
            false => "a stream whose size is not known".to_owned(),
        }
    }
}

/// The bytes of one send.
pub(crate) struct Segment<'a> {
    /// The server's key of the upload, as its last answer gave it.
    pub id: Option<&'a str>,
    /// The offset of the first byte in the file.
    pub offset: u64,
    /// The number of bytes.
    pub length: u64,
    /// The digest of the server's bytes that it must drop, because they are of another file or
    /// damaged.
    pub restart: Option<Digest>,
    /// The text of the run's parts, if this is a part: its digest is that of its own bytes.
    pub part: Option<&'a str>,
    /// The checksum of the bytes, where the protocol sends one before them.
    pub checksum: Option<Checksum>,
    /// The reader: gives exactly `length` bytes, or an error.
    pub bytes: &'a mut dyn FileBytes,
}

/// A whole file that is sent without a locate.
pub(crate) struct Store<'a> {
    /// The digest of the file, where one is computed.
    pub digest: Option<Digest>,
    /// The checksum of the bytes, where the protocol sends one before them.
    pub checksum: Option<Checksum>,
    /// The reader: gives as many bytes as the job has, or an error.
    pub bytes: &'a mut dyn FileBytes,
}

/// A reader of file bytes that are sent, with the digest of the file up to them.
pub(crate) trait FileBytes: Read {
    /// Gives the algorithm of the digest that [`finish`](Self::finish) will give, if any.
    fn algorithm(&self) -> Option<Algorithm>;

    /// Checks that the bytes read are still the file's. Gives the digest of the file from
    /// its start to the last of them, or that of a part, where it is computed.
    fn finish(&mut self) -> io::Result<Option<Digest>>;
}

/// A line for the log, and how important it is.
pub(crate) type Note = (LogLevel, String);

/// The abilities of a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// Whether a server can be asked for its offset. If not, every attempt begins at 0, unless
    /// [`Chunks`] say otherwise.
    pub locates: bool,
    /// Whether a server may prove its bytes with a digest.
    pub proves_prefix: bool,
    /// Whether a server finds an upload by its key only, so that a later run has to know it.
    pub needs_key: bool,
    /// The checksum that goes before the bytes of each send.
    pub checksum: Option<ChecksumAlgorithm>,
}

/// The requests of a protocol in which a file's bytes go in chunks of one size, or all in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunks {
    /// Bytes in a chunk.
    pub size: u64,
    /// Whether the last chunk has the rest as well, so that it is longer than the others, not shorter.
    pub last_is_long: bool,
    /// Whether an attempt without a locate goes on behind the chunks that were accepted. If not, it begins
    /// at 0.
    pub goes_on: bool,
}

impl Chunks {
    /// Gives the number of bytes in the chunk before which so many are left.
    pub(crate) fn length(self, left: u64) -> u64 {
        match self.last_is_long && left / 2 < self.size {
            true => left,
            false => left.min(self.size),
        }
    }
}

/// A protocol: a way to ask a server for its offset and to send it bytes.
pub(crate) trait Protocol: Send + Sync {
    /// Gives the protocol's name, as the program and the state file have it.
    fn name(&self) -> &'static str;

    /// Gives the protocol's abilities.
    fn abilities(&self) -> Abilities;

    /// Gives the chunks in which bytes have to be sent, if that is not for the engine to choose.
    fn chunks(&self) -> Option<Chunks> {
        None
    }

    /// Gives the size of the largest file that the server takes, if it has said that.
    fn max_size(&self) -> Option<u64> {
        None
    }

    /// Whether the request that creates an upload may carry a whole small file, as far as the server is known.
    fn creates_with_file(&self) -> bool {
        false
    }

    /// Gives the text by which a later run goes on, where that is more than the key in the answers.
    fn record(&self) -> Option<String> {
        None
    }

    /// Asks what the server has of the file. `key` is the server's key of the upload, where that is
    /// known. Where a protocol needs keys, a server that has no such upload begins one. Nothing else
    /// changes at the server.
    fn locate(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Result<Answer, Error>;

    /// Sends the bytes of `segment`.
    fn send(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error>;

    /// Takes what the log is to say of the server's answers since the last call.
    fn notes(&self) -> Vec<Note> {
        Vec::new()
    }

    /// Asks what the server has of the section in which `offset` is. The answer has the range of that, which may be empty.
    fn ask_section(
        &self,
        _: &dyn Exchange,
        _: &Job,
        _key: Option<&str>,
        _offset: u64,
    ) -> Result<Answer, Error> {
        let why = "a section in a protocol that has none".to_owned();
        Err(Error::Internal { why })
    }

    /// Sends a whole small file without a locate. Gives `None` if the server takes no such request.
    fn store(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        store: Store<'_>,
    ) -> Result<Option<Answer>, Error>;

    /// Takes back what the server has of the file, unless that is complete. `key` is the server's key of
    /// the upload, where that is known. A server without the upload has nothing to take back: that is a
    /// success.
    fn discard(&self, _: &dyn Exchange, _: &Job, _: Option<&str>) -> Result<(), Error> {
        Err(Error::NotDiscarded {
            why: format!(
                "{} has no request for that; what the server has of the file stays there",
                self.name()
            ),
        })
    }
}

/// Makes the error for an upload that only its URL finds, where none is known.
fn nothing_to_discard() -> Error {
    Error::WrongState(
        "there is nothing to discard: only its URL finds an upload at this server, and none is known of \
         this file; it takes the upload object of the run that failed, or that run's state file (an \
         upload without either stays at the server until it expires)",
    )
}
