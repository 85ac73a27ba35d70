//! The options of a model receiver.

use super::{Account, Flaw, Secret};
use crate::digests::NAMES;

/// How a model receiver behaves. The default speaks version 1.0 of the protocol by plain HTTP, streams and has no
/// limits.
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
    /// The digests that a client of 1.1 can choose from. Without any it is a receiver of 1.0, which ignores
    /// what 1.1 adds.
    pub digests: &'static [&'static str],
    /// Announced as `small` by a receiver of 1.1.
    pub small: Option<u64>,
    /// Announced as `parts` by a receiver of 1.1.
    pub parts: Option<u64>,
    /// Takes discards.
    pub discards: bool,
    /// A mistake to make.
    pub flaw: Option<Flaw>,
}

impl Options {
    /// Makes the options of a receiver of 1.1 with all digests, stores and parts.
    pub fn newest() -> Self {
        Self {
            digests: &NAMES,
            small: Some(256 << 10),
            parts: Some(6),
            discards: true,
            ..Self::default()
        }
    }

    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}
