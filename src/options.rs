//! The plain options of clients and uploads.

use std::time::Duration;

use resup_digests::Algorithm;

/// The size of a source, as the numbers of an upload have it until its end is known: that of an upload
/// by [`Upload::from_reader`](crate::Upload::from_reader).
pub const SIZE_UNKNOWN: u64 = u64::MAX;

/// The protocol between a client and its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ProtocolName {
    /// The one that the server speaks, by its first response: the form protocol costs nothing to find,
    /// another one a request or two, once a client. The default.
    #[default]
    Auto,
    /// Form resume, the protocol of docs/PROTOCOL.md.
    Form,
    /// tus 1.0.
    Tus,
    /// The IETF's resumable uploads, drafts of them and the RFC to come.
    Ietf,
    /// WebDAV: a file is put at its own URL, in a collection.
    Dav,
    /// Sessions as Google Cloud Storage has them (308), and uploadx and OneDrive.
    Session,
}

impl ProtocolName {
    /// Gives the protocol's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ProtocolName::Auto => "auto",
            ProtocolName::Form => "form",
            ProtocolName::Tus => "tus",
            ProtocolName::Ietf => "ietf",
            ProtocolName::Dav => "dav",
            ProtocolName::Session => "session",
        }
    }

    /// Finds a protocol by the name that state files have for it.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        match name {
            "form" => Some(ProtocolName::Form),
            "tus" => Some(ProtocolName::Tus),
            "ietf" => Some(ProtocolName::Ietf),
            "dav" => Some(ProtocolName::Dav),
            "session" => Some(ProtocolName::Session),
            _ => None,
        }
    }
}

/// The HTTP method of a locate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LocateMethod {
    /// `POST` with an urlencoded form. No cache answers it. The default.
    #[default]
    Post,
    /// `GET` with the fields in the query. The URL is limited to 60 000 bytes.
    Get,
}

/// The time when the digest of the whole file is computed, if ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigestMode {
    /// Never. Then neither the server's prefix nor the whole file is compared: for networks and
    /// servers that do that themselves. A new mode, owner or link of the file during a run is a
    /// change of it, because nothing tells whether its bytes are the same. It goes only with
    /// [`DigestAlgorithm::Automatic`].
    None,
    /// While the file is sent, in one pass. The default. (Memory and streams are digested first in
    /// every mode, because only the digest tells two versions of them apart.)
    #[default]
    OnePass,
    /// Before the first request. A server that already has the content then needs no byte of it.
    First,
}

/// The algorithm of a file's digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigestAlgorithm {
    /// The best one that both sides have. The default.
    #[default]
    Automatic,
    /// BLAKE3 with 256 bits, the fastest.
    Blake3,
    /// SHA-256.
    Sha256,
    /// MD5, which every server has. It protects against accidents, not against an attacker.
    Md5,
}

impl DigestAlgorithm {
    /// Gives the algorithms that the server may choose from, the best one first.
    pub(crate) fn offer(self) -> &'static [Algorithm] {
        match self {
            DigestAlgorithm::Automatic => &Algorithm::ALL,
            DigestAlgorithm::Blake3 => &[Algorithm::Blake3],
            DigestAlgorithm::Sha256 => &[Algorithm::Sha256],
            DigestAlgorithm::Md5 => &[Algorithm::Md5],
        }
    }
}

impl From<Algorithm> for DigestAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Blake3 => DigestAlgorithm::Blake3,
            Algorithm::Sha256 => DigestAlgorithm::Sha256,
            Algorithm::Md5 => DigestAlgorithm::Md5,
        }
    }
}

/// The format of a file's name in a form.
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

/// The size of an upload's segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SegmentSize {
    /// One request carries everything that is left. The default. After one that has brought nothing,
    /// the size follows the network, as with [`Automatic`](Self::Automatic).
    #[default]
    Unlimited,
    /// At most so many bytes; fewer after a request that has brought nothing.
    Fixed(u64),
    /// As many as suit the network, from the first request on: first 4 MiB, more while one takes
    /// less than 5 seconds, fewer after more than 20 seconds and after one that has brought nothing.
    Automatic,
}

/// The limits of retries, and the waits before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// How many attempts in a row may fail without progress.
    pub limit: u32,
    /// Upper bound of the first wait.
    pub base: Duration,
    /// Upper bound of every wait.
    pub cap: Duration,
    /// How long attempts may fail without progress.
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

/// The time limits of the network's phases. None of them limits a whole transfer that makes
/// progress.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLimits {
    /// For the name lookup, and again for the TCP and TLS handshakes.
    pub connect: Duration,
    /// From the last byte of a request to the response's head, and again from there to its end.
    pub response: Duration,
    /// How long the network may accept no data while a body is being sent.
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
