//! A TCP connection in ureq's form.
//!
//! ureq's own tries a server's addresses one after the other, each for a part of the time limit.
//! And it blocks in a write until the system takes all of it. A server that responds early, and
//! reads no more, is then noticed by the stall limit only. So this one never blocks in a read or
//! write: it waits until the socket can do either. If there is something to read before a write is
//! done, it keeps the rest of the bytes, and lets the layers above read. (They may be inside a TLS
//! record, so the write must not fail.) They write no more of a body until the rest is out.
//!
//! (A time limit of a blocking write would not do: Windows does not tell how much was taken.)

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use rustix::event::{poll, PollFd, PollFlags, Timespec};
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::time::Duration as NetDuration;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Error, Proxy};

use super::habits::Habits;
use super::state::{ConnectionState, Phase};
use super::{names, race, socks};

/// How long this side waits for the socket before it tries again. On Windows the end of a connection
/// by this side, after a cancel, may not end a wait; it does end the next try.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// The room for what TLS adds to a buffer full of bytes, so that all of it is one write.
const RECORD_ENDS: usize = 1024;

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
        let socks = details
            .config
            .proxy()
            .filter(|proxy| socks::is_socks(proxy));
        let addrs = match socks {
            Some(proxy) => self.resolve(proxy, details)?,
            None => details.addrs.clone(),
        };
        let timeout = names::time_left(details);
        let deadline = Deadline::new(timeout);
        let limit = deadline.left()?.unwrap_or(race::NO_LIMIT);
        let stream = race::connect(&addrs, limit, &self.habits).map_err(|e| explain(e, timeout))?;
        if addrs.len() > 1 {
            self.state.request().address = stream.peer_addr().ok();
        }
        if details.config.no_delay() {
            stream.set_nodelay(true)?;
        }
        let stream = Arc::new(stream);
        let weak: Weak<TcpStream> = Arc::downgrade(&stream);
        (details.register_shutdown)(weak)?;
        if let Some(proxy) = socks {
            let mut stream = Limited(&stream, deadline);
            socks::connect(&mut stream, proxy, socks::Target::new(proxy, details)?)
                .map_err(|e| explain(e, timeout))?;
        }
        stream.set_nonblocking(true)?;
        let record_ends = if details.needs_tls() { RECORD_ENDS } else { 0 };
        Ok(Some(Either::B(SocketTransport {
            socket: Socket {
                stream,
                state: self.state.clone(),
                pending: Vec::new(),
                has_gap: false,
            },
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size() + record_ends,
            ),
        })))
    }
}

impl SocketConnector {
    /// Looks up the addresses of a SOCKS proxy, within the time for connecting.
    fn resolve(
        &self,
        proxy: &Proxy,
        details: &ConnectionDetails,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let timeout = names::time_left(details);
        Deadline::new(timeout).left()?;
        let resolver = details.resolver;
        resolver.resolve(proxy.uri(), details.config, timeout)
    }
}

/// A socket that blocks, but not for longer than the time that is left.
struct Limited<'a>(&'a TcpStream, Deadline);

impl Limited<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        self.1.left().map_err(|_| io::ErrorKind::TimedOut.into())
    }
}

impl Read for Limited<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.set_read_timeout(self.left()?)?;
        self.0.read(buf)
    }
}

impl Write for Limited<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.set_write_timeout(self.left()?)?;
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
            match (&*self.stream).write(&bytes[*written..]) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(n) => {
                    *written += n;
                    // For the stall limit this is the end of one write, and the next one begins.
                    self.state.writes.fetch_add(2, Relaxed);
                    // A part is all that there is room for: another try would be in vain.
                    if *written == bytes.len() {
                        break;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Err(e.into()),
            }
            let phase = self.state.request().phase();
            if !matches!(phase, Phase::Sending | Phase::Sent) {
                self.wait(PollFlags::OUT, deadline)?;
            } else {
                let came = self.wait(PollFlags::OUT | PollFlags::IN, deadline)?;
                // What ends or breaks the connection is read, too.
                if came.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
                    break;
                }
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
            match (&*self.stream).read(buf) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(PollFlags::IN, deadline)?;
                }
                result => return result.map_err(|e| explain(e, deadline.timeout)),
            }
        }
    }

    /// Waits until one of `events` has come, or for a while. Gives what has come.
    fn wait(&self, events: PollFlags, deadline: Deadline) -> Result<PollFlags, Error> {
        let left = deadline.left()?;
        let time = left.map_or(LONGEST_WAIT, |left| left.min(LONGEST_WAIT));
        let time = Timespec {
            tv_sec: 0,
            tv_nsec: time.subsec_nanos() as _,
        };
        let mut polled = [PollFd::new(&*self.stream, events)];
        match poll(&mut polled, Some(&time)) {
            Ok(_) => Ok(polled[0].revents()),
            Err(rustix::io::Errno::INTR) => Ok(PollFlags::empty()),
            Err(e) => Err(Error::Io(e.into())),
        }
    }

    /// Whether there is something to read, be it the end.
    fn has_input(&self) -> io::Result<bool> {
        let result = self.stream.peek(&mut [0]);
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
        near.set_nonblocking(true).unwrap();
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
