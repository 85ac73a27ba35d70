//! A correct receiver of the protocol that lives in memory: small, fast, and in every choice
//! that the protocol leaves open the plainest one.
//!
//! A locate or a send ends an older send of the same upload that is still under way, so that a
//! dead client never keeps a file busy and an answered offset stays true. A [patient](Options::patient)
//! one leaves a live client alone, as the protocol wants it; accounts, a secret and mistakes are
//! options, too.

mod flaw;
mod guard;
mod options;
mod wire;

use std::io::{self, BufRead, Cursor, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(crate) use flaw::damaged;
pub use flaw::Flaw;
use flaw::{refused_form, refused_head};
pub use guard::{Account, Secret};
pub use options::Options;

use crate::acceptor::{free_port, Acceptor, Job};
use crate::conn::Conn;
use crate::form;
use crate::head::RequestHead;
use crate::multipart::Multipart;
use crate::scripted::reply_with;
use crate::tls::Identity;
use crate::uploads::{get, Answer, Fields, Ticket, Uploads};
use guard::Guard;
use wire::{read_whole, respond};

/// How long a patient receiver lets a newcomer wait for a live writer.
const PATIENCE: Duration = Duration::from_secs(2);

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
    guard: Mutex<Guard>,
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
            guard: Mutex::default(),
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

    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().expect("guard")
    }

    fn serve(&self, mut conn: Conn) -> io::Result<()> {
        while let Some(raw) = conn.read_head()? {
            self.lock().stats.requests += 1;
            let keep = match RequestHead::parse(&raw) {
                Some(head) => self.handle(&mut conn, &head)?,
                None => {
                    self.respond(&mut conn, &Answer::error(400, "not HTTP/1.1"), 0);
                    false
                }
            };
            if !keep && self.options.has(Flaw::ResetsEarly) {
                conn.reset();
                return Ok(());
            }
            if !keep {
                break;
            }
        }
        conn.finish_writing();
        Ok(())
    }

    fn respond(&self, conn: &mut Conn, answer: &Answer, left: u64) -> u64 {
        respond(conn, answer, left, &self.options)
    }

    /// Answers one request; whether the connection can go on.
    fn handle(&self, conn: &mut Conn, head: &RequestHead) -> io::Result<bool> {
        let length = head.content_length().unwrap_or(0);
        let Some(owner) = self.owner(head) else {
            if head.method == "POST" && head.target == "/login" {
                return self.log_in(conn, length);
            }
            let error = Answer::error(401, "log in first");
            return Ok(self.respond(conn, &error, length) == 0);
        };
        if let Some(answer) = refused_head(head, &self.options) {
            return Ok(self.respond(conn, &answer, length) == 0);
        }
        if head.method == "GET" {
            let answer = self.locate(head.query(), &owner);
            return Ok(self.respond(conn, &answer, 0) == 0);
        }
        if head.method != "POST" || head.content_length().is_none() {
            let error = Answer::error(411, "POST needs a Content-Length");
            self.respond(conn, &error, 0);
            return Ok(false);
        }
        if self.options.max_body.is_some_and(|most| length > most) {
            let error = Answer::error(413, "the body is too long");
            return Ok(self.respond(conn, &error, length) == 0);
        }
        if head.expects_continue() {
            conn.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            conn.flush()?;
        }
        let whole = !self.options.has(Flaw::RefusesPieces) || length < 100;
        if !whole && conn.fill_buf()?.len() < 100 {
            let error = Answer::error(400, "a mistake");
            return Ok(self.respond(conn, &error, length) == 0);
        }
        // How much of the body was not looked at, and how much of it is still on the wire.
        let (answer, unseen, unread) = match head.boundary() {
            None => {
                let mut body = read_whole(conn, length)?;
                if self.options.has(Flaw::PlusStays) {
                    body = String::from_utf8_lossy(&body).replace('+', "%2B").into();
                }
                (Ok(self.locate(form::decode(&body), &owner)), 0, 0)
            }
            Some(boundary) if self.options.buffering => {
                let mut body = Cursor::new(read_whole(conn, length)?);
                let answer = self.receive(&mut body, boundary, &owner);
                (answer, length - body.position(), 0)
            }
            Some(boundary) => {
                let mut body = conn.take(length);
                let answer = self.receive(&mut body, boundary, &owner);
                (answer, body.limit(), body.limit())
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(_) if self.options.has(Flaw::HangsOnNonsense) => {
                io::copy(conn, &mut io::sink())?;
                return Ok(false);
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData || unread == 0 => {
                Answer::error(400, &error.to_string())
            }
            Err(error) => return Err(error),
        };
        let unread = self.respond(conn, &answer, unread);
        if let Some((id, offset, length)) = answer.unwanted {
            let came = length.min(unseen - unread);
            self.lock().count(&id, offset, came);
        }
        Ok(unread == 0)
    }

    /// Whose request it is; `None` where nobody has shown who he is.
    fn owner(&self, head: &RequestHead) -> Option<String> {
        self.guard().owner(head, &self.options)
    }

    /// Takes the form of a login page.
    fn log_in(&self, conn: &mut Conn, length: u64) -> io::Result<bool> {
        let fields = form::decode(&read_whole(conn, length)?);
        let cookie = self.guard().log_in(&fields, &self.options);
        let Some(cookie) = cookie else {
            let error = Answer::error(401, "wrong user or password");
            return Ok(self.respond(conn, &error, 0) == 0);
        };
        let cookie = format!("{cookie}; Path=/; HttpOnly; SameSite=Lax");
        let headers = [("Location", "/"), ("Set-Cookie", &*cookie)];
        conn.write_all(&reply_with(303, &headers, "{}"))?;
        conn.flush()?;
        Ok(true)
    }

    fn locate(&self, mut fields: Fields, owner: &str) -> Answer {
        if let Err(answer) = self.admit(&mut fields, owner) {
            return answer;
        }
        let located = self.patiently(|uploads| {
            let answer = uploads.locate(&fields, &self.options);
            match answer.status {
                423 => Err(answer),
                _ => Ok(answer),
            }
        });
        located.unwrap_or_else(|answer| answer)
    }

    /// Checks a form's signature, and puts its owner in place of the user that it names.
    fn admit(&self, fields: &mut Fields, owner: &str) -> Result<(), Answer> {
        self.guard().check(fields, &self.options)?;
        if let Some(answer) = refused_form(fields, &self.options) {
            return Err(answer);
        }
        if !owner.is_empty() {
            fields.retain(|(name, _)| name != "user");
            fields.push(("user".to_owned(), owner.to_owned()));
        }
        Ok(())
    }

    /// Tries again while a live writer is in the way, not for long.
    fn patiently<T>(&self, act: impl Fn(&mut Uploads) -> Result<T, Answer>) -> Result<T, Answer> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Not in the match, which would hold the lock while it sleeps.
            let tried = act(&mut self.lock());
            match tried {
                Err(answer) if answer.status == 423 && Instant::now() < deadline => {
                    sleep(Duration::from_millis(20));
                }
                other => return other,
            }
        }
    }

    /// Takes a multipart body: fields, the file, fields. An error where the body is broken.
    fn receive(&self, body: &mut impl BufRead, boundary: &str, owner: &str) -> io::Result<Answer> {
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
        if let Err(answer) = self.admit(&mut fields, owner) {
            return Ok(answer);
        }
        let begun = self.patiently(|uploads| uploads.begin(&fields, &self.options));
        let mut ticket = match begun {
            Ok(ticket) => ticket,
            Err(answer) => return Ok(answer),
        };
        let taken = self.take(&mut parts, &mut ticket);
        let judged = taken.map(
            |tail| match Guard::check_tail(&tail, &fields, &self.options) {
                Ok(()) => self.lock().finish(&ticket, &tail, &self.options),
                Err(answer) => answer,
            },
        );
        self.lock().leave(&ticket, judged.is_err(), &self.options);
        judged
    }

    /// Takes the file's bytes, and the fields after it.
    fn take(&self, parts: &mut Multipart<impl BufRead>, ticket: &mut Ticket) -> io::Result<Fields> {
        parts.bytes(ticket.length, |bytes| {
            self.lock().append(ticket, bytes, &self.options)
        })?;
        let mut tail = Fields::new();
        while let Some(name) = parts.next_name()? {
            let value = parts.value()?;
            tail.push((name, value));
        }
        Ok(tail)
    }
}
