//! What the layers of a connection tell each other during one exchange.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ureq::unversioned::transport::ConnectionDetails;

/// How far the sending of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing of the request has been written: names are looked up, connections made.
    Connecting,
    /// A name has no address.
    Unresolved,
    /// The head is written, and a 100 Continue is awaited before the body.
    Expecting,
    /// Head or body are being written, and not the last bytes.
    Sending,
    /// All of the request is handed over.
    Sent,
    /// The final response is there although the body is not all sent: the rest of it is dropped.
    Early,
}

impl Phase {
    /// Whether a connection is up and the request is being written.
    pub(super) fn is_connected(self) -> bool {
        !matches!(self, Phase::Connecting | Phase::Unresolved)
    }
}

/// One request and its response.
#[derive(Debug)]
pub(super) struct RequestState {
    phase: Phase,
    /// The phase after connecting.
    first: Phase,
    /// The next bytes to be written are the request's first.
    pub(super) head_due: bool,
    /// A connection was made for this request.
    pub(super) is_fresh: bool,
    /// Part of a response came.
    pub(super) heard: bool,
    /// Some of the request's body was read.
    pub(super) body_begun: bool,
    /// A whole final head lies in the buffer, and ureq is about to wait for it.
    pub(super) response_ready: bool,
    /// Neither a 100 Continue nor a response came in time, and no 100 later.
    pub(super) no_100_yet: bool,
}

impl RequestState {
    fn new(first: Phase) -> Self {
        RequestState {
            phase: Phase::Connecting,
            first,
            head_due: true,
            is_fresh: false,
            heard: false,
            body_begun: false,
            response_ready: false,
            no_100_yet: false,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Notes that a name was looked up.
    pub(super) fn resolved(&mut self, found: bool) {
        self.phase = match found {
            true => Phase::Connecting,
            false => Phase::Unresolved,
        };
    }

    /// Notes that the request is being written; whether that is new.
    pub(super) fn begin_writing(&mut self) -> bool {
        let new = !self.phase.is_connected();
        if new {
            self.phase = self.first;
        }
        new
    }

    /// Notes that no 100 Continue is awaited any more.
    pub(super) fn end_expecting(&mut self) {
        if self.phase == Phase::Expecting {
            self.phase = Phase::Sending;
        }
    }

    /// Notes that the body's last bytes are on their way: no response is early any more.
    pub(super) fn end_sending(&mut self) {
        if matches!(self.phase, Phase::Expecting | Phase::Sending) {
            self.phase = Phase::Sent;
        }
    }

    /// Notes that the final response is there before the body's end.
    pub(super) fn cut_short(&mut self) {
        self.phase = Phase::Early;
        self.response_ready = true;
    }
}

/// A connection, as its layers share it.
#[derive(Debug)]
pub(super) struct ConnectionState {
    request: Mutex<RequestState>,
    /// The socket takes nothing any more.
    pub(super) is_broken: AtomicBool,
    /// Counts socket writes, begun and ended; odd while one is blocked.
    pub(super) writes: AtomicU64,
    /// The stall limit has ended the connection.
    pub(super) has_stalled: AtomicBool,
}

impl Default for ConnectionState {
    fn default() -> Self {
        ConnectionState {
            request: Mutex::new(RequestState::new(Phase::Sent)),
            is_broken: AtomicBool::new(false),
            writes: AtomicU64::new(0),
            has_stalled: AtomicBool::new(false),
        }
    }
}

impl ConnectionState {
    /// Begins an exchange.
    pub(super) fn begin(&self, has_body: bool, expects_100: bool) {
        *self.request() = RequestState::new(match (has_body, expects_100) {
            (_, true) => Phase::Expecting,
            (true, false) => Phase::Sending,
            (false, false) => Phase::Sent,
        });
    }

    /// The request under way. No layer may hold this while it calls the one below.
    pub(super) fn request(&self) -> MutexGuard<'_, RequestState> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_stalled(&self) -> bool {
        self.has_stalled.load(Relaxed)
    }
}

/// What the layers of a connection are made with.
#[derive(Debug, Clone)]
pub(super) struct Layers {
    pub(super) state: Arc<ConnectionState>,
    /// An HTTP proxy is asked for a tunnel, or a SOCKS proxy for a connection.
    pub(super) tunnel: bool,
}

impl Layers {
    /// Gives the state, for a connection to the server; `None` for one to a proxy, over which the
    /// connection to the server is made as a next step.
    pub(super) fn state(&self, details: &ConnectionDetails) -> Option<Arc<ConnectionState>> {
        let to_proxy = self.tunnel && details.config.proxy().is_none();
        (!to_proxy).then(|| self.state.clone())
    }
}
