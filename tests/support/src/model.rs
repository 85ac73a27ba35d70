//! A correct receiver of the protocol that lives in memory. It is small and fast; where the protocol leaves a
//! choice, it takes the simplest.
//!
//! A locate or a send ends an older send of the same upload that is still under way, so that a
//! dead client never keeps a file busy and an offset in a response stays true. A [patient](Options::patient)
//! one leaves a live client alone, as the protocol says. Accounts, a secret and mistakes are options, too.

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
use crate::uploads::{get, Fields, Response, Ticket, Uploads};
use guard::Guard;
use wire::{read_whole, respond};

/// How long a patient receiver lets a newcomer wait for a live writer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Counts of what came so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests whose head was read.
    pub requests: u64,
    /// Locates that got a response.
    pub locates: u64,
    /// Sends whose fields before the file were read.
    pub sends: u64,
    /// Bytes of files, refused ones too.
    pub file_bytes: u64,
    /// Those of them that came in vain, since they are before an offset that was confirmed.
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
    /// Starts a receiver with the default options.
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// Starts a receiver with these options.
    pub fn with(options: Options) -> Self {
        Self::on(free_port(), options)
    }

    /// Starts a receiver with a given listener.
    pub fn on(listener: TcpListener, options: Options) -> Self {
        let identity = options.tls.then(Identity::new);
        Self::launch(listener, options, identity)
    }

    /// Starts a receiver with TLS and this identity.
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
                // A lost connection is no error of the receiver.
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

    /// Returns the address at which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.acceptor.addr()
    }

    /// Returns the URL of the upload endpoint.
    pub fn endpoint(&self) -> String {
        self.endpoint_at(self.addr())
    }

    /// Returns the URL of the endpoint at another address, such as a proxy's.
    pub fn endpoint_at(&self, addr: SocketAddr) -> String {
        let scheme = self.identity.as_ref().map_or("http", |_| "https");
        format!("{scheme}://{addr}/upload")
    }

    /// Returns the authority that signed the receiver's certificate.
    ///
    /// # Panics
    ///
    /// When the receiver was started without TLS.
    pub fn ca_pem(&self) -> &str {
        self.identity.as_ref().expect("a TLS receiver").ca_pem()
    }

    /// Returns the finished files: `name` or `dir/name`, and the bytes.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        self.shared.lock().finished()
    }

    /// Returns how many bytes are held of a file, by `name` or `dir/name`; `None` for an unknown one.
    pub fn held(&self, path: &str) -> Option<u64> {
        self.shared.lock().held(path)
    }

    /// Flips a bit of what is held of an unfinished file; `false` if there is no such byte.
    pub fn damage(&self, path: &str, at: u64) -> bool {
        self.shared.lock().damage(path, at)
    }

    /// Forgets all uploads, finished ones too; their ids get 404 from now on.
    pub fn forget(&self) {
        self.shared.lock().forget();
    }

    /// Returns the counts so far.
    pub fn stats(&self) -> Stats {
        self.shared.lock().stats
    }

    /// Waits until there have been so many connections in all and every one has ended, so that everything that
    /// was sent is processed; `false` if that takes longer than `time`.
    pub fn settle(&self, connections: u64, time: Duration) -> bool {
        self.acceptor.settle(connections, time)
    }

    /// Returns the number of connections.
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
                    self.respond(&mut conn, &Response::error(400, "not HTTP/1.1"), 0);
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

    fn respond(&self, conn: &mut Conn, response: &Response, left: u64) -> u64 {
        respond(conn, response, left, &self.options)
    }

    /// Responds to one request; returns whether the connection can go on.
    fn handle(&self, conn: &mut Conn, head: &RequestHead) -> io::Result<bool> {
        let length = head.content_length().unwrap_or(0);
        let Some(owner) = self.owner(head) else {
            if head.method == "POST" && head.target == "/login" {
                return self.log_in(conn, length);
            }
            let error = Response::error(401, "log in first");
            return Ok(self.respond(conn, &error, length) == 0);
        };
        if let Some(response) = refused_head(head, &self.options) {
            return Ok(self.respond(conn, &response, length) == 0);
        }
        if head.method == "GET" {
            let response = self.locate(head.query(), &owner);
            return Ok(self.respond(conn, &response, 0) == 0);
        }
        if head.method != "POST" || head.content_length().is_none() {
            let error = Response::error(411, "POST needs a Content-Length");
            self.respond(conn, &error, 0);
            return Ok(false);
        }
        if self.options.max_body.is_some_and(|most| length > most) {
            let error = Response::error(413, "the body is too long");
            return Ok(self.respond(conn, &error, length) == 0);
        }
        if head.expects_continue() {
            conn.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            conn.flush()?;
        }
        let whole = !self.options.has(Flaw::RefusesPieces) || length < 100;
        if !whole && conn.fill_buf()?.len() < 100 {
            let error = Response::error(400, "a mistake");
            return Ok(self.respond(conn, &error, length) == 0);
        }
        // `unseen`: bytes of the body that were not looked at; `unread`: those of them still on the wire.
        let (response, unseen, unread) = match head.boundary() {
            None => {
                let mut body = read_whole(conn, length)?;
                if self.options.has(Flaw::PlusStays) {
                    body = String::from_utf8_lossy(&body).replace('+', "%2B").into();
                }
                (Ok(self.locate(form::decode(&body), &owner)), 0, 0)
            }
            Some(boundary) if self.options.buffering => {
                let mut body = Cursor::new(read_whole(conn, length)?);
                let response = self.receive(&mut body, boundary, &owner);
                (response, length - body.position(), 0)
            }
            Some(boundary) => {
                let mut body = conn.take(length);
                let response = self.receive(&mut body, boundary, &owner);
                (response, body.limit(), body.limit())
            }
        };
        let response = match response {
            Ok(response) => response,
            Err(_) if self.options.has(Flaw::HangsOnNonsense) => {
                io::copy(conn, &mut io::sink())?;
                return Ok(false);
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData || unread == 0 => {
                Response::error(400, &error.to_string())
            }
            Err(error) => return Err(error),
        };
        let unread = self.respond(conn, &response, unread);
        if let Some((id, offset, length)) = response.unwanted {
            let came = length.min(unseen - unread);
            self.lock().count(&id, offset, came);
        }
        Ok(unread == 0)
    }

    /// Finds the owner of a request; `None` if it has no valid login.
    fn owner(&self, head: &RequestHead) -> Option<String> {
        self.guard().owner(head, &self.options)
    }

    /// Responds to the form of a login page.
    fn log_in(&self, conn: &mut Conn, length: u64) -> io::Result<bool> {
        let fields = form::decode(&read_whole(conn, length)?);
        let cookie = self.guard().log_in(&fields, &self.options);
        let Some(cookie) = cookie else {
            let error = Response::error(401, "wrong user or password");
            return Ok(self.respond(conn, &error, 0) == 0);
        };
        let cookie = format!("{cookie}; Path=/; HttpOnly; SameSite=Lax");
        let headers = [("Location", "/"), ("Set-Cookie", &*cookie)];
        conn.write_all(&reply_with(303, &headers, "{}"))?;
        conn.flush()?;
        Ok(true)
    }

    fn locate(&self, mut fields: Fields, owner: &str) -> Response {
        if let Err(response) = self.admit(&mut fields, owner) {
            return response;
        }
        let result = self.patiently(|uploads| {
            let response = uploads.locate(&fields, &self.options);
            match response.status {
                423 => Err(response),
                _ => Ok(response),
            }
        });
        result.unwrap_or_else(|response| response)
    }

    /// Checks a form's signature, and puts its owner in place of the user that it names.
    fn admit(&self, fields: &mut Fields, owner: &str) -> Result<(), Response> {
        self.guard().check(fields, &self.options)?;
        if let Some(response) = refused_form(fields, &self.options) {
            return Err(response);
        }
        if !owner.is_empty() {
            fields.retain(|(name, _)| name != "user");
            fields.push(("user".to_owned(), owner.to_owned()));
        }
        Ok(())
    }

    /// Tries again for a short time, while a live client is writing.
    fn patiently<T>(
        &self,
        act: impl Fn(&mut Uploads) -> Result<T, Response>,
    ) -> Result<T, Response> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Outside of the match, which would hold the lock while it sleeps.
            let tried = act(&mut self.lock());
            match tried {
                Err(response) if response.status == 423 && Instant::now() < deadline => {
                    sleep(Duration::from_millis(20));
                }
                other => return other,
            }
        }
    }

    /// Reads a multipart body: fields, the file, fields. An error if the body is cut short or malformed.
    fn receive(
        &self,
        body: &mut impl BufRead,
        boundary: &str,
        owner: &str,
    ) -> io::Result<Response> {
        let mut parts = Multipart::new(body, boundary)?;
        let mut fields = Fields::new();
        loop {
            match parts.next_name()? {
                None => return Ok(Response::error(400, "a send has a part named file")),
                Some(name) if name == "file" => break,
                Some(name) => {
                    let value = parts.value()?;
                    fields.push((name, value));
                }
            }
        }
        if get(&fields, "action") != Some("send") {
            return Ok(Response::error(400, "a multipart body is for action=send"));
        }
        if let Err(response) = self.admit(&mut fields, owner) {
            return Ok(response);
        }
        let ticket = self.patiently(|uploads| uploads.begin(&fields, &self.options));
        let mut ticket = match ticket {
            Ok(ticket) => ticket,
            Err(response) => return Ok(response),
        };
        let tail = self.read_file(&mut parts, &mut ticket);
        let response = tail.map(
            |tail| match Guard::check_tail(&tail, &fields, &self.options) {
                Ok(()) => self.lock().finish(&ticket, &tail, &self.options),
                Err(response) => response,
            },
        );
        self.lock().leave(&ticket, response.is_err(), &self.options);
        response
    }

    /// Reads the bytes of the file, and the fields after it.
    fn read_file(
        &self,
        parts: &mut Multipart<impl BufRead>,
        ticket: &mut Ticket,
    ) -> io::Result<Fields> {
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
