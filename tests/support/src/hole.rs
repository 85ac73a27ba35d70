//! An address where connecting hangs.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// Long enough for a connect within this machine.
const CONNECT_TIME: Duration = Duration::from_millis(200);

/// A listener that accepts nothing and whose queue is full, so that the system ignores connects to it.
pub struct Hole {
    listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl Hole {
    /// Makes a hole.
    ///
    /// # Panics
    ///
    /// When the system takes connections without end.
    pub fn new() -> Self {
        let listener = listen().expect("listen on 127.0.0.1");
        let addr = listener.local_addr().expect("address of the listener");
        let mut queue = Vec::new();
        while let Ok(socket) = TcpStream::connect_timeout(&addr, CONNECT_TIME) {
            queue.push(socket);
            assert!(queue.len() < 1000, "the queue does not fill");
        }
        Self {
            listener,
            _queue: queue,
        }
    }

    /// Returns the address at which it listens.
    ///
    /// # Panics
    ///
    /// Never: it listens.
    pub fn addr(&self) -> SocketAddr {
        self.listener.local_addr().expect("address of the listener")
    }

    /// Returns the listener, for a server that takes the place of the hole.
    pub fn into_listener(self) -> TcpListener {
        self.listener
    }
}

impl Default for Hole {
    fn default() -> Self {
        Self::new()
    }
}

fn listen() -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(0)?;
    Ok(socket.into())
}
