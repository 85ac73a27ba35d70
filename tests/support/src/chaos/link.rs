//! A connection of a client and one to the server, which end together.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use super::{reset_on_close, Cut};

/// How often a blocked read or write checks the fate of its link.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);
/// How long bytes are still read, and discarded, after an orderly cut.
const DISCARD_TIME: Duration = Duration::from_millis(200);

/// The two connections.
pub(super) struct Link {
    client: Arc<TcpStream>,
    server: OnceLock<TcpStream>,
    fate: Mutex<Fate>,
    changed: Condvar,
    peer_gone: AtomicBool,
}

/// How the two connections are to end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Live,
    /// To be closed with RST, as soon as the threads of both directions have ended.
    Reset,
    /// FIN was sent both ways; what still comes is discarded until this time.
    Finishing(Instant),
    Stalled,
}

impl Link {
    pub(super) fn new(client: Arc<TcpStream>) -> Self {
        tune(&client);
        Self {
            client,
            server: OnceLock::new(),
            fate: Mutex::new(Fate::Live),
            changed: Condvar::new(),
            peer_gone: AtomicBool::new(false),
        }
    }

    pub(super) fn client(&self) -> &TcpStream {
        &self.client
    }

    /// Gives the link its other end; an error where it was cut meanwhile.
    pub(super) fn attach(&self, server: TcpStream) -> Result<&TcpStream, ()> {
        tune(&server);
        let server = self.server.get_or_init(|| server);
        match self.fate() {
            Fate::Live => Ok(server),
            _ => Err(()),
        }
    }

    /// Returns how the connections are to end.
    pub(super) fn fate(&self) -> Fate {
        match *self.lock() {
            Fate::Live if self.peer_gone.load(Ordering::SeqCst) => Fate::Reset,
            fate => fate,
        }
    }

    /// Notes that one end is gone. The other direction still delivers what is on its way, and then
    /// both end with a reset.
    pub(super) fn set_peer_gone(&self) {
        self.peer_gone.store(true, Ordering::SeqCst);
    }

    /// Whether bytes still pass.
    pub(super) fn is_live(&self) -> bool {
        *self.lock() == Fate::Live
    }

    /// Sets the fate, unless it is set. A stalled connection can still be reset.
    pub(super) fn cut(&self, how: Cut) {
        let mut fate = self.lock();
        match (*fate, how) {
            (Fate::Live, _) | (Fate::Stalled, Cut::Rst) => {}
            _ => return,
        }
        let ends = [Some(&*self.client), self.server.get()];
        let shutdown = |which| {
            for end in ends.into_iter().flatten() {
                let _ = end.shutdown(which);
            }
        };
        match how {
            Cut::Rst => {
                *fate = Fate::Reset;
                // Wakes blocked reads and puts nothing on the wire.
                shutdown(Shutdown::Read);
            }
            Cut::Fin => {
                *fate = Fate::Finishing(Instant::now() + DISCARD_TIME);
                shutdown(Shutdown::Write);
            }
            Cut::Stall => *fate = Fate::Stalled,
        }
        drop(fate);
        self.changed.notify_all();
    }

    /// Sleeps; returns `false` if the connection was cut meanwhile.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut fate = self.lock();
        while *fate == Fate::Live {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            (fate, _) = self.changed.wait_timeout(fate, left).expect("fate");
        }
        false
    }

    /// Closes both ends with RST, if this is the last owner.
    pub(super) fn reset_on_close(&self) {
        reset_on_close(&self.client);
        if let Some(server) = self.server.get() {
            reset_on_close(server);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Fate> {
        self.fate.lock().expect("fate")
    }
}

fn tune(socket: &TcpStream) {
    let set = || -> io::Result<()> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(CHECK_INTERVAL))?;
        socket.set_write_timeout(Some(CHECK_INTERVAL))
    };
    let _ = set();
}
