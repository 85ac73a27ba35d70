//! The sink: a server that reads every body as fast as it comes, and stores nothing.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const BUFFER: usize = 1 << 20;

/// What the sink claims to hold of every file: so many bytes, with this MD5.
#[derive(Clone, Default)]
pub(crate) struct Held {
    pub bytes: u64,
    pub md5: String,
}

/// Prints its port and serves until it is killed.
pub(crate) fn serve(held: &Held) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    for stream in listener.incoming() {
        let (stream, held) = (stream?, held.clone());
        // A client that disconnects is no error of the sink.
        std::thread::spawn(move || Connection::new(stream).serve(&held));
    }
    Ok(())
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// How much of the buffer is filled.
    filled: usize,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Connection {
            stream,
            buffer: vec![0; BUFFER],
            filled: 0,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        match self.stream.read(&mut self.buffer[self.filled..])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                self.filled += n;
                Ok(())
            }
        }
    }

    fn serve(mut self, held: &Held) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        loop {
            let end = loop {
                let head = &self.buffer[..self.filled];
                match head.windows(4).position(|w| w == b"\r\n\r\n") {
                    Some(at) => break at + 4,
                    None => self.fill()?,
                }
            };
            let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
            self.consume(end);
            let header = |name: &str| {
                let line = head.lines().find_map(|line| line.strip_prefix(name))?;
                Some(line.trim().to_owned())
            };
            let length = header("content-length:").and_then(|value| value.parse().ok());
            if header("expect:").is_some() {
                self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            let start = self.skip(length.unwrap_or(0))?;
            let locate = header("content-type:").is_some_and(|t| t.contains("urlencoded"));
            self.respond(&match locate {
                true => locate_response(held),
                false => send_response(&start),
            })?;
        }
    }

    /// Drops the first `n` bytes of the buffer.
    fn consume(&mut self, n: usize) {
        self.buffer.copy_within(n..self.filled, 0);
        self.filled -= n;
    }

    /// Reads and discards a body; returns its first bytes.
    fn skip(&mut self, mut left: u64) -> io::Result<String> {
        let first = left.min(4096) as usize;
        while self.filled < first {
            self.fill()?;
        }
        let start = String::from_utf8_lossy(&self.buffer[..first]).into_owned();
        loop {
            let here = left.min(self.filled as u64) as usize;
            self.consume(here);
            left -= here as u64;
            if left == 0 {
                return Ok(start);
            }
            self.fill()?;
        }
    }

    fn respond(&mut self, json: &str) -> io::Result<()> {
        let length = json.len();
        self.stream.write_all(
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\n\r\n{json}"
            )
            .as_bytes(),
        )
    }
}

/// Makes the response to a locate, with an id that no other upload has: a client would ask again.
fn locate_response(held: &Held) -> String {
    static LOCATES: AtomicU64 = AtomicU64::new(0);
    let id = LOCATES.fetch_add(1, Relaxed);
    match held.bytes {
        0 => format!(r#"{{"state":"new","offset":0,"id":"{id}"}}"#),
        bytes => format!(
            r#"{{"state":"partial","offset":{bytes},"prefix_md5":"{}","id":"{id}"}}"#,
            held.md5
        ),
    }
}

/// Makes the response to a send, from the fields before its file; curl's form has none of them.
fn send_response(start: &str) -> String {
    let field = |name: &str| -> Option<u64> {
        let (_, rest) = start.split_once(&format!("name=\"{name}\"\r\n\r\n"))?;
        rest.split("\r\n").next()?.parse().ok()
    };
    let id = field("id").unwrap_or(0);
    let end = field("offset").zip(field("length")).map(|(a, b)| a + b);
    match (end, field("size")) {
        (Some(end), Some(size)) if end < size => {
            format!(r#"{{"state":"partial","offset":{end},"id":"{id}"}}"#)
        }
        _ => format!(r#"{{"state":"complete","id":"{id}"}}"#),
    }
}
