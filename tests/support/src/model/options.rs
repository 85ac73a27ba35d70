//! What a model receiver is told.

use super::{Account, Flaw, Secret};

/// How a model receiver behaves. The default streams, has no limits and speaks plain HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Announced as `max_segment`; longer sends get 413.
    pub max_segment: Option<u64>,
    /// Requests with a longer body get 413, which nothing announces.
    pub max_body: Option<u64>,
    /// Never answer `prefix_md5`, as an optional member.
    pub hide_prefix_md5: bool,
    /// See a body only when it is whole: broken requests leave nothing.
    pub buffering: bool,
    /// Listen with TLS.
    pub tls: bool,
    /// Let a writer that still gets bytes be, and answer the next one 423 after 2 seconds.
    pub patient: bool,
    /// Who may come in, and whose uploads are whose. Everybody where there are none.
    pub accounts: Vec<Account>,
    /// What forms have to be signed with.
    pub secret: Option<Secret>,
    /// What it does wrong.
    pub flaw: Option<Flaw>,
}

impl Options {
    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}
