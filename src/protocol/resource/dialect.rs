//! What a protocol with a URL for each upload does in its own way.

use resup_digests::Digest;

use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{Exchange, Response};
use crate::protocol::headers::{number, Headers};
use crate::protocol::{Checksum, ChecksumAlgorithm, Job, Note, Segment};

/// What a refusal says of an upload, by its type (RFC 9457).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::protocol) enum Problem {
    /// It is at this offset.
    OtherOffset(u64),
    /// It is complete already.
    Completed,
    /// It has another length.
    OtherLength,
}

/// What a protocol does in its own way.
pub(in crate::protocol) trait Dialect: Send + Sync {
    /// Gives the protocol's name.
    fn name(&self) -> &'static str;

    /// Learns what the server can do, before the first request about a file.
    fn learn(&self, _: &dyn Exchange, _: &Endpoint) -> Result<(), Error> {
        Ok(())
    }

    /// Notes what a response says about the server.
    fn note(&self, _: &Response) {}

    /// Takes what the log is to say of the responses since the last call.
    fn notes(&self) -> Vec<Note> {
        Vec::new()
    }

    /// Fails if a response has limits that the file does not keep.
    fn check(&self, _: &Response, _: &Job) -> Result<(), Error> {
        Ok(())
    }

    /// Reads what a refusal says by its type.
    fn problem(&self, _: &Response) -> Option<Problem> {
        None
    }

    /// Reads a number from a header field; `None` where the response does not have it.
    fn number(&self, response: &Response, name: &str) -> Result<Option<u64>, Error> {
        number(response, name)
    }

    /// Chooses another version, if a response shows that the server does not speak this one. Gives
    /// whether there is one to try.
    fn choose_other(&self, _: &Response) -> bool {
        false
    }

    /// Reads the digest of the bytes that the server has.
    fn prefix(&self, _: &Response) -> Option<Digest> {
        None
    }

    /// Gives the checksum that goes before the bytes of each send.
    fn checksum(&self) -> Option<ChecksumAlgorithm> {
        None
    }

    /// Checks that the server lets a client delete an upload.
    fn check_deletion(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Gives the most bytes of one send.
    fn max_segment(&self) -> Option<u64>;

    /// Gives the least bytes of each send but the last one.
    fn min_segment(&self) -> Option<u64> {
        None
    }

    /// Gives what the server has said about its limit for a whole file.
    fn max_size(&self) -> Option<u64>;

    /// Gives the header fields of every request.
    fn common(&self) -> Headers;

    /// Gives the further header fields of the request that creates an upload.
    fn creation(&self, job: &Job) -> Result<Headers, Error>;

    /// Whether that request may carry the whole file, as far as the server is known.
    fn creates_with_file(&self) -> bool {
        false
    }

    /// Gives the header fields of the bytes that a creation carries.
    fn content(&self, _: Option<&Checksum>) -> Headers {
        Headers::new()
    }

    /// Gives the further header fields of a request that appends to an upload.
    fn append(&self, job: &Job, segment: &Segment<'_>) -> Headers;

    /// Whether only a flag completes an upload. If not, its last byte does.
    fn has_flag(&self) -> bool;

    /// Reads the flag of a response: whether the upload is complete.
    fn flag(&self, _: &Response) -> Option<bool> {
        None
    }

    /// Whether a status says that the bytes did not have their checksum.
    fn is_checksum_mismatch(&self, _: u16) -> bool {
        false
    }

    /// Whether a response is one of this protocol.
    fn is_spoken(&self, response: &Response) -> bool;
}
