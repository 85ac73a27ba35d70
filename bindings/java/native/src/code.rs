//! The numbers of things that have names on both sides.
#![forbid(unsafe_code)]

use jni::sys::{jint, jlong};
use resup::{ErrorKind, LogLevel, RefusalKind, UploadState};

/// The number of `io.resup.ErrorCode`, which is that of the C API.
pub fn of_error(kind: ErrorKind) -> jint {
    match kind {
        ErrorKind::InvalidArgument => 15,
        ErrorKind::InvalidUrl => 16,
        ErrorKind::WrongState => 18,
        ErrorKind::SourceNotFound => 30,
        ErrorKind::SourceDenied => 31,
        ErrorKind::SourceNotAFile => 32,
        ErrorKind::SourceIo => 33,
        ErrorKind::SourceChanged => 34,
        ErrorKind::ResolveFailed => 50,
        ErrorKind::ConnectFailed => 51,
        ErrorKind::ConnectionLost => 52,
        ErrorKind::TimedOut => 53,
        ErrorKind::Tls => 54,
        ErrorKind::ProxyRefused => 55,
        ErrorKind::SessionExpired | ErrorKind::Refused(RefusalKind::NotAllowed) => 70,
        ErrorKind::Refused(RefusalKind::TooLarge) => 71,
        ErrorKind::Refused(RefusalKind::Locked) => 72,
        ErrorKind::Refused(RefusalKind::Busy) => 73,
        ErrorKind::Refused(RefusalKind::Failing) => 74,
        ErrorKind::Refused(RefusalKind::NoSpace) => 75,
        ErrorKind::Refused(_) => 76,
        ErrorKind::BadResponse => 90,
        ErrorKind::ResponseTooLong => 91,
        ErrorKind::BadOffset => 92,
        ErrorKind::DigestMismatch => 93,
        ErrorKind::Cancelled => 110,
        ErrorKind::System => 120,
        _ => INTERNAL,
    }
}

/// A defect of the library.
pub const INTERNAL: jint = 121;

/// The place in `io.resup.UploadState`.
pub fn of_state(state: UploadState) -> jint {
    match state {
        UploadState::Ready => 0,
        UploadState::Hashing => 1,
        UploadState::Locating => 2,
        UploadState::Sending => 3,
        UploadState::Verifying => 4,
        UploadState::Waiting => 5,
        UploadState::Paused => 6,
        UploadState::Complete => 7,
        UploadState::Cancelled => 9,
        _ => 8,
    }
}

/// The place in `io.resup.LogLevel`.
pub fn of_level(level: LogLevel) -> jint {
    match level {
        LogLevel::Error => 0,
        LogLevel::Warn => 1,
        LogLevel::Info => 2,
        LogLevel::Debug => 3,
    }
}

/// The level at this place.
pub fn level(place: jlong) -> LogLevel {
    match place {
        0 => LogLevel::Error,
        1 => LogLevel::Warn,
        2 => LogLevel::Info,
        _ => LogLevel::Debug,
    }
}
