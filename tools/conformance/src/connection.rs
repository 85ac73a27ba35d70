//! A connection, plain or TLS, whose reads and writes end at a deadline.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail, ensure, Context, Result};
use rustls::{ClientConnection, StreamOwned};

use crate::response::{Head, Response};
use crate::target::Target;

/// The limit for the size of a response. Those of the protocol are far smaller.
const MAX_RESPONSE: usize = 1 << 20;

/// A connection to the receiver.
pub struct Connection {
    stream: Stream,
    deadline: Instant,
    /// The bytes that were read from the stream, but not yet used.
    pending: Vec<u8>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Connection {
    /// Connects to the first address that accepts.
    pub fn open(target: &Target, deadline: Instant) -> Result<Self> {
        let mut failure = anyhow!("no address");
        for addr in &target.addrs {
            match TcpStream::connect_timeout(addr, left(deadline)?) {
                Ok(socket) => {
                    socket.set_nodelay(true)?;
                    let stream = match &target.tls {
                        None => Stream::Plain(socket),
                        Some((config, name)) => {
                            let session = ClientConnection::new(config.clone(), name.clone())?;
                            Stream::Tls(Box::new(StreamOwned::new(session, socket)))
                        }
                    };
                    return Ok(Self {
                        stream,
                        deadline,
                        pending: Vec::new(),
                    });
                }
                Err(error) => failure = anyhow!("no connection to {addr}: {error}"),
            }
        }
        Err(failure)
    }

    /// Writes all bytes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let left = left(self.deadline)?;
            self.socket().set_write_timeout(Some(left))?;
            // A TLS handshake also reads.
            self.socket().set_read_timeout(Some(left))?;
            let written = match &mut self.stream {
                Stream::Plain(socket) => socket.write(rest),
                Stream::Tls(stream) => stream.write(rest).and_then(|n| stream.flush().map(|()| n)),
            };
            match written {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => rest = &rest[n..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(time_limit(error)),
            }
        }
        Ok(())
    }

    /// Reads a response. Interim ones (1xx) are skipped.
    pub fn read_response(&mut self) -> Result<Response> {
        loop {
            let head = self.read_head()?;
            if head.status >= 200 {
                return self.read_body(head);
            }
        }
    }

    /// Reads the head of the next response.
    pub fn read_head(&mut self) -> Result<Head> {
        loop {
            if let Some((head, length)) = Head::parse(&self.pending)? {
                self.pending.drain(..length);
                return Ok(head);
            }
            ensure!(
                self.pending.len() < MAX_RESPONSE,
                "a response head without end"
            );
            if self.fill().context("waiting for a response")? == 0 {
                match self.pending.len() {
                    0 => bail!("the connection was closed without a response"),
                    n => bail!("the connection was closed after {n} bytes of a response's head"),
                }
            }
        }
    }

    /// Returns whether anything arrives within this time, also the end of the connection.
    pub fn receives(&mut self, time: Duration) -> Result<bool> {
        let deadline = self.deadline;
        self.deadline = deadline.min(Instant::now() + time);
        let result = self.fill();
        self.deadline = deadline;
        match result {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the sending direction.
    pub fn finish_writing(&mut self) {
        if let Stream::Tls(stream) = &mut self.stream {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let _ = self.socket().shutdown(Shutdown::Write);
    }

    /// Ends the connection with a reset.
    pub fn reset(self) {
        let _ = socket2::SockRef::from(self.socket()).set_linger(Some(Duration::ZERO));
    }

    fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => &stream.sock,
        }
    }

    /// Reads some bytes; 0 at the end of the connection.
    fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 * 1024];
        loop {
            self.socket().set_read_timeout(Some(left(self.deadline)?))?;
            let read = match &mut self.stream {
                Stream::Plain(socket) => socket.read(&mut buffer),
                Stream::Tls(stream) => stream.read(&mut buffer),
            };
            match read {
                Ok(n) => {
                    self.pending.extend_from_slice(&buffer[..n]);
                    return Ok(n);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A TLS connection that ends without close_notify.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) => return Err(time_limit(error)),
            }
        }
    }

    fn read_body(&mut self, head: Head) -> Result<Response> {
        let waiting = "waiting for the rest of a response";
        let body = if head.is_chunked() {
            self.read_chunks().context(waiting)?
        } else if let Some(length) = head.content_length()? {
            ensure!(length <= MAX_RESPONSE, "a response of {length} bytes");
            self.take(length).context(waiting)?
        } else if matches!(head.status, 204 | 304) {
            Vec::new()
        } else {
            while self.fill().context(waiting)? > 0 {
                ensure!(self.pending.len() < MAX_RESPONSE, "a response without end");
            }
            std::mem::take(&mut self.pending)
        };
        Ok(Response::new(head, body))
    }

    fn read_chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or("").trim();
            let size = usize::from_str_radix(size, 16)
                .with_context(|| format!("a chunk's size is \"{line}\""))?;
            ensure!(body.len() + size < MAX_RESPONSE, "a response without end");
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.take(size)?);
            ensure!(self.line()?.is_empty(), "a chunk is longer than its size");
        }
    }

    fn line(&mut self) -> Result<String> {
        loop {
            if let Some(end) = self.pending.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.pending.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            ensure!(self.fill()? > 0, "the response is cut off");
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.pending.len() < length {
            let had = self.pending.len();
            ensure!(
                self.fill()? > 0,
                "the response is cut off: {had} of {length} bytes"
            );
        }
        Ok(self.pending.drain(..length).collect())
    }
}

/// Computes the time until the deadline. It is never zero, which means "no limit" to sockets.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    match left.is_zero() {
        true => Err(late()),
        false => Ok(left.max(Duration::from_millis(1))),
    }
}

/// Replaces the two errors for a socket's time limit by [`late`]'s.
fn time_limit(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => late(),
        _ => error,
    }
}

/// Makes the error for a deadline that is over.
fn late() -> io::Error {
    io::Error::new(
        ErrorKind::TimedOut,
        "the receiver hangs: the check's time is over",
    )
}
