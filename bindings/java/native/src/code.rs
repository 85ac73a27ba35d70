//! Enum constants and the codes by which Java and C know them.
//!
//! The codes are those of the C API; a test of the Java binding compares its enums with `include/resup.h`.

use jni::sys::jint;
use jni::Env;
use resup::{
    ffi, DigestAlgorithm, DigestMode, ErrorKind, FilenameStyle, LocateMethod, LogLevel,
    ProtocolName, RefusalKind, SigningAlgorithm, Trust, UploadState,
};

use crate::convert::FromJava;
use crate::failure::Failure;

/// An enum whose constants have codes.
pub trait Coded: Copy + PartialEq + 'static {
    /// The name of the enum in errors.
    const NAME: &'static str;
    /// Each constant with its code.
    const CODES: &'static [(Self, jint)];

    /// Returns the code of this constant.
    fn code(self) -> Result<jint, Failure> {
        let pair = Self::CODES.iter().find(|(constant, _)| *constant == self);
        pair.map(|(_, code)| *code).ok_or_else(|| {
            Failure::Internal(format!("the library has a {} without a code", Self::NAME))
        })
    }
}

impl<T: Coded> FromJava for T {
    type Java<'local> = jint;

    fn from_java<'local>(_: &mut Env<'local>, code: jint) -> Result<Self, Failure> {
        let pair = Self::CODES.iter().find(|(_, known)| *known == code);
        pair.map(|(constant, _)| *constant)
            .ok_or_else(|| Failure::Argument(format!("no {} has the code {code}", Self::NAME)))
    }
}

impl Coded for ProtocolName {
    const NAME: &'static str = "protocol";
    const CODES: &'static [(Self, jint)] = &[
        (ProtocolName::Auto, ffi::RESUP_PROTOCOL_AUTO),
        (ProtocolName::Form, ffi::RESUP_PROTOCOL_FORM),
        (ProtocolName::Tus, ffi::RESUP_PROTOCOL_TUS),
        (ProtocolName::Ietf, ffi::RESUP_PROTOCOL_IETF),
        (ProtocolName::Dav, ffi::RESUP_PROTOCOL_DAV),
        (ProtocolName::Session, ffi::RESUP_PROTOCOL_SESSION),
    ];
}

impl Coded for LocateMethod {
    const NAME: &'static str = "locate method";
    const CODES: &'static [(Self, jint)] = &[
        (LocateMethod::Post, ffi::RESUP_LOCATE_POST),
        (LocateMethod::Get, ffi::RESUP_LOCATE_GET),
    ];
}

impl Coded for SigningAlgorithm {
    const NAME: &'static str = "signing algorithm";
    const CODES: &'static [(Self, jint)] = &[
        (SigningAlgorithm::HmacSha256, ffi::RESUP_SIGNING_HMAC_SHA256),
        (SigningAlgorithm::HmacMd5, ffi::RESUP_SIGNING_HMAC_MD5),
    ];
}

impl Coded for Trust {
    const NAME: &'static str = "trust";
    const CODES: &'static [(Self, jint)] = &[
        (Trust::System, ffi::RESUP_TRUST_SYSTEM),
        (Trust::Bundled, ffi::RESUP_TRUST_BUNDLED),
    ];
}

impl Coded for FilenameStyle {
    const NAME: &'static str = "file name style";
    const CODES: &'static [(Self, jint)] = &[
        (FilenameStyle::Whatwg, ffi::RESUP_FILENAME_WHATWG),
        (FilenameStyle::Rfc8187, ffi::RESUP_FILENAME_RFC8187),
    ];
}

impl Coded for DigestMode {
    const NAME: &'static str = "digest mode";
    const CODES: &'static [(Self, jint)] = &[
        (DigestMode::None, ffi::RESUP_DIGEST_NONE),
        (DigestMode::OnePass, ffi::RESUP_DIGEST_ONE_PASS),
        (DigestMode::First, ffi::RESUP_DIGEST_FIRST),
    ];
}

impl Coded for DigestAlgorithm {
    const NAME: &'static str = "digest algorithm";
    const CODES: &'static [(Self, jint)] = &[
        (
            DigestAlgorithm::Automatic,
            ffi::RESUP_DIGEST_ALGORITHM_AUTOMATIC,
        ),
        (DigestAlgorithm::Blake3, ffi::RESUP_DIGEST_ALGORITHM_BLAKE3),
        (DigestAlgorithm::Sha256, ffi::RESUP_DIGEST_ALGORITHM_SHA256),
        (DigestAlgorithm::Md5, ffi::RESUP_DIGEST_ALGORITHM_MD5),
    ];
}

impl Coded for LogLevel {
    const NAME: &'static str = "log level";
    const CODES: &'static [(Self, jint)] = &[
        (LogLevel::Error, ffi::RESUP_LOG_ERROR),
        (LogLevel::Warn, ffi::RESUP_LOG_WARN),
        (LogLevel::Info, ffi::RESUP_LOG_INFO),
        (LogLevel::Debug, ffi::RESUP_LOG_DEBUG),
    ];
}

impl Coded for UploadState {
    const NAME: &'static str = "upload state";
    const CODES: &'static [(Self, jint)] = &[
        (UploadState::Ready, ffi::RESUP_STATE_READY),
        (UploadState::Hashing, ffi::RESUP_STATE_HASHING),
        (UploadState::Locating, ffi::RESUP_STATE_LOCATING),
        (UploadState::Sending, ffi::RESUP_STATE_SENDING),
        (UploadState::Verifying, ffi::RESUP_STATE_VERIFYING),
        (UploadState::Waiting, ffi::RESUP_STATE_WAITING),
        (UploadState::Paused, ffi::RESUP_STATE_PAUSED),
        (UploadState::Complete, ffi::RESUP_STATE_COMPLETE),
        (UploadState::Failed, ffi::RESUP_STATE_FAILED),
        (UploadState::Cancelled, ffi::RESUP_STATE_CANCELLED),
    ];
}

impl Coded for ErrorKind {
    const NAME: &'static str = "kind of error";
    const CODES: &'static [(Self, jint)] = &[
        (ErrorKind::InvalidArgument, ffi::RESUP_E_ARGUMENT),
        (ErrorKind::InvalidUrl, ffi::RESUP_E_URL),
        (ErrorKind::WrongState, ffi::RESUP_E_STATE),
        (ErrorKind::SourceNotFound, ffi::RESUP_E_SOURCE_NOT_FOUND),
        (ErrorKind::SourceDenied, ffi::RESUP_E_SOURCE_DENIED),
        (ErrorKind::SourceNotAFile, ffi::RESUP_E_SOURCE_NOT_A_FILE),
        (ErrorKind::SourceIo, ffi::RESUP_E_SOURCE_IO),
        (ErrorKind::SourceChanged, ffi::RESUP_E_SOURCE_CHANGED),
        (ErrorKind::ResolveFailed, ffi::RESUP_E_RESOLVE),
        (ErrorKind::ConnectFailed, ffi::RESUP_E_CONNECT),
        (ErrorKind::ConnectionLost, ffi::RESUP_E_CONNECTION_LOST),
        (ErrorKind::TimedOut, ffi::RESUP_E_TIMEOUT),
        (ErrorKind::Tls, ffi::RESUP_E_TLS),
        (ErrorKind::ProxyRefused, ffi::RESUP_E_PROXY),
        (ErrorKind::SessionExpired, ffi::RESUP_E_NOT_ALLOWED),
        (
            ErrorKind::Refused(RefusalKind::NotAllowed),
            ffi::RESUP_E_NOT_ALLOWED,
        ),
        (
            ErrorKind::Refused(RefusalKind::TooLarge),
            ffi::RESUP_E_TOO_LARGE,
        ),
        (ErrorKind::Refused(RefusalKind::Locked), ffi::RESUP_E_LOCKED),
        (
            ErrorKind::Refused(RefusalKind::Busy),
            ffi::RESUP_E_SERVER_BUSY,
        ),
        (
            ErrorKind::Refused(RefusalKind::Failing),
            ffi::RESUP_E_SERVER_FAILING,
        ),
        (
            ErrorKind::Refused(RefusalKind::NoSpace),
            ffi::RESUP_E_NO_SPACE,
        ),
        (ErrorKind::Refused(RefusalKind::Other), ffi::RESUP_E_REFUSED),
        (ErrorKind::BadResponse, ffi::RESUP_E_BAD_RESPONSE),
        (ErrorKind::ResponseTooLong, ffi::RESUP_E_RESPONSE_TOO_LONG),
        (ErrorKind::BadOffset, ffi::RESUP_E_BAD_OFFSET),
        (ErrorKind::DigestMismatch, ffi::RESUP_E_DIGEST),
        (
            ErrorKind::DigestUnavailable,
            ffi::RESUP_E_DIGEST_UNAVAILABLE,
        ),
        (ErrorKind::Cancelled, ffi::RESUP_E_CANCELLED),
        (ErrorKind::System, ffi::RESUP_E_SYSTEM),
        (ErrorKind::Internal, ffi::RESUP_E_INTERNAL),
    ];
}
