//! The options of a model receiver.

use super::{Account, Flaw, Secret};

/// How a model receiver behaves. The default streams, has no limits and speaks plain HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Announced as `max_segment`; longer sends get 413.
    pub max_segment: Option<u64>,
    /// Requests with a longer body get 413, which nothing announces.
    pub max_body: Option<u64>,
    /// Send no `prefix_md5`, which is optional.
    pub hide_prefix_md5: bool,
    /// Take bytes without their digest, too.
    pub digests_optional: bool,
    /// See a body only when it is whole: one that is cut short leaves nothing.
    pub buffering: bool,
    /// Notice late that a body was cut short, and store only then what came of it.
    pub late: bool,
    /// Compare the `md5` at a file's end only, and drop all bytes when that is wrong.
    pub end_digest_only: bool,
    /// Send no `location`, which is optional.
    pub hide_location: bool,
    /// Listen with TLS.
    pub tls: bool,
    /// Leave a client alone that still sends bytes; the next one gets 423 after 2 seconds.
    pub patient: bool,
    /// The users, each of whom sees only their own uploads. Without any, everybody has access.
    pub accounts: Vec<Account>,
    /// The secret that forms have to be signed with.
    pub secret: Option<Secret>,
    /// A mistake to make.
    pub flaw: Option<Flaw>,
}

impl Options {
    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}
