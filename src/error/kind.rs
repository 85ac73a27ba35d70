//! The groups of errors.

use super::RefusalKind;

/// The groups of errors, by what a program can do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // each is named after the variant of `Error` that it stands for
pub enum ErrorKind {
    InvalidArgument,
    InvalidUrl,
    WrongState,
    SourceNotFound,
    SourceDenied,
    SourceNotAFile,
    SourceIo,
    SourceChanged,
    ResolveFailed,
    ConnectFailed,
    ConnectionLost,
    TimedOut,
    Tls,
    ProxyRefused,
    SessionExpired,
    Refused(RefusalKind),
    BadResponse,
    ResponseTooLong,
    BadOffset,
    DigestMismatch,
    DigestUnavailable,
    Cancelled,
    System,
    Internal,
}
