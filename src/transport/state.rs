//! The state that the layers of a connection share during one exchange.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ureq::unversioned::transport::ConnectionDetails;

/// The phase of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing of the request is written yet: the name is looked up, and the connection made.
    Connecting,
    /// A name has no address.
    Unresolved,
    /// The head is written; the body waits for a 100 Continue.
    Expecting,
    /// Head or body are being written, except for the last bytes.
    Sending,
    /// The whole request is written.
    Sent,
    /// The final response came before the end of the body; the rest of the body is dropped.
    Early,
}

impl Phase {
    /// Whether there is a connection, and writing has begun.
    pub(super) fn is_connected(self) -> bool {
        !matches!(self, Phase::Connecting | Phase::Unresolved)
    }
}

/// The state of one request and its response.
#[derive(Debug)]
pub(super) struct RequestState {
    phase: Phase,
    /// The phase after connecting.
    first: Phase,
    /// Whether the next bytes are the request's first.
    pub(super) head_due: bool,
    /// Whether head and body are so short that they go out together.
    pub(super) is_short: bool,
    /// Whether the connection was made for this request.
    pub(super) is_fresh: bool,
    /// The address to which a connection was made for this request, where its name has several.
    pub(super) address: Option<SocketAddr>,
    /// How many bytes of the request's body were read; `None` before the first read.
    pub(super) body_read: Option<u64>,
    /// Whether the connection was kept from an earlier request, and was dead.
    pub(super) was_dead: bool,
    /// Whether the server asked for a new TLS handshake, which was declined.
    pub(super) asked_for_handshake: bool,
    pub(super) response: ResponseState,
}

/// The state of one response.
#[derive(Debug, Default)]
pub(super) struct ResponseState {
    /// Whether a part of it came.
    pub(super) has_begun: bool,
    /// Whether the final head came, and is in the form that ureq takes.
    pub(super) head_is_ready: bool,
    /// Whether ureq is about to wait for the head, though the buffer has it.
    pub(super) head_is_due: bool,
    /// Whether a 100 Continue came.
    pub(super) had_100: bool,
    /// Whether the time for a 100 Continue passed without a response, and no 100 came later.
    pub(super) no_100_yet: bool,
    /// The bytes after the head, as they came.
    pub(super) body_bytes: usize,
    /// Notes on odd lines of the head, and of earlier ones until they are taken.
    pub(super) notes: Vec<String>,
}

impl RequestState {
    pub(super) fn new(first: Phase) -> Self {
        RequestState {
            phase: Phase::Connecting,
            first,
            head_due: true,
            is_short: false,
            is_fresh: false,
            address: None,
            body_read: None,
            was_dead: false,
            asked_for_handshake: false,
            response: ResponseState::default(),
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

    /// Notes that the request is being written. Gives whether this is the first time.
    pub(super) fn begin_writing(&mut self) -> bool {
        let new = !self.phase.is_connected();
        if new {
            self.phase = self.first;
        }
        new
    }

    /// Notes that the body no longer waits for a 100 Continue.
    pub(super) fn end_expecting(&mut self) {
        if self.phase == Phase::Expecting {
            self.phase = Phase::Sending;
        }
    }

    /// Notes that the body's last bytes are written, so that a response is not early any more.
    pub(super) fn end_sending(&mut self) {
        if matches!(self.phase, Phase::Expecting | Phase::Sending) {
            self.phase = Phase::Sent;
        }
    }

    /// Notes that the final response came before the end of the body.
    pub(super) fn cut_short(&mut self) {
        self.phase = Phase::Early;
        self.response.head_is_due = true;
    }
}

/// The state that the layers of one connection share.
#[derive(Debug)]
pub(super) struct ConnectionState {
    request: Mutex<RequestState>,
    /// Whether the socket accepts no more data.
    pub(super) is_broken: AtomicBool,
    /// Counts the beginnings and ends of socket writes, and adds two whenever the system takes a
    /// part of one: odd while one is blocked.
    pub(super) writes: AtomicU64,
    /// Whether the socket keeps bytes of a write that the layers above take for written.
    pub(super) has_pending: AtomicBool,
    /// Whether the stall limit has ended the connection.
    pub(super) has_stalled: AtomicBool,
    /// Whether this side has ended the connection: by a command, or because a body failed.
    pub(super) is_aborted: AtomicBool,
    /// Whether the connection must not be used for another request.
    pub(super) is_unwanted: AtomicBool,
}

impl Default for ConnectionState {
    fn default() -> Self {
        ConnectionState {
            request: Mutex::new(RequestState::new(Phase::Sent)),
            is_broken: AtomicBool::new(false),
            writes: AtomicU64::new(0),
            has_pending: AtomicBool::new(false),
            has_stalled: AtomicBool::new(false),
            is_aborted: AtomicBool::new(false),
            is_unwanted: AtomicBool::new(false),
        }
    }
}

impl ConnectionState {
    /// Begins an exchange.
    pub(super) fn begin(&self, has_body: bool, expects_100: bool) {
        // No connection on which bytes are pending is kept.
        self.has_pending.store(false, Relaxed);
        let mut request = self.request();
        let notes = std::mem::take(&mut request.response.notes);
        *request = RequestState::new(match (has_body, expects_100) {
            (_, true) => Phase::Expecting,
            (true, false) => Phase::Sending,
            (false, false) => Phase::Sent,
        });
        request.response.notes = notes;
    }

    /// Locks the state of the current request. No layer may hold the lock while it calls the layer
    /// below.
    pub(super) fn request(&self) -> MutexGuard<'_, RequestState> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_stalled(&self) -> bool {
        self.has_stalled.load(Relaxed)
    }
}

/// The values that each layer of a connection gets.
#[derive(Debug, Clone)]
pub(super) struct Layers {
    pub(super) state: Arc<ConnectionState>,
    /// Whether an HTTP proxy makes a tunnel, or a SOCKS proxy a connection.
    pub(super) tunnel: bool,
}

impl Layers {
    /// Gives the state for a connection to the server; `None` for a connection to a proxy that
    /// comes before it.
    pub(super) fn state(&self, details: &ConnectionDetails) -> Option<Arc<ConnectionState>> {
        let to_proxy = self.tunnel && details.config.proxy().is_none();
        (!to_proxy).then(|| self.state.clone())
    }
}
