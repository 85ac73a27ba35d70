//! A TCP connection in ureq's form.
//!
//! ureq's own tries a server's addresses one after the other, each for a part of the time limit.
//! And it blocks in a write until the system takes all of it. A server that responds early, and
//! reads no more, is then noticed by the stall limit only. So this one writes a while at a time. If
//! there is something to read meanwhile, it keeps the rest of the bytes, and lets the layers above
//! read. (They may be inside a TLS record, so the write must not fail.) They write no more of a
//! body until the rest is out.
//!
//! Through a SOCKS proxy the connection is ureq's own.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ureq::unversioned::transport::time::Duration as NetDuration;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};
use ureq::Error;

use super::habits::Habits;
use super::state::{ConnectionState, Phase};
use super::{names, race};

/// How long a write takes before this side looks for something to read. Windows does not tell how
/// much of a write that timed out was taken, so there a write takes as long as it takes.
const SLICE: Option<Duration> = if cfg!(windows) {
    None
} else {
    Some(Duration::from_millis(250))
};

/// The connector of the layer that is the socket.
#[derive(Debug)]
pub(super) struct SocketConnector {
    pub state: Arc<ConnectionState>,
    pub habits: Arc<Habits>,
}

impl<In: Transport> Connector<In> for SocketConnector {
    type Out = Either<In, SocketTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(through_proxy) = chained {
            return Ok(Some(Either::A(through_proxy)));
        }
        let timeout = names::time_left(details);
        let limit = match timeout.after {
            NetDuration::Exact(limit) => limit,
            NetDuration::NotHappening => race::NO_LIMIT,
        };
        if limit.is_zero() {
            return Err(Error::Timeout(timeout.reason));
        }
        let stream =
            race::connect(&details.addrs, limit, &self.habits).map_err(|e| explain(e, timeout))?;
        if details.addrs.len() > 1 {
            self.state.request().address = stream.peer_addr().ok();
        }
        if details.config.no_delay() {
            stream.set_nodelay(true)?;
        }
        let stream = Arc::new(stream);
        let weak: Weak<TcpStream> = Arc::downgrade(&stream);
        (details.register_shutdown)(weak)?;
        Ok(Some(Either::B(SocketTransport {
            socket: Socket {
                stream,
                state: self.state.clone(),
                pending: Vec::new(),
                has_gap: false,
                read_time: None,
                write_time: None,
            },
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
        })))
    }
}

/// Makes ureq's error, also for a time limit of the system.
fn explain(error: io::Error, timeout: NextTimeout) -> Error {
    match is_timeout(&error) {
        true => Error::Timeout(timeout.reason),
        false => Error::Io(error),
    }
}

/// Whether a time limit of the socket has passed: Unix has the first name for it.
fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// A time limit, and the time when it passes.
#[derive(Clone, Copy)]
struct Deadline {
    timeout: NextTimeout,
    at: Option<Instant>,
}

impl Deadline {
    fn new(timeout: NextTimeout) -> Self {
        let at = match timeout.after {
            NetDuration::Exact(time) => Instant::now().checked_add(time),
            NetDuration::NotHappening => None,
        };
        Deadline { timeout, at }
    }

    /// Gives the time that is left; `None` without a limit.
    fn left(&self) -> Result<Option<Duration>, Error> {
        let left = self
            .at
            .map(|at| at.saturating_duration_since(Instant::now()));
        match left {
            Some(Duration::ZERO) => Err(Error::Timeout(self.timeout.reason)),
            left => Ok(left),
        }
    }
}

#[derive(Debug)]
pub(super) struct SocketTransport {
    socket: Socket,
    buffers: LazyBuffers,
}

impl Transport for SocketTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let deadline = Deadline::new(timeout.for_write());
        let bytes = &self.buffers.output()[..amount];
        self.socket.write(bytes, deadline)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let deadline = Deadline::new(timeout.for_read());
        self.socket.flush_or_drop(deadline)?;
        let n = self
            .socket
            .read(self.buffers.input_append_buf(), deadline)?;
        self.buffers.input_appended(n);
        Ok(n > 0)
    }

    fn is_open(&mut self) -> bool {
        let has_input = self.socket.has_input();
        !self.socket.has_gap && self.socket.pending.is_empty() && matches!(has_input, Ok(false))
    }
}

/// A socket, and the bytes that it did not take yet.
#[derive(Debug)]
struct Socket {
    stream: Arc<TcpStream>,
    state: Arc<ConnectionState>,
    /// The bytes that the layers above take for written.
    pending: Vec<u8>,
    /// Whether bytes were dropped, so that none may follow.
    has_gap: bool,
    /// The socket's time limits.
    read_time: Option<Duration>,
    write_time: Option<Duration>,
}

impl Socket {
    /// Writes the bytes that are pending, and then `bytes`. What the system does not take is pending
    /// from then on: if there is something to read, that comes first.
    fn write(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        if self.has_gap {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        }
        let mut written = 0;
        if self.flush(deadline)? {
            self.write_some(bytes, &mut written, deadline)?;
        }
        self.pending.extend_from_slice(&bytes[written..]);
        self.note_pending();
        Ok(())
    }

    /// Tells the layers above, and the stall limit, whether bytes are pending.
    fn note_pending(&self) {
        let has_pending = !self.pending.is_empty();
        self.state.has_pending.store(has_pending, Relaxed);
    }

    /// Writes the bytes that are pending. Gives whether that was possible.
    fn flush(&mut self, deadline: Deadline) -> Result<bool, Error> {
        if self.pending.is_empty() {
            return Ok(true);
        }
        if self.has_input()? {
            return Ok(false);
        }
        let mut pending = std::mem::take(&mut self.pending);
        let mut written = 0;
        let result = self.write_some(&pending, &mut written, deadline);
        // A look for a response has a short time limit; the bytes are still to be written then.
        pending.drain(..written);
        self.pending = pending;
        self.note_pending();
        result.map(|()| self.pending.is_empty())
    }

    /// Writes `bytes`, and counts them in `written`. Ends before the last one if there is something
    /// to read.
    fn write_some(
        &mut self,
        bytes: &[u8],
        written: &mut usize,
        deadline: Deadline,
    ) -> Result<(), Error> {
        while *written < bytes.len() {
            let left = deadline.left()?;
            let time = [left, SLICE].into_iter().flatten().min();
            if self.write_time != time {
                self.stream.set_write_timeout(time)?;
                self.write_time = time;
            }
            match (&*self.stream).write(&bytes[*written..]) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(n) => {
                    *written += n;
                    // For the stall limit this is the end of one write, and the next one begins.
                    self.state.writes.fetch_add(2, Relaxed);
                    if *written == bytes.len() {
                        break;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if is_timeout(&e) => {}
                Err(e) => return Err(e.into()),
            }
            let phase = self.state.request().phase();
            if matches!(phase, Phase::Sending | Phase::Sent) && self.has_input()? {
                break;
            }
        }
        Ok(())
    }

    /// Writes the bytes that are pending, as far as they matter to the response.
    fn flush_or_drop(&mut self, deadline: Deadline) -> Result<(), Error> {
        if self.state.request().phase() == Phase::Early {
            self.drop_pending();
        }
        match self.flush(deadline) {
            // The server closed. Its response may be there to read.
            Err(Error::Io(_)) => {
                self.drop_pending();
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    fn drop_pending(&mut self) {
        self.has_gap |= !self.pending.is_empty();
        self.pending.clear();
        self.note_pending();
    }

    fn read(&mut self, buf: &mut [u8], deadline: Deadline) -> Result<usize, Error> {
        loop {
            let left = deadline.left()?;
            if self.read_time != left {
                self.stream.set_read_timeout(left)?;
                self.read_time = left;
            }
            match (&*self.stream).read(buf) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|e| explain(e, deadline.timeout)),
            }
        }
    }

    /// Whether there is something to read, be it the end.
    fn has_input(&self) -> io::Result<bool> {
        self.stream.set_nonblocking(true)?;
        let result = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false)?;
        Ok(!matches!(result, Err(e) if e.kind() == io::ErrorKind::WouldBlock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Shutdown, TcpListener};

    /// Makes both ends of a connection.
    fn pair() -> (Arc<TcpStream>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (Arc::new(near), listener.accept().unwrap().0)
    }

    #[test]
    fn nothing_follows_bytes_that_were_dropped() {
        let (stream, _far) = pair();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut socket = Socket {
            stream,
            state: Arc::default(),
            pending: b"first".to_vec(),
            has_gap: false,
            read_time: None,
            write_time: None,
        };
        let deadline = Deadline::new(NextTimeout::default());
        socket.flush_or_drop(deadline).unwrap();
        // A system may recover from the error.
        let (stream, mut far) = pair();
        socket.stream = stream;
        let error = socket.write(b"second", deadline).unwrap_err();
        assert!(
            matches!(&error, Error::Io(e) if e.kind() == io::ErrorKind::BrokenPipe),
            "{error}"
        );
        drop(socket);
        assert_eq!(far.read(&mut [0; 9]).unwrap(), 0);
    }
}
