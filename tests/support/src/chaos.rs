//! A TCP proxy that does to a connection what a bad network does, at an exact byte.
//!
//! What happens to connection number `i` depends on the seed and on `i` alone, so that a run can
//! be repeated. Without faults the proxy is transparent: FIN, half-close and RST are passed on.

mod link;
mod pump;

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::{Duration, Instant};

use crate::acceptor::{free_port, reset_on_close, Acceptor, Job};
use crate::seed::mix;
use link::{Fate, Link};
use pump::Pump;

/// How many stalled connections stay open; beyond that the oldest is reset.
pub const MAX_STALLED: usize = 256;

const CONNECT_TIME: Duration = Duration::from_secs(5);

/// How a connection is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cut {
    /// Both sides see a reset.
    #[default]
    Rst,
    /// Both sides see an orderly end. What they still send is discarded for a moment, so that
    /// no reset overtakes the bytes before the cut.
    Fin,
    /// Both sides see nothing at all: the connection stays open and no byte passes any more.
    Stall,
}

/// The faults of one connection; by default none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Cut as soon as this many bytes were forwarded from client to server, and not one more.
    /// With 0 the connection is cut right after it was made.
    pub cut_up_after: Option<u64>,
    /// Cut as soon as this many bytes were forwarded from server to client, and not one more.
    /// With 0 the connection is cut when the first byte of a response comes, which is lost.
    pub cut_down_after: Option<u64>,
    /// How the cuts and `refuse` are done.
    pub how: Cut,
    /// Wait before connecting to the server.
    pub delay_connect: Duration,
    /// Wait before each piece (up to 256 KiB) from client to server.
    pub delay_up: Duration,
    /// The most bytes a second from client to server.
    pub rate_up: Option<u64>,
    /// Flip one bit of the byte with this index, counted from 0, on its way to the server.
    pub corrupt_up_at: Option<u64>,
    /// Flip one bit of the byte with this index, counted from 0, on its way to the client.
    pub corrupt_down_at: Option<u64>,
    /// End the connection as soon as it was accepted; none is made to the server.
    pub refuse: bool,
    /// Forward nothing to the client but the end of the connection.
    pub drop_response: bool,
    /// Answer the client's first bytes with these, and end the connection; none is made to the server.
    pub reply: Option<&'static str>,
    /// Have no fault at all unless at least so many other connections are open.
    pub only_beside: usize,
}

impl Faults {
    /// Forwards so many bytes to the server, and then nothing any more.
    pub fn stalled(after: u64) -> Self {
        Self {
            cut_up_after: Some(after),
            how: Cut::Stall,
            ..Self::default()
        }
    }

    /// Makes a cut within the first `up` bytes to the server or `down` bytes to the client, or refuses a connection.
    pub fn random_cut(rng: &mut fastrand::Rng, (up, down): (u64, u64)) -> Self {
        let how = if rng.bool() { Cut::Rst } else { Cut::Fin };
        let faults = match rng.u8(..8) {
            0 => Self {
                refuse: true,
                ..Self::default()
            },
            1..4 => Self {
                cut_down_after: Some(rng.u64(..down)),
                ..Self::default()
            },
            _ => Self {
                cut_up_after: Some(rng.u64(..up)),
                ..Self::default()
            },
        };
        Self { how, ..faults }
    }
}

/// The proxy. Dropping it resets every connection and ends its threads.
pub struct ChaosProxy {
    acceptor: Acceptor,
    shared: Arc<Shared>,
}

struct Shared {
    target: Mutex<SocketAddr>,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
    registry: Mutex<Registry>,
    left: Condvar,
}

#[derive(Default)]
struct Registry {
    /// Connections with a thread, which owns them.
    running: HashMap<u64, Weak<Link>>,
    /// Stalled connections, whose threads have ended.
    stalled: VecDeque<Arc<Link>>,
}

impl Registry {
    fn open(&self) -> usize {
        self.running.len() + self.stalled.len()
    }
}

impl ChaosProxy {
    /// Starts a proxy in front of `target`. `plan` is asked once for every connection, in the
    /// order of their arrival, with the number of the connection and a generator made of `seed`
    /// and that number.
    pub fn start(
        target: SocketAddr,
        plan: impl FnMut(u64, &mut fastrand::Rng) -> Faults + Send + 'static,
        seed: u64,
    ) -> Self {
        Self::on(free_port(), target, plan, seed)
    }

    /// Starts a proxy that cuts the first of its connections, at most 11, each within its first `bytes` to the server or
    /// to the client.
    pub fn with_cuts(target: SocketAddr, rng: &mut fastrand::Rng, bytes: (u64, u64)) -> Self {
        let cuts = rng.u64(1..12);
        let plan = move |number: u64, rng: &mut fastrand::Rng| match number < cuts {
            true => Faults::random_cut(rng, bytes),
            false => Faults::default(),
        };
        Self::start(target, plan, rng.u64(..))
    }

    /// Starts a proxy with small buffers: it takes some 100 KB more from each client than its rate
    /// carries, and not some 4 MB.
    pub fn narrow(
        target: SocketAddr,
        plan: impl FnMut(u64, &mut fastrand::Rng) -> Faults + Send + 'static,
        seed: u64,
    ) -> Self {
        let listener = free_port();
        let socket = socket2::SockRef::from(&listener);
        // The client's buffer is as large as many segments.
        #[cfg(unix)]
        socket.set_tcp_mss(1400).expect("the size of a segment");
        socket
            .set_recv_buffer_size(4 << 10)
            .expect("the size of a buffer");
        Self::on(listener, target, plan, seed)
    }

    fn on(
        listener: TcpListener,
        target: SocketAddr,
        mut plan: impl FnMut(u64, &mut fastrand::Rng) -> Faults + Send + 'static,
        seed: u64,
    ) -> Self {
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            bytes_up: AtomicU64::new(0),
            bytes_down: AtomicU64::new(0),
            registry: Mutex::default(),
            left: Condvar::new(),
        });
        let theirs = shared.clone();
        let acceptor = Acceptor::on(listener, move |client, index, _| {
            let mut rng = fastrand::Rng::with_seed(mix(seed, index));
            let mut faults = plan(index, &mut rng);
            if theirs.registry().open() < faults.only_beside {
                faults = Faults::default();
            }
            let bits = (1 << rng.u8(..8), 1 << rng.u8(..8));
            let link = Arc::new(Link::new(client));
            let shared = theirs.clone();
            shared
                .registry()
                .running
                .insert(index, Arc::downgrade(&link));
            let job: Job = Box::new(move || {
                shared.carry(&link, &faults, bits);
                shared.leave(link, index);
            });
            job
        });
        Self { acceptor, shared }
    }

    /// Starts a proxy without faults.
    pub fn clean(target: SocketAddr) -> Self {
        Self::start(target, |_, _| Faults::default(), 0)
    }

    /// Returns the address for clients.
    pub fn addr(&self) -> SocketAddr {
        self.acceptor.addr()
    }

    /// Connects new connections to another address from now on.
    pub fn set_target(&self, target: SocketAddr) {
        *self.shared.target.lock().expect("target") = target;
    }

    /// Returns the number of connections that were accepted.
    pub fn connections(&self) -> u64 {
        self.acceptor.accepted()
    }

    /// Returns the number of bytes that were forwarded from clients to the server.
    pub fn bytes_up(&self) -> u64 {
        self.shared.bytes_up.load(Ordering::Relaxed)
    }

    /// Returns the number of bytes that were forwarded from the server to clients.
    pub fn bytes_down(&self) -> u64 {
        self.shared.bytes_down.load(Ordering::Relaxed)
    }

    /// Resets every connection that is open now, stalled ones too, and returns when that is done.
    pub fn cut_all(&self) {
        let mut registry = self.shared.registry();
        for link in registry.stalled.drain(..) {
            link.reset_on_close();
        }
        let mut cut = HashSet::new();
        for (index, link) in &registry.running {
            if let Some(link) = link.upgrade() {
                link.cut(Cut::Rst);
                cut.insert(*index);
            }
        }
        let deadline = Instant::now() + CONNECT_TIME;
        while registry.running.keys().any(|index| cut.contains(index)) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            (registry, _) = self
                .shared
                .left
                .wait_timeout(registry, left)
                .expect("registry");
        }
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.acceptor.close();
        self.cut_all();
    }
}

impl Shared {
    fn registry(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().expect("registry")
    }

    /// Forwards the bytes of one connection until it only has to be closed.
    fn carry(&self, link: &Arc<Link>, faults: &Faults, (bit_up, bit_down): (u8, u8)) {
        if faults.refuse {
            return link.cut(faults.how);
        }
        if !link.pause(faults.delay_connect) {
            return;
        }
        if let Some(reply) = faults.reply {
            return pump::answer(link, reply.as_bytes());
        }
        let target = *self.target.lock().expect("target");
        let Ok(server) = TcpStream::connect_timeout(&target, CONNECT_TIME) else {
            return link.cut(Cut::Rst);
        };
        let Ok(server) = link.attach(server) else {
            return link.cut(Cut::Rst);
        };
        if faults.cut_up_after == Some(0) {
            link.cut(faults.how);
        }
        let up = Pump {
            link,
            from: link.client(),
            to: server,
            total: &self.bytes_up,
            cut_after: faults.cut_up_after,
            how: faults.how,
            corrupt: faults.corrupt_up_at.map(|at| (at, bit_up)),
            delay: faults.delay_up,
            rate: faults.rate_up,
            discard: false,
        };
        let down = Pump {
            from: server,
            to: link.client(),
            total: &self.bytes_down,
            cut_after: faults.cut_down_after,
            corrupt: faults.corrupt_down_at.map(|at| (at, bit_down)),
            delay: Duration::ZERO,
            rate: None,
            discard: faults.drop_response,
            ..up.clone()
        };
        std::thread::scope(|scope| {
            let other = std::thread::Builder::new()
                .name("down".into())
                .stack_size(256 * 1024)
                .spawn_scoped(scope, move || down.run());
            if other.is_err() {
                link.cut(Cut::Rst);
            }
            up.run();
        });
    }

    /// Closes a connection as its fate says, or lists it as stalled.
    fn leave(&self, link: Arc<Link>, index: u64) {
        let mut registry = self.registry();
        match link.fate() {
            Fate::Stalled => {
                registry.stalled.push_back(link);
                if registry.stalled.len() > MAX_STALLED {
                    if let Some(oldest) = registry.stalled.pop_front() {
                        oldest.reset_on_close();
                    }
                }
            }
            fate => {
                if fate == Fate::Reset {
                    link.reset_on_close();
                }
                // It is closed before it leaves the list, since `cut_all` waits for that.
                drop(link);
            }
        }
        registry.running.remove(&index);
        drop(registry);
        self.left.notify_all();
    }
}
