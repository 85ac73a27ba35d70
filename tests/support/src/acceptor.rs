//! What every server here shares: it accepts connections, runs a thread for each, and ends promptly.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// The work for one connection, which runs on its own thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// How long a drop waits for the threads of its connections.
const CLOSE_TIME: Duration = Duration::from_secs(5);

/// Accepts connections until it is dropped.
pub(crate) struct Acceptor {
    addr: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stopping: bool,
    accepted: u64,
    /// Weak, since a connection is reset or closed only when its last owner drops it.
    sockets: HashMap<u64, Weak<TcpStream>>,
}

/// A signal to the threads of connections that their server is ending.
#[derive(Clone)]
pub(crate) struct Stop(Arc<Shared>);

impl Acceptor {
    /// Listens on a free port of 127.0.0.1. `handler` runs on the accepting thread, one
    /// connection after the other, and returns what the connection's thread is to do.
    pub(crate) fn start(
        handler: impl FnMut(Arc<TcpStream>, u64, Stop) -> Job + Send + 'static,
    ) -> Self {
        Self::on(free_port(), handler)
    }

    /// As `start`, with a given listener.
    pub(crate) fn on(
        listener: TcpListener,
        mut handler: impl FnMut(Arc<TcpStream>, u64, Stop) -> Job + Send + 'static,
    ) -> Self {
        let addr = listener.local_addr().expect("address of the listener");
        let shared = Arc::new(Shared::default());
        let stop = Stop(shared.clone());
        let thread = Builder::new()
            .name("accept".into())
            .spawn(move || {
                for socket in listener.incoming() {
                    if stop.is_set() {
                        return;
                    }
                    // Too many open files, or the peer has gone already.
                    let Ok(socket) = socket else {
                        std::thread::sleep(Duration::from_millis(5));
                        continue;
                    };
                    let _ = socket.set_nodelay(true);
                    let socket = Arc::new(socket);
                    let id = stop.0.enter(&socket);
                    let job = handler(socket, id, stop.clone());
                    let leave = Leave(stop.0.clone(), id);
                    let started = spawn("connection", move || {
                        let _leave = leave;
                        job();
                    });
                    if let Err(error) = started {
                        eprintln!("no thread for connection {id}: {error}");
                    }
                }
            })
            .expect("thread that accepts");
        Self {
            addr,
            shared,
            thread: Some(thread),
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the number of connections so far.
    pub(crate) fn accepted(&self) -> u64 {
        self.shared.lock().accepted
    }

    /// Waits until so many connections came and every one has ended; `false` if that takes longer.
    pub(crate) fn settle(&self, connections: u64, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let mut state = self.shared.lock();
        while state.accepted < connections || !state.sockets.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.wait(state, left);
        }
        true
    }

    /// Stops accepting; open connections go on.
    pub(crate) fn close(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // Wakes the accepting thread, which checks `stopping` first.
            let _ = TcpStream::connect_timeout(&self.addr, CLOSE_TIME);
            let _ = thread.join();
        }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.close();
        let sockets: Vec<_> = self.shared.lock().sockets.values().cloned().collect();
        for socket in sockets.iter().filter_map(Weak::upgrade) {
            let _ = socket.shutdown(Shutdown::Both);
        }
        if !self.settle(0, CLOSE_TIME) {
            eprintln!("connections of a test server did not end");
        }
    }
}

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.lock().stopping
    }

    /// Sleeps for `time`, or until the server ends; then it returns `true`.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut state = self.0.lock();
        while !state.stopping {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.0.wait(state, left);
        }
        true
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("state of the acceptor")
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        let (guard, _) = self
            .changed
            .wait_timeout(guard, time)
            .expect("state of the acceptor");
        guard
    }

    fn enter(&self, socket: &Arc<TcpStream>) -> u64 {
        let mut state = self.lock();
        let id = state.accepted;
        state.accepted += 1;
        state.sockets.insert(id, Arc::downgrade(socket));
        self.changed.notify_all();
        id
    }
}

/// A guard that removes a connection from the list, also when its thread panics.
struct Leave(Arc<Shared>, u64);

impl Drop for Leave {
    fn drop(&mut self) {
        if let Ok(mut state) = self.0.state.lock() {
            state.sockets.remove(&self.1);
        }
        self.0.changed.notify_all();
    }
}

/// Listens at a free port of 127.0.0.1.
pub(crate) fn free_port() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen on 127.0.0.1")
}

/// Starts a thread with a small stack: there are many of them and they do little.
pub(crate) fn spawn(name: &str, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Builder::new()
        .name(name.into())
        .stack_size(256 * 1024)
        .spawn(job)
        .map(drop)
}

/// Makes the close of this socket a reset.
pub(crate) fn reset_on_close(socket: &TcpStream) {
    let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
}
