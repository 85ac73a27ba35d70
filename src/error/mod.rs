//! The errors of the library. Each message names the thing, the value and the way out.

mod duration;
mod kind;
mod making;
mod passing;
mod refusal;

pub(crate) use duration::rounded;
pub use kind::ErrorKind;
pub use refusal::{Refusal, RefusalKind};

/// The name of the program's stream in messages, in place of a path.
pub(crate) const STREAM: &str = "the program's stream";

/// The reason why a call or an upload failed.
///
/// [`Error::kind`] groups errors by what a program can do about them; the C API derives its
/// status codes from that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value handed to a setter or constructor cannot be used.
    #[error("{what} {why}")]
    InvalidArgument {
        /// The argument, for example `"user agent"`.
        what: &'static str,
        /// The fault, with the value where it is not a secret.
        why: String,
    },

    /// The server's address is not an `http` or `https` URL.
    #[error("the URL \"{url}\" cannot be used: {why}")]
    InvalidUrl {
        /// The address as given.
        url: String,
        /// The fault.
        why: String,
    },

    /// The call does not fit the upload's present state.
    #[error("{0}")]
    WrongState(&'static str),

    /// There is no such file.
    #[error("the file \"{path}\" does not exist")]
    SourceNotFound {
        /// The path as given.
        path: String,
    },

    /// The file is there but may not be read.
    #[error("the file \"{path}\" may not be read: {why}")]
    SourceDenied {
        /// The path as given.
        path: String,
        /// The system's reason.
        why: String,
    },

    /// The path names a directory, a socket, or anything else but a regular file.
    #[error("\"{path}\" is not a regular file but {is}")]
    SourceNotAFile {
        /// The path as given.
        path: String,
        /// The kind of the thing at the path.
        is: &'static str,
    },

    /// Reading the file failed.
    #[error("reading \"{path}\" failed: {why}")]
    SourceIo {
        /// The path as given.
        path: String,
        /// The system's reason.
        why: String,
        /// Whether the cause may pass by itself, as that of a network drive does.
        passing: bool,
    },

    /// The file has another number of bytes than its size says, as files in `/proc` do.
    #[error("the size of \"{path}\" is not the number of its bytes: {why}")]
    SourceSize {
        /// The path as given.
        path: String,
        /// The difference, and the way out.
        why: String,
    },

    /// The file is no longer the one that the upload began with.
    #[error("\"{path}\" changed while it was being uploaded: {why}")]
    SourceChanged {
        /// The path as given.
        path: String,
        /// The change, with both values.
        why: String,
    },

    /// The server's name could not be turned into an address.
    #[error("the host \"{host}\" was not found: {why}; is its name right?")]
    ResolveFailed {
        /// Host and port.
        host: String,
        /// The resolver's reason.
        why: String,
    },

    /// No connection to the server could be made.
    #[error("no connection to {host}: {why}")]
    ConnectFailed {
        /// Host and port.
        host: String,
        /// The system's reason.
        why: String,
    },

    /// The connection was lost during a request or its response.
    #[error("the connection to {host} was lost: {why}")]
    ConnectionLost {
        /// Host and port.
        host: String,
        /// The system's reason.
        why: String,
    },

    /// A time limit passed.
    #[error("{host} took too long: {what}")]
    TimedOut {
        /// Host and port.
        host: String,
        /// Which limit, and its value.
        what: String,
    },

    /// The TLS handshake failed, or the server's certificate is not trusted.
    #[error("TLS with {host} failed: {why}")]
    Tls {
        /// Host and port.
        host: String,
        /// The failure.
        why: String,
        /// Whether something on the way may have damaged the handshake. It may not, if a certificate
        /// or a setting is the reason.
        may_be_damage: bool,
    },

    /// The proxy refuses the user, or a connection to the server.
    #[error("cannot reach {host}: {why}")]
    ProxyRefused {
        /// Host and port, and the proxy.
        host: String,
        /// The reason that the proxy gave.
        why: String,
    },

    /// The server ended the session, or forbids the upload. The next attempt logs in again.
    #[error("the session at {host} has ended; the next attempt logs in again")]
    SessionExpired {
        /// Host and port.
        host: String,
    },

    /// The server refused the request.
    #[error("{0}")]
    Refused(Box<Refusal>),

    /// The server's response does not follow the protocol, and is ignored.
    #[error("the server's response cannot be used{}: {why}", url_hint(*answered_before))]
    BadResponse {
        /// The fault.
        why: String,
        /// Whether an earlier response of this run followed the protocol. If so, something else
        /// answers for a while, such as a login page. If not, the URL may be wrong.
        answered_before: bool,
    },

    /// The server's response is far longer than any response of the protocol.
    #[error("the server's response is longer than {limit} bytes{}", url_hint(*answered_before))]
    ResponseTooLong {
        /// The most bytes of a body that are read.
        limit: u64,
        /// The same as in [`Error::BadResponse`].
        answered_before: bool,
    },

    /// The stream, of which the size was not known, has more bytes than the server takes.
    #[error("the server takes files of at most {limit} bytes, and the stream has more")]
    TooLarge {
        /// The server's limit.
        limit: u64,
    },

    /// The server has bytes that this run has not sent, and nothing proves them. Nothing is sent
    /// from there until another locate.
    #[error("another program uploads the same file: {why}")]
    SentByAnother {
        /// The server's offset, and the bytes that were sent.
        why: String,
    },

    /// Another file has the upload's URL. It is not overwritten.
    #[error(
        "another file is at {at} already: {why}; delete it there, or upload under another name"
    )]
    OtherFile {
        /// The path of the URL.
        at: String,
        /// What shows that it is another file.
        why: String,
    },

    /// The server claims an offset that is impossible. Nothing is sent from there.
    #[error("the server's offset cannot be right: {why}")]
    BadOffset {
        /// The claimed offset, and the limit that it breaks.
        why: String,
    },

    /// The server stored other bytes than were sent, twice in a row.
    #[error(
        "the server reports that the digest of what arrived differs from what was sent: {why}"
    )]
    DigestMismatch {
        /// The server's message, or ours where it sent none.
        why: String,
    },

    /// The server does not use the digest that the program asked for by its name.
    #[error(
        "the digest {wanted} was asked for by name, and the server does not use it for this upload: \
         ask for another one, or leave the choice to client and server (automatic)"
    )]
    DigestUnavailable {
        /// The digest that was asked for.
        wanted: &'static str,
    },

    /// A request failed after bytes of the file went to a server that cannot be asked what it has of it. It
    /// is not sent again, for the server would have the file twice.
    #[error("{cause}; {sent}, and nothing tells whether the server has stored the file: look there before you \
             upload it again")]
    MayBeStored {
        /// The failure.
        cause: Box<Error>,
        /// How much of the file was sent by then.
        sent: String,
    },

    /// The server does not take back what it has of the upload.
    #[error("the upload was not discarded: {why}")]
    NotDiscarded {
        /// The reason, and what becomes of the upload.
        why: String,
    },

    /// The program cancelled, by a call or by a callback's return value.
    #[error("the upload was cancelled")]
    Cancelled,

    /// The operating system refused something that every upload needs, such as a thread.
    #[error("the system refused: {why}")]
    System {
        /// The system's reason.
        why: String,
    },

    /// A defect in this library; the handle must not be used any more.
    #[error("internal error (please report it): {why}")]
    Internal {
        /// The panic's message.
        why: String,
    },
}

/// Gives a question about the URL, if the first response of a run is not of the protocol.
fn url_hint(answered_before: bool) -> &'static str {
    match answered_before {
        true => "",
        false => " (is the URL right?)",
    }
}
