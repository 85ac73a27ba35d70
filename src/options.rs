//! The plain options of clients and uploads.

use std::time::Duration;

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

impl Default for TimeLimits {
    fn default() -> Self {
        TimeLimits {
            connect: Duration::from_secs(30),
            response: Duration::from_secs(120),
            stall: Duration::from_secs(60),
        }
    }
}
