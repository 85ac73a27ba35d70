//! Which errors may pass.

use super::{Error, ErrorKind, RefusalKind};

impl Error {
    /// Changes the error into the one that it is after a response of the protocol: something else
    /// may answer for a while, such as a login page, or the connection may be damaged. `to_send`
    /// says that a send has failed so.
    pub(crate) fn after_answers(mut self, to_send: bool) -> Self {
        match &mut self {
            Error::BadResponse {
                answered_before, ..
            }
            | Error::ResponseTooLong {
                answered_before, ..
            } => *answered_before = true,
            Error::Refused(refusal) if refusal.is_foreign(to_send) => {
                refusal.kind = RefusalKind::Failing;
            }
            Error::Tls {
                host,
                why,
                may_be_damage: true,
            } => {
                let (host, why) = (std::mem::take(host), std::mem::take(why));
                return Error::ConnectionLost { host, why };
            }
            _ => {}
        }
        self
    }

    /// Whether the library tries again by itself after this error: the cause may pass, and a new
    /// locate gives the offset to go on from.
    pub(crate) fn is_passing(&self) -> bool {
        if let Error::MayBeStored { .. } = self {
            return false;
        }
        let passes = match self {
            Error::BadResponse {
                answered_before, ..
            }
            | Error::ResponseTooLong {
                answered_before, ..
            } => *answered_before,
            Error::SourceIo { passing, .. } => *passing,
            _ => false,
        };
        passes
            || matches!(
                self.kind(),
                ErrorKind::ResolveFailed
                    | ErrorKind::ConnectFailed
                    | ErrorKind::ConnectionLost
                    | ErrorKind::TimedOut
                    | ErrorKind::SessionExpired
                    | ErrorKind::Refused(
                        RefusalKind::Locked | RefusalKind::Busy | RefusalKind::Failing
                    )
            )
    }

    /// Whether a send may have failed so because it was too large: something on the way may not say
    /// that with a 413. (Of the refusals of other kinds only a 400 passes.)
    pub(crate) fn may_mean_too_large(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::ConnectionLost
                | ErrorKind::TimedOut
                | ErrorKind::BadResponse
                | ErrorKind::ResponseTooLong
                | ErrorKind::Refused(RefusalKind::Failing | RefusalKind::Other)
        )
    }

    /// Whether running the same upload again, later and unchanged, may succeed. Not after a cancel, though another run goes on
    /// from what the server has: the program wanted the end.
    pub fn is_retryable(&self) -> bool {
        self.is_passing()
            || matches!(
                self.kind(),
                ErrorKind::DigestMismatch
                    | ErrorKind::SourceChanged
                    | ErrorKind::System
                    | ErrorKind::Refused(RefusalKind::NoSpace)
            )
    }
}
