//! The settings that all uploads of a client share.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::http::certificates::Certificates;
use crate::http::credentials::Credentials;
use crate::http::endpoint::Endpoint;
use crate::http::proxy::{NoProxy, ProxySetting};
use crate::http::session::Standing;

/// How a locate request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LocateMethod {
    /// `POST` with an urlencoded form, which no cache answers. The default.
    #[default]
    Post,
    /// `GET` with the fields in the query: no more than 60 000 bytes, the address included.
    Get,
}

/// Whether and when the MD5 of the whole file is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigestMode {
    /// Not at all. Then neither a prefix on the server nor the whole file is compared: for
    /// networks and servers that do that themselves.
    None,
    /// While the file is sent, in one pass. The default. (Memory and streams are digested first in
    /// every mode: nothing else tells two versions of them apart.)
    #[default]
    OnePass,
    /// Before the first request, so that a server which has the content already needs no byte of
    /// it.
    First,
}

/// How a file's name is written into a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FilenameStyle {
    /// `filename`, as browsers write it: UTF-8, with `"`, CR and LF as `%22`, `%0D` and `%0A`. The
    /// default.
    #[default]
    Whatwg,
    /// `filename` and after it `filename*` (RFC 8187), for servers that take the first for
    /// Latin-1.
    Rfc8187,
}

/// How large the segments of an upload are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SegmentSize {
    /// Everything that is left goes in one request. The default.
    #[default]
    Unlimited,
    /// At most so many bytes.
    Fixed(u64),
    /// Grows while the network is good, shrinks after breaks.
    Automatic,
}

/// How often, and how patiently, a break is followed by another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// Attempts in a row that may fail without the server's offset having moved.
    pub limit: u32,
    /// Upper bound of the first wait.
    pub base: Duration,
    /// Upper bound of every wait.
    pub cap: Duration,
    /// The most time for attempts without the server's offset having moved.
    pub time: Option<Duration>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            limit: 8,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(30),
            time: None,
        }
    }
}

/// One client's settings; a run takes a snapshot when it begins.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Counts the changes.
    pub version: u64,
    pub endpoint: Endpoint,
    pub user: Option<String>,
    pub user_agent: String,
    pub locate_method: LocateMethod,
    pub limits: TimeLimits,
    pub retry: RetryPolicy,
    pub proxy: ProxySetting,
    /// What is reached without a proxy; `None` leaves it to the environment.
    pub no_proxy: Option<NoProxy>,
    pub certificates: Certificates,
    pub credentials: Credentials,
    /// What came of these credentials: the cookies and the login.
    pub standing: Arc<Standing>,
    pub file_name_style: FilenameStyle,
}

/// Time limits of the network's phases. None bounds a healthy transfer as a whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLimits {
    /// Name lookup, and TCP and TLS handshake, each.
    pub connect: Duration,
    /// From the last byte of a request to the answer's head, and again to its end.
    pub response: Duration,
    /// How long the network may take nothing of what is being sent.
    pub stall: Duration,
}

impl Settings {
    pub(crate) fn new(endpoint: &str) -> Result<Self, Error> {
        Ok(Settings {
            version: 0,
            endpoint: Endpoint::parse(endpoint)?,
            user: None,
            user_agent: concat!("resup/", env!("CARGO_PKG_VERSION")).to_owned(),
            locate_method: LocateMethod::Post,
            limits: TimeLimits {
                connect: Duration::from_secs(30),
                response: Duration::from_secs(120),
                stall: Duration::from_secs(60),
            },
            retry: RetryPolicy::default(),
            proxy: ProxySetting::default(),
            no_proxy: None,
            certificates: Certificates::default(),
            credentials: Credentials::default(),
            standing: Arc::default(),
            file_name_style: FilenameStyle::default(),
        })
    }
}

/// The longest time limit that can be set: a year. (Longer ones overflow the system's clocks.)
const LONGEST: Duration = Duration::from_secs(365 * 86400);

/// Checks a time limit: longer than zero, at most a year.
pub(crate) fn check_duration(what: &'static str, value: Duration) -> Result<Duration, Error> {
    if value.is_zero() || value > LONGEST {
        return Err(Error::InvalidArgument {
            what,
            why: format!(
                "must be more than 0 and at most a year, not {} ms",
                value.as_millis()
            ),
        });
    }
    Ok(value)
}

/// Checks text that goes into a header or a form field of its own line.
pub(crate) fn check_line(what: &'static str, value: &str) -> Result<String, Error> {
    let wrong = value
        .chars()
        .find(|c| c.is_control() || (what == "user agent" && !c.is_ascii()));
    match wrong {
        Some(c) => Err(Error::InvalidArgument {
            what,
            why: format!("contains the character {c:?}, which is not allowed there"),
        }),
        None if value.is_empty() => Err(Error::InvalidArgument {
            what,
            why: "must not be empty".to_owned(),
        }),
        None => Ok(value.to_owned()),
    }
}

/// Checks the name that a server is told for a file.
pub(crate) fn check_file_name(name: &str) -> Result<String, Error> {
    let why = match name {
        "" | "." | ".." => format!("\"{name}\" cannot be a file's name"),
        name if name.contains(['/', '\0']) => {
            format!("{name:?} contains / or NUL; the directory is a setting of its own")
        }
        name if name.len() > 1024 => format!("has {} bytes, more than 1024", name.len()),
        name => return Ok(name.to_owned()),
    };
    Err(Error::InvalidArgument {
        what: "file name",
        why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_that_would_break_are_refused() {
        assert!(check_duration("t", Duration::ZERO).is_err());
        assert!(check_duration("t", Duration::MAX).is_err());
        assert!(check_duration("t", Duration::from_millis(1)).is_ok());
    }

    #[test]
    fn header_text_is_one_line() {
        assert!(check_line("user agent", "a\r\nX: y").is_err());
        assert!(check_line("user agent", "ü").is_err());
        assert!(check_line("user", "用户").is_ok());
        assert!(check_line("user", "").is_err());
    }
}
