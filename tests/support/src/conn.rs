//! One accepted connection, plain or TLS, with a read buffer.

use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::acceptor::reset_on_close;

const BUFFER: usize = 64 * 1024;
/// A longer head is an error: no test means to send one.
const MAX_HEAD: usize = 256 * 1024;

/// The connection.
pub(crate) struct Conn {
    stream: Stream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

enum Stream {
    Plain(Socket),
    Tls(Box<StreamOwned<ServerConnection, Socket>>),
}

/// A shared socket that can be read and written.
struct Socket(Arc<TcpStream>);

impl Conn {
    pub(crate) fn new(socket: Arc<TcpStream>, tls: Option<Arc<ServerConfig>>) -> Self {
        let stream = match tls {
            None => Stream::Plain(Socket(socket)),
            Some(config) => {
                let session = ServerConnection::new(config).expect("TLS session");
                Stream::Tls(Box::new(StreamOwned::new(session, Socket(socket))))
            }
        };
        Self {
            stream,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(socket) => &socket.0,
            Stream::Tls(stream) => &stream.sock.0,
        }
    }

    /// Reads the next request head, with its empty line; `None` when the peer has ended the connection.
    pub(crate) fn read_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut head = Vec::new();
        loop {
            let line = head.len();
            let n = (&mut *self)
                .take(MAX_HEAD as u64)
                .read_until(b'\n', &mut head)?;
            if n == 0 && line == 0 {
                return Ok(None);
            }
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match &head[line..] {
                b"\r\n" | b"\n" if line > 0 => return Ok(Some(head)),
                // Empty lines before a request line are skipped (RFC 9112 section 2.2).
                b"\r\n" | b"\n" => head.clear(),
                _ if head.len() > MAX_HEAD => return Err(io::ErrorKind::InvalidData.into()),
                _ => {}
            }
        }
    }

    /// Tells the peer that nothing more will be written.
    pub(crate) fn finish_writing(&mut self) {
        if let Stream::Tls(stream) = &mut self.stream {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let _ = self.socket().shutdown(Shutdown::Write);
    }

    /// Ends the connection with RST.
    pub(crate) fn reset(self) {
        reset_on_close(self.socket());
    }
}

impl Read for Conn {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Conn {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            let n = match &mut self.stream {
                Stream::Plain(socket) => socket.read(&mut self.buffer)?,
                Stream::Tls(stream) => stream.read(&mut self.buffer)?,
            };
            (self.start, self.end) = (0, n);
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
    }
}

impl Write for Conn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(out)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}
