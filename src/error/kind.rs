//! The groups of errors.

use super::{Error, RefusalKind};

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

impl Error {
    /// Gives the group that the error belongs to.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::InvalidArgument { .. } => ErrorKind::InvalidArgument,
            Error::InvalidUrl { .. } => ErrorKind::InvalidUrl,
            Error::WrongState(_) => ErrorKind::WrongState,
            Error::SourceNotFound { .. } => ErrorKind::SourceNotFound,
            Error::SourceDenied { .. } => ErrorKind::SourceDenied,
            Error::SourceNotAFile { .. } | Error::SourceSize { .. } => ErrorKind::SourceNotAFile,
            Error::SourceIo { .. } => ErrorKind::SourceIo,
            Error::SourceChanged { .. } => ErrorKind::SourceChanged,
            Error::ResolveFailed { .. } => ErrorKind::ResolveFailed,
            Error::ConnectFailed { .. } => ErrorKind::ConnectFailed,
            Error::ConnectionLost { .. } => ErrorKind::ConnectionLost,
            Error::TimedOut { .. } => ErrorKind::TimedOut,
            Error::Tls { .. } => ErrorKind::Tls,
            Error::ProxyRefused { .. } => ErrorKind::ProxyRefused,
            Error::SessionExpired { .. } => ErrorKind::SessionExpired,
            Error::Refused(refusal) => ErrorKind::Refused(refusal.kind),
            Error::BadResponse { .. } => ErrorKind::BadResponse,
            Error::ResponseTooLong { .. } => ErrorKind::ResponseTooLong,
            Error::TooLarge { .. } => ErrorKind::Refused(RefusalKind::TooLarge),
            Error::SentByAnother { .. } => ErrorKind::Refused(RefusalKind::Locked),
            Error::OtherFile { .. } => ErrorKind::Refused(RefusalKind::Other),
            Error::BadOffset { .. } => ErrorKind::BadOffset,
            Error::DigestMismatch { .. } => ErrorKind::DigestMismatch,
            Error::DigestUnavailable { .. } => ErrorKind::DigestUnavailable,
            Error::MayBeStored { cause, .. } => cause.kind(),
            Error::NotDiscarded { .. } => ErrorKind::Refused(RefusalKind::Other),
            Error::Cancelled => ErrorKind::Cancelled,
            Error::System { .. } => ErrorKind::System,
            Error::Internal { .. } => ErrorKind::Internal,
        }
    }
}
