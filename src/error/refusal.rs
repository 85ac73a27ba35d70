//! A server's refusal.

use std::time::Duration;

/// A server's refusal: its HTTP status and its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The meaning of the refusal.
    pub kind: RefusalKind,
    /// HTTP status code.
    pub status: u16,
    /// The URL of the login form, where the login itself was refused.
    pub login: Option<String>,
    /// The HTTP proxy, where the response may be its own. No response shows that for certain.
    pub proxy: Option<String>,
    /// The `message` member of the response's body, where it has one.
    pub message: Option<String>,
    /// The start of the response's body, for responses without a `message`.
    pub excerpt: String,
    /// The target of a 3xx redirect; it was not followed.
    pub redirect: Option<String>,
    /// What the response shows of the cause, such as another protocol or a clock that is wrong.
    pub hint: Option<String>,
    /// The time to wait that the server asks for.
    pub retry_after: Option<Duration>,
}

/// The meaning of a refusal to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// 401, 403: not logged in, or not allowed. Also a login that failed with a status of `Other`.
    NotAllowed,
    /// 413: more than the server takes.
    TooLarge,
    /// 423: another client is writing this upload.
    Locked,
    /// 429, 503: busy.
    Busy,
    /// 408, 417, 421, 425, and every 5xx that is not named here: a passing failure. After a response
    /// of the protocol also 3xx and 511: something else answers for a while.
    Failing,
    /// 507: no room.
    NoSpace,
    /// Every other 3xx and 4xx, and 501, 505 and 511.
    Other,
}

impl Refusal {
    /// Whether something else may have answered in the server's place, such as the login page of a
    /// network. To a send with a login, a redirect says that this user may not upload.
    pub(crate) fn is_foreign(&self, to_send: bool) -> bool {
        match (self.status, self.kind) {
            (511, _) | (300..=399, RefusalKind::Other) => true,
            (300..=399, RefusalKind::NotAllowed) => !to_send,
            _ => false,
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(url) = &self.login {
            write!(f, "the login at {url} failed: ")?;
        }
        write!(f, "the server")?;
        if let Some(proxy) = &self.proxy {
            write!(f, ", or the proxy {proxy} on the way to it,")?;
        }
        match self.status {
            // It took the request, and says at once that it does not take the file.
            200..=299 => write!(f, " does not take the file")?,
            status => write!(f, " refused with HTTP status {status}")?,
        }
        if let Some(url) = &self.redirect {
            write!(f, " (it points to {url}, which is not followed)")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        } else if self.message.is_none() && matches!(self.status, 404 | 405) {
            write!(f, " (is the URL right?)")?;
        }
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None if self.excerpt.is_empty() => Ok(()),
            None => write!(f, ", its response begins: {}", self.excerpt),
        }
    }
}
