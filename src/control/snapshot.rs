//! What a program can know of an upload at any time: its state and its numbers.

use std::time::Duration;

/// Where an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadState {
    /// Not started.
    Ready,
    /// Reading what the server already has, for the digest.
    Hashing,
    /// Asking the server what it has.
    Locating,
    /// Sending.
    Sending,
    /// Everything is sent; the server is to confirm it.
    Verifying,
    /// Waiting to try again after a break.
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
    /// Where the upload is.
    pub state: UploadState,
    /// Bytes in the whole file; 0 before the run has opened it.
    pub size: u64,
    /// Bytes that the server has confirmed to hold.
    pub offset: u64,
    /// `offset` and what has been handed to the network since: for a progress bar. It goes back
    /// when the connection breaks.
    pub position: u64,
    /// Bytes handed to the network in this run, those that a break lost included.
    pub bytes_sent: u64,
    /// Bytes that this run did not have to send because the server had them.
    pub bytes_skipped: u64,
    /// Bytes per second over the last seconds; 0 while nothing is being sent.
    pub rate: u64,
    /// Time left to the end at this rate, where there is one.
    pub time_left: Option<Duration>,
    /// How often this run began to ask the server for its offset: once, and once more after each
    /// break or pause.
    pub attempts: u32,
    /// HTTP status of the server's last answer.
    pub http_status: Option<u16>,
    /// Time left until the next attempt, in [`UploadState::Waiting`].
    pub retry_in: Option<Duration>,
}

/// What the server's answers told, and the digest of the whole file.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerInfo {
    /// The server's key of the upload.
    pub id: Option<String>,
    /// Where the finished file is to be found.
    pub location: Option<String>,
    /// Lower-case hex MD5 of the whole file, once it is complete.
    pub md5: Option<String>,
    /// The server's last message for a person.
    pub message: Option<String>,
    /// The start of its last refusal's body.
    pub excerpt: Option<String>,
}
