//! What the layers of a link tell each other during one exchange.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use ureq::unversioned::transport::ConnectionDetails;

/// What the layers of a link tell each other during one exchange.
#[derive(Debug, Default)]
pub(super) struct Flags {
    /// What is written next is the request's head.
    pub(super) heading: AtomicBool,
    /// Part of an answer came.
    pub(super) heard: AtomicBool,
    /// A connection was made for this request.
    pub(super) fresh: AtomicBool,
    /// Looking up the name failed.
    pub(super) unresolved: AtomicBool,
    /// A connection is up and the request is being written.
    pub(super) talking: AtomicBool,
    /// A request body is under way, and not its last bytes.
    pub(super) sending: AtomicBool,
    /// The final answer is there although the body is not all sent: swallow the rest.
    pub(super) early: AtomicBool,
    /// A whole final head lies in the buffer, and ureq is about to wait for it.
    pub(super) answer_waits: AtomicBool,
    /// The socket takes nothing any more.
    pub(super) broken: AtomicBool,
    /// Socket writes begun and ended; odd while one is blocked.
    pub(super) writes: AtomicU64,
    /// The stall limit ended the link.
    pub(super) stalled: AtomicBool,
    /// Leave to send the body is awaited.
    pub(super) expecting: AtomicBool,
    /// Neither leave nor an answer came in time, and no leave later.
    pub(super) unanswered: AtomicBool,
    /// Some of the request's body was read.
    pub(super) begun: AtomicBool,
}

/// What the layers of a link are made with.
#[derive(Debug, Clone)]
pub(super) struct Layers {
    pub(super) flags: Arc<Flags>,
    /// An HTTP proxy is asked for a tunnel, or a SOCKS proxy for a connection.
    pub(super) tunnel: bool,
}

impl Layers {
    /// The flags, for a connection to the server; `None` for one to a proxy, on which the
    /// connection to the server is made as a next step.
    pub(super) fn flags(&self, details: &ConnectionDetails) -> Option<Arc<Flags>> {
        let to_proxy = self.tunnel && details.config.proxy().is_none();
        (!to_proxy).then(|| self.flags.clone())
    }
}

impl Flags {
    pub(super) fn begin(&self, with_body: bool, expecting: bool) {
        self.heading.store(true, Ordering::Relaxed);
        self.heard.store(false, Ordering::Relaxed);
        self.fresh.store(false, Ordering::Relaxed);
        self.expecting.store(expecting, Ordering::Relaxed);
        self.unanswered.store(false, Ordering::Relaxed);
        self.answer_waits.store(false, Ordering::Relaxed);
        self.begun.store(false, Ordering::Relaxed);
        self.unresolved.store(false, Ordering::Relaxed);
        self.talking.store(false, Ordering::Relaxed);
        self.early.store(false, Ordering::Relaxed);
        self.sending.store(with_body, Ordering::Relaxed);
    }
}
