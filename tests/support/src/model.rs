//! A correct receiver of the protocol that lives in memory: small, fast, and in every choice
//! that the protocol leaves open the plainest one.
//!
//! A locate or a send ends an older send of the same upload that is still under way, so that a
//! dead client never keeps a file busy and an answered offset stays true.

use std::io::{self, BufRead, Cursor, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::acceptor::{free_port, Acceptor, Job};
use crate::conn::Conn;
use crate::form;
use crate::head::RequestHead;
use crate::multipart::Multipart;
use crate::scripted::reply;
use crate::tls::Identity;
use crate::uploads::{get, Answer, Fields, Uploads};

/// A refused body is read this far before the connection is closed, so that no reset destroys
/// the answer.
const DRAIN_BYTES: u64 = 4 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// How a model receiver behaves. The default streams, has no limits and speaks plain HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Announced as `max_segment`; longer sends get 413.
    pub max_segment: Option<u64>,
    /// Requests with a longer body get 413, which nothing announces.
    pub max_body: Option<u64>,
    /// Never answer `prefix_md5`, as an optional member.
    pub hide_prefix_md5: bool,
    /// See a body only when it is whole: broken requests leave nothing.
    pub buffering: bool,
    /// Listen with TLS.
    pub tls: bool,
}

/// What came so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests whose head was read.
    pub requests: u64,
    /// Locates that were answered.
    pub locates: u64,
    /// Sends whose fields before the file were read.
    pub sends: u64,
    /// Bytes of files, refused ones too.
    pub file_bytes: u64,
    /// Those of them that lie before an offset that had been confirmed, and so came in vain.
    pub bytes_again: u64,
}

/// The receiver. Dropping it ends its connections.
pub struct ModelReceiver {
    acceptor: Acceptor,
    shared: Arc<Shared>,
    identity: Option<Identity>,
}

struct Shared {
    options: Options,
    uploads: Mutex<Uploads>,
}

impl ModelReceiver {
    /// A receiver with the default options.
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// A receiver with these options.
    pub fn with(options: Options) -> Self {
        Self::on(free_port(), options)
    }

    /// A receiver that takes over a listener.
    pub fn on(listener: TcpListener, options: Options) -> Self {
        let identity = options.tls.then(Identity::new);
        Self::launch(listener, options, identity)
    }

    /// A receiver with TLS that is this server.
    pub fn start_tls(identity: Identity) -> Self {
        let options = Options {
            tls: true,
            ..Options::default()
        };
        Self::launch(free_port(), options, Some(identity))
    }

    fn launch(listener: TcpListener, options: Options, identity: Option<Identity>) -> Self {
        let shared = Arc::new(Shared {
            options,
            uploads: Mutex::default(),
        });
        let (theirs, tls) = (shared.clone(), identity.as_ref().map(Identity::config));
        let acceptor = Acceptor::on(listener, move |socket, _, _| {
            let (shared, tls) = (theirs.clone(), tls.clone());
            let job: Job = Box::new(move || {
                // A connection that breaks is an everyday thing here.
                let _ = shared.serve(Conn::new(socket, tls));
            });
            job
        });
        Self {
            acceptor,
            shared,
            identity,
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.acceptor.addr()
    }

    /// The URL of the upload endpoint.
    pub fn endpoint(&self) -> String {
        self.endpoint_at(self.addr())
    }

    /// The URL of the endpoint by way of another address, such as a proxy's.
    pub fn endpoint_at(&self, addr: SocketAddr) -> String {
        let scheme = self.identity.as_ref().map_or("http", |_| "https");
        format!("{scheme}://{addr}/upload")
    }

    /// The authority that signed the receiver's certificate.
    ///
    /// # Panics
    ///
    /// When the receiver was started without TLS.
    pub fn ca_pem(&self) -> &str {
        self.identity.as_ref().expect("a TLS receiver").ca_pem()
    }

    /// The finished files: `name` or `dir/name`, and the bytes.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        self.shared.lock().finished()
    }

    /// How many bytes are held of a file, by `name` or `dir/name`; `None` for an unknown one.
    pub fn held(&self, path: &str) -> Option<u64> {
        self.shared.lock().held(path)
    }

    /// Flips a bit of what is held of an unfinished file; `false` where there is no such byte.
    pub fn damage(&self, path: &str, at: u64) -> bool {
        self.shared.lock().damage(path, at)
    }

    /// Forgets all uploads, finished ones too; their ids get 404 from now on.
    pub fn forget(&self) {
        self.shared.lock().forget();
    }

    /// What came so far.
    pub fn stats(&self) -> Stats {
        self.shared.lock().stats
    }

    /// Waits until that many connections came in all and every one has ended, so that all that
    /// was sent is dealt with; `false` if that does not happen in this time.
    pub fn settle(&self, connections: u64, time: Duration) -> bool {
        self.acceptor.settle(connections, time)
    }

    /// How many connections came.
    pub fn connections(&self) -> u64 {
        self.acceptor.accepted()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().expect("uploads")
    }

    fn serve(&self, mut conn: Conn) -> io::Result<()> {
        while let Some(raw) = conn.read_head()? {
            self.lock().stats.requests += 1;
            let keep = match RequestHead::parse(&raw) {
                Some(head) => self.handle(&mut conn, &head)?,
                None => {
                    respond(&mut conn, &Answer::error(400, "not HTTP/1.1"), 0);
                    false
                }
            };
            if !keep {
                break;
            }
        }
        conn.finish_writing();
        Ok(())
    }

    /// Answers one request; whether the connection can go on.
    fn handle(&self, conn: &mut Conn, head: &RequestHead) -> io::Result<bool> {
        if head.method == "GET" {
            let answer = self.lock().locate(&head.query(), &self.options);
            return Ok(respond(conn, &answer, 0) == 0);
        }
        let Some(length) = head.content_length().filter(|_| head.method == "POST") else {
            respond(conn, &Answer::error(411, "POST needs a Content-Length"), 0);
            return Ok(false);
        };
        if self.options.max_body.is_some_and(|most| length > most) {
            let error = Answer::error(413, "the body is too long");
            return Ok(respond(conn, &error, length) == 0);
        }
        if head.expects_continue() {
            conn.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            conn.flush()?;
        }
        // How much of the body was not looked at, and how much of it is still on the wire.
        let (answer, unseen, unread) = match head.boundary() {
            None => {
                let body = read_whole(conn, length)?;
                let fields = form::decode(&body);
                (Ok(self.lock().locate(&fields, &self.options)), 0, 0)
            }
            Some(boundary) if self.options.buffering => {
                let mut body = Cursor::new(read_whole(conn, length)?);
                let answer = self.receive(&mut body, boundary);
                (answer, length - body.position(), 0)
            }
            Some(boundary) => {
                let mut body = conn.take(length);
                let answer = self.receive(&mut body, boundary);
                (answer, body.limit(), body.limit())
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.kind() == io::ErrorKind::InvalidData || unread == 0 => {
                Answer::error(400, &error.to_string())
            }
            Err(error) => return Err(error),
        };
        let unread = respond(conn, &answer, unread);
        if let Some((id, offset, length)) = answer.unwanted {
            let came = length.min(unseen - unread);
            self.lock().count(&id, offset, came);
        }
        Ok(unread == 0)
    }

    /// Takes a multipart body: fields, the file, fields. An error where the body is broken.
    fn receive(&self, body: &mut impl BufRead, boundary: &str) -> io::Result<Answer> {
        let mut parts = Multipart::new(body, boundary)?;
        let mut fields = Fields::new();
        loop {
            match parts.next_name()? {
                None => return Ok(Answer::error(400, "a send has a part named file")),
                Some(name) if name == "file" => break,
                Some(name) => {
                    let value = parts.value()?;
                    fields.push((name, value));
                }
            }
        }
        if get(&fields, "action") != Some("send") {
            return Ok(Answer::error(400, "a multipart body is for action=send"));
        }
        let begun = self.lock().begin(&fields, &self.options);
        let mut ticket = match begun {
            Ok(ticket) => ticket,
            Err(answer) => return Ok(answer),
        };
        parts.bytes(ticket.length, |bytes| {
            self.lock().append(&mut ticket, bytes)
        })?;
        let mut tail = Fields::new();
        while let Some(name) = parts.next_name()? {
            let value = parts.value()?;
            tail.push((name, value));
        }
        Ok(self.lock().finish(&ticket, &tail, &self.options))
    }
}

fn read_whole(conn: &mut Conn, length: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    match conn.take(length).read_to_end(&mut body)? as u64 == length {
        true => Ok(body),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Writes an answer and reads what is left of the body, within limits. Returns how much is
/// still left then: with 0 the connection can go on.
fn respond(conn: &mut Conn, answer: &Answer, mut left: u64) -> u64 {
    let bytes = reply(answer.status, &answer.body);
    if conn.write_all(&bytes).and_then(|()| conn.flush()).is_err() {
        return left;
    }
    let deadline = Instant::now() + DRAIN_TIME;
    let mut allowed = DRAIN_BYTES;
    while left > 0 && allowed > 0 {
        let time = deadline.saturating_duration_since(Instant::now());
        if time.is_zero() || conn.socket().set_read_timeout(Some(time)).is_err() {
            break;
        }
        match conn.fill_buf() {
            Ok(bytes) if !bytes.is_empty() => {
                let n = (bytes.len() as u64).min(left).min(allowed);
                conn.consume(n as usize);
                left -= n;
                allowed -= n;
            }
            _ => break,
        }
    }
    let _ = conn.socket().set_read_timeout(None);
    left
}
