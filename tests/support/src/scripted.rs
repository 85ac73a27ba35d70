//! An HTTP/1.1 server that does what a list of steps says, right or wrong, and records its requests.

mod response;
mod step;
mod tus;

use std::io::{self, BufRead, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::acceptor::{Acceptor, Job, Stop};
use crate::conn::Conn;
use crate::form;
pub use crate::head::RequestHead;
use crate::tls::Identity;
pub use response::{json, reply, reply_with};
use step::Act;
pub use step::{End, Read, Step};
pub use tus::Tus;

/// How much of each body is recorded; the rest is only counted.
pub const MAX_BODY: usize = 1 << 20;

/// A recorded request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The number of its connection, from 0.
    pub connection: u64,
    /// Its head.
    pub head: RequestHead,
    /// The first [`MAX_BODY`] bytes of the body as far as it was read.
    pub body: Vec<u8>,
    /// How many bytes of the body were read.
    pub body_len: u64,
}

impl Request {
    /// Returns the fields of a urlencoded body or, for a request without a body, of the query.
    pub fn fields(&self) -> Vec<(String, String)> {
        if self.body.is_empty() {
            self.head.query()
        } else {
            form::decode(&self.body)
        }
    }

    /// Returns one of the [`fields`](Self::fields).
    pub fn field(&self, name: &str) -> Option<String> {
        let found = self.fields().into_iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value)
    }

    /// Returns the recorded body as text; what is not UTF-8 is replaced.
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The server. Dropping it ends its connections.
pub struct ScriptedServer {
    acceptor: Acceptor,
    shared: Arc<Shared>,
    identity: Option<Identity>,
}

type Script = Box<dyn FnMut(&RequestHead, u64) -> Step + Send>;

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    script: Script,
    requests: Vec<Request>,
}

impl ScriptedServer {
    /// Starts a server that does one step for each request, in order over all connections. The last step
    /// repeats.
    ///
    /// # Panics
    ///
    /// When the script is empty.
    pub fn start(script: Vec<Step>) -> Self {
        Self::launch(None, in_order(script))
    }

    /// Starts a server that calls `script` for the step of each request, with its head and its number from 0.
    pub fn start_with(script: impl FnMut(&RequestHead, u64) -> Step + Send + 'static) -> Self {
        Self::launch(None, Box::new(script))
    }

    /// As [`start`](Self::start), with TLS; [`ca_pem`](Self::ca_pem) is what the client needs.
    ///
    /// # Panics
    ///
    /// When the script is empty.
    pub fn start_tls(script: Vec<Step>) -> Self {
        Self::launch(Some(Identity::new()), in_order(script))
    }

    /// As [`start_with`](Self::start_with), with TLS and a given identity.
    pub fn start_tls_with(
        identity: Identity,
        script: impl FnMut(&RequestHead, u64) -> Step + Send + 'static,
    ) -> Self {
        Self::launch(Some(identity), Box::new(script))
    }

    fn launch(identity: Option<Identity>, script: Script) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                script,
                requests: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let (theirs, tls) = (shared.clone(), identity.as_ref().map(Identity::config));
        let acceptor = Acceptor::start(move |socket: Arc<TcpStream>, connection, stop| {
            let (shared, tls) = (theirs.clone(), tls.clone());
            let job: Job = Box::new(move || {
                // A client that disconnects is no error of the server.
                let _ = shared.serve(Conn::new(socket, tls), connection, &stop);
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

    /// Returns the URL of an upload endpoint at its address.
    pub fn endpoint(&self) -> String {
        let scheme = self.identity.as_ref().map_or("http", |_| "https");
        format!("{scheme}://{}/upload", self.addr())
    }

    /// Returns the authority that signed the server's certificate.
    ///
    /// # Panics
    ///
    /// When the server was started without TLS.
    pub fn ca_pem(&self) -> &str {
        self.identity.as_ref().expect("a TLS server").ca_pem()
    }

    /// Returns the number of connections.
    pub fn connections(&self) -> u64 {
        self.acceptor.accepted()
    }

    /// Returns every request whose head was read, in order. Bodies grow while they are read.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// Waits for so many request heads; `false` if that takes longer than `time`.
    pub fn wait_for(&self, count: usize, time: Duration) -> bool {
        let state = self.shared.lock();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, time, |state| state.requests.len() < count)
            .expect("script");
        state.requests.len() >= count
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("script")
    }

    fn serve(&self, mut conn: Conn, connection: u64, stop: &Stop) -> io::Result<()> {
        while let Some(raw) = conn.read_head()? {
            let Some(head) = RequestHead::parse(&raw) else {
                conn.write_all(&reply(400, r#"{"message":"not HTTP/1.1"}"#))?;
                conn.finish_writing();
                return Ok(());
            };
            let (index, step) = self.enter(connection, &head);
            let mut body = Body {
                shared: self,
                index,
                left: head.content_length().unwrap_or(0),
                owes_continue: step.sends_continue && head.expects_continue(),
            };
            for act in &step.acts {
                match act {
                    Act::Read(Read::HeadOnly) => {}
                    Act::Read(Read::HeadAndBodyBytes(n)) => body.read(&mut conn, *n)?,
                    Act::Read(Read::All) => body.read(&mut conn, u64::MAX)?,
                    Act::Wait(time) => {
                        if stop.wait(*time) {
                            return Ok(());
                        }
                    }
                    Act::Write(bytes) => {
                        conn.write_all(bytes)?;
                        conn.flush()?;
                    }
                }
            }
            match step.end {
                End::KeepAlive => {
                    body.owes_continue = false;
                    body.read(&mut conn, u64::MAX)?;
                }
                End::Close => {
                    conn.finish_writing();
                    return Ok(());
                }
                End::Reset => {
                    conn.reset();
                    return Ok(());
                }
                End::DrainThenClose {
                    max_bytes,
                    max_time,
                } => {
                    conn.finish_writing();
                    return body.drain(&mut conn, max_bytes, max_time);
                }
                End::HoldOpen => {
                    while !stop.wait(Duration::from_secs(3600)) {}
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Records a request and finds its step.
    fn enter(&self, connection: u64, head: &RequestHead) -> (usize, Step) {
        let mut state = self.lock();
        let index = state.requests.len();
        let step = (state.script)(head, index as u64);
        state.requests.push(Request {
            connection,
            head: head.clone(),
            body: Vec::new(),
            body_len: 0,
        });
        self.changed.notify_all();
        (index, step)
    }
}

/// The body of a request that is being read.
struct Body<'a> {
    shared: &'a Shared,
    index: usize,
    left: u64,
    owes_continue: bool,
}

impl Body<'_> {
    /// Reads up to `most` bytes; a body that is cut short is an error.
    fn read(&mut self, conn: &mut Conn, most: u64) -> io::Result<()> {
        let mut wanted = most.min(self.left);
        if wanted > 0 && std::mem::take(&mut self.owes_continue) {
            conn.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            conn.flush()?;
        }
        while wanted > 0 {
            let n = self.read_some(conn, wanted)?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            wanted -= n;
        }
        Ok(())
    }

    fn read_some(&mut self, conn: &mut Conn, most: u64) -> io::Result<u64> {
        let bytes = conn.fill_buf()?;
        let n = bytes.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        {
            let mut state = self.shared.lock();
            let request = &mut state.requests[self.index];
            let keep = n.min(MAX_BODY - request.body.len());
            request.body.extend_from_slice(&bytes[..keep]);
            request.body_len += n as u64;
        }
        conn.consume(n);
        self.left -= n as u64;
        Ok(n as u64)
    }

    fn drain(&mut self, conn: &mut Conn, max_bytes: u64, max_time: Duration) -> io::Result<()> {
        let deadline = Instant::now() + max_time;
        let mut allowed = max_bytes;
        while allowed > 0 {
            let time = deadline.saturating_duration_since(Instant::now());
            if time.is_zero() {
                break;
            }
            conn.socket().set_read_timeout(Some(time))?;
            // After the body nothing but the end of the connection can come.
            let n = self.read_some(conn, allowed.min(self.left.max(1)))?;
            if n == 0 {
                break;
            }
            allowed -= n;
        }
        Ok(())
    }
}

fn in_order(script: Vec<Step>) -> Script {
    let mut rest = script.into_iter();
    let mut last = rest.next().expect("a script has at least one step");
    Box::new(move |_, index| {
        if index > 0 {
            if let Some(step) = rest.next() {
                last = step;
            }
        }
        last.clone()
    })
}
