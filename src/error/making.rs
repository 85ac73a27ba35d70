//! Errors that several places make, and what is added to them on their way.

use super::{Error, Refusal, RefusalKind, STREAM};

/// How the reason begins where a request has gone, and no response came in time.
const NO_RESPONSE: &str = "no response within";

impl Error {
    /// Makes the error for a failure of the program's stream.
    pub(crate) fn stream_failed(why: String) -> Self {
        Error::SourceIo {
            path: STREAM.to_owned(),
            why,
            passing: false,
        }
    }

    /// Makes the error for a stream whose upload the server does not show, which may pass.
    pub(crate) fn stream_lost(why: String) -> Self {
        Error::SourceIo {
            path: STREAM.to_owned(),
            why,
            passing: true,
        }
    }

    /// Makes the error for a response that did not come within the limit for it, which is shown so.
    pub(crate) fn late_response(host: String, limit: &str) -> Self {
        let what = format!("{NO_RESPONSE} {limit}");
        Error::TimedOut { host, what }
    }

    /// Whether a response did not come within the limit for it, so that the server has got the request.
    #[cfg(feature = "tus")]
    pub(crate) fn is_late_response(&self) -> bool {
        matches!(self, Error::TimedOut { what, .. } if what.starts_with(NO_RESPONSE))
    }

    /// Makes the error for a stream without a size that cannot be uploaded; `why` names what lacks.
    pub(crate) fn size_needed(why: &str) -> Self {
        Error::InvalidArgument {
            what: "stream",
            why: format!(
                "of an unknown size cannot be uploaded: {why}; give the size (a file, or a stream that can \
                 go back), or use a server that speaks tus with creation-defer-length, or the IETF's \
                 resumable uploads"
            ),
        }
    }

    /// Makes the error for a response that is not of the protocol.
    pub(crate) fn bad_response(why: impl Into<String>) -> Self {
        Error::BadResponse {
            why: why.into(),
            answered_before: false,
        }
    }

    /// Makes the error for a response of more than `limit` bytes.
    pub(crate) fn response_too_long(limit: u64) -> Self {
        Error::ResponseTooLong {
            limit,
            answered_before: false,
        }
    }

    /// Makes the error for a panic that was caught.
    pub(crate) fn from_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        let why = panic
            .downcast_ref::<&str>()
            .map(|s| s.to_string())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned());
        Error::Internal { why }
    }

    /// Turns a refusal into that of the login at `url`. Whatever the status of one that stays, nobody
    /// is logged in.
    pub(crate) fn at_login(mut self, url: &str) -> Self {
        if let Error::Refused(refusal) = &mut self {
            refusal.login = Some(url.to_owned());
            if refusal.kind == RefusalKind::Other {
                refusal.kind = RefusalKind::NotAllowed;
            }
        }
        self
    }

    /// Turns a refusal into the one that follows a fresh login.
    pub(crate) fn after_login(mut self) -> Self {
        if let Error::Refused(refusal) = &mut self {
            refusal.kind = RefusalKind::NotAllowed;
            let why = || {
                "logged in, and still not accepted: are the login's fields right, and may this \
                 user upload there?"
                    .to_owned()
            };
            refusal.message.get_or_insert_with(why);
        }
        self
    }

    /// Adds what is known of the cause to a refusal.
    pub(crate) fn with_hint(mut self, hint: String) -> Self {
        if let Error::Refused(refusal) = &mut self {
            refusal.hint = Some(hint);
        }
        self
    }

    /// Gives a refusal another meaning.
    pub(crate) fn with_kind(mut self, kind: RefusalKind) -> Self {
        if let Error::Refused(refusal) = &mut self {
            refusal.kind = kind;
        }
        self
    }

    /// Gives the server's refusal, where that is the error.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Error::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}
