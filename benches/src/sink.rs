//! The sink: a server that reads every body as fast as it comes, and stores nothing. It believes the digests that it is
//! told and answers with them.

mod answers;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use resup_test_support::tls::Identity;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use answers::Answers;

const BUFFER: usize = 1 << 20;
/// How much is kept of the beginning and of the end of a body: the fields are there.
const ENDS: u64 = 4096;

/// What a sink is, as arguments of this program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The address to listen at; the default is 127.0.0.1, at any port.
    pub listen: Option<String>,
    /// How many bytes it claims to hold of every file.
    pub held: u64,
    /// The MD5 of these bytes.
    pub md5: String,
    /// Whether it speaks version 1.1 of the protocol.
    pub current: bool,
    /// The file into which it writes whom to trust; with it, it speaks TLS.
    pub ca: Option<String>,
}

impl Settings {
    /// Returns the arguments that say this.
    pub(crate) fn arguments(&self) -> [String; 5] {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        [
            text(&self.listen),
            self.held.to_string(),
            self.md5.clone(),
            self.current.to_string(),
            text(&self.ca),
        ]
    }

    /// Reads such arguments.
    pub(crate) fn parse(arguments: &[String]) -> Self {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let [listen, held, md5, current, ca] = arguments else {
            panic!("sink LISTEN HELD MD5 CURRENT CA");
        };
        Settings {
            listen: some(listen),
            held: held.parse().expect("a number of bytes"),
            md5: md5.clone(),
            current: current == "true",
            ca: some(ca),
        }
    }
}

/// Prints its URL and serves until it is killed.
pub(crate) fn serve(settings: &Settings) -> io::Result<()> {
    let listener = TcpListener::bind(settings.listen.as_deref().unwrap_or("127.0.0.1:0"))?;
    let tls = match &settings.ca {
        Some(path) => {
            let identity = Identity::new();
            std::fs::write(path, identity.ca_pem())?;
            Some(identity.config())
        }
        None => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    println!("listening on {scheme}://{}/upload", listener.local_addr()?);
    let answers = Arc::new(Answers::new(settings));
    for stream in listener.incoming() {
        let (stream, answers, tls) = (stream?, answers.clone(), tls.clone());
        // A client that disconnects is no error of the sink.
        std::thread::spawn(move || serve_one(stream, tls, &answers));
    }
    Ok(())
}

fn serve_one(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    answers: &Answers,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => Connection::new(stream).serve(answers),
        Some(config) => {
            let server = ServerConnection::new(config).map_err(io::Error::other)?;
            Connection::new(StreamOwned::new(server, stream)).serve(answers)
        }
    }
}

struct Connection<S> {
    stream: S,
    buffer: Vec<u8>,
    /// How much of the buffer is filled.
    filled: usize,
}

impl<S: Read + Write> Connection<S> {
    fn new(stream: S) -> Self {
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

    fn serve(mut self, answers: &Answers) -> io::Result<()> {
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
            let (start, end) = self.skip(length.unwrap_or(0))?;
            let locate = header("content-type:").is_some_and(|t| t.contains("urlencoded"));
            self.respond(&match locate {
                true => answers.locate(&start),
                false => answers.send(&start, &end),
            })?;
        }
    }

    /// Drops the first `n` bytes of the buffer.
    fn consume(&mut self, n: usize) {
        self.buffer.copy_within(n..self.filled, 0);
        self.filled -= n;
    }

    /// Reads and discards a body; returns its beginning and its end.
    fn skip(&mut self, mut left: u64) -> io::Result<(String, String)> {
        let start = self.text(left.min(ENDS))?;
        while left > ENDS {
            let here = (left - ENDS).min(self.filled as u64) as usize;
            self.consume(here);
            left -= here as u64;
            if left > ENDS {
                self.fill()?;
            }
        }
        let end = self.text(left)?;
        self.consume(left as usize);
        Ok((start, end))
    }

    /// Reads until so many bytes are there, and returns them as text.
    fn text(&mut self, bytes: u64) -> io::Result<String> {
        while self.filled < bytes as usize {
            self.fill()?;
        }
        Ok(String::from_utf8_lossy(&self.buffer[..bytes as usize]).into_owned())
    }

    fn respond(&mut self, json: &str) -> io::Result<()> {
        let length = json.len();
        self.stream.write_all(
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\n\r\n{json}"
            )
            .as_bytes(),
        )?;
        self.stream.flush()
    }
}
