//! An upload's state and numbers, which the program can read at any time.

use std::time::Duration;

use resup_digests::{Algorithm, Digest};

use crate::error::Error;

/// The state of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadState {
    /// Not started.
    Ready,
    /// Reading the bytes that the server already has, for the digest.
    Hashing,
    /// Asking the server for its offset.
    Locating,
    /// Sending.
    Sending,
    /// Everything is sent; waiting for the server to confirm it.
    Verifying,
    /// Waiting for the next attempt after a failure.
    Waiting,
    /// Paused by the program.
    Paused,
    /// The server has the whole file.
    Complete,
    /// Given up after a failure.
    Failed,
    /// Cancelled by the program.
    Cancelled,
}

/// An upload's numbers at one moment. Bytes are those of the file, without the form around it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The state of the upload.
    pub state: UploadState,
    /// Bytes in the whole file; 0 before the run has opened it, and
    /// [`SIZE_UNKNOWN`](crate::SIZE_UNKNOWN) while that of a stream is not known.
    pub size: u64,
    /// Bytes that the server has confirmed.
    pub offset: u64,
    /// `offset` and the bytes that went to the network since: for a progress bar. It goes back when
    /// the connection is lost.
    pub position: u64,
    /// Bytes that went to the network in this run, those of lost connections included.
    pub bytes_sent: u64,
    /// Bytes that this run did not have to send because the server had them.
    pub bytes_skipped: u64,
    /// Bytes per second over the last seconds; 0 while nothing is being sent.
    pub rate: u64,
    /// Time left to the end at this rate, where there is one.
    pub time_left: Option<Duration>,
    /// How many attempts this run has begun: one, and one more after each failure or pause.
    pub attempts: u32,
    /// HTTP status of the server's last response.
    pub http_status: Option<u16>,
    /// Time left until the next attempt, in [`UploadState::Waiting`].
    pub retry_in: Option<Duration>,
}

/// The values from the server's answers, the failure since the last one, and the digest of the whole
/// file.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerInfo {
    /// The name of the protocol that the server has answered in.
    pub protocol: Option<&'static str>,
    /// The server's key of the upload.
    pub id: Option<String>,
    /// The location of the finished file.
    pub location: Option<String>,
    /// The algorithm of the digest, once the server has agreed to it.
    pub algorithm: Option<Algorithm>,
    /// The digest of the whole file, once it is complete.
    pub digest: Option<Digest>,
    /// The server's last message for a person.
    pub message: Option<String>,
    /// The start of its last refusal's body.
    pub excerpt: Option<String>,
    /// The failure of the last attempt, until the server answers again.
    pub failure: Option<Error>,
}
