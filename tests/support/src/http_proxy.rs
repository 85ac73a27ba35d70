//! A proxy that knows HTTP/1.1: it records the requests and responses that pass, and does wrong to those that are chosen.
//!
//! It forwards bytes as they are, for clients that send a request when they have the response to the one before.

use std::io::{self, BufRead, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::acceptor::{reset_on_close, Acceptor, Job};
use crate::conn::Conn;
use crate::head::RequestHead;

/// What the proxy does wrong to one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Reset the client's connection in place of the response, which the server has made.
    LoseResponse,
    /// Flip a bit of the byte with this index in the body.
    FlipBody(u64),
    /// Reset both connections after so many bytes of the body.
    CutBody(u64),
}

/// Makes a plan that does `fault` to the first `times` of the requests that `which` chooses.
pub fn first(
    times: u64,
    which: impl Fn(&RequestHead) -> bool + Send,
    fault: Fault,
) -> impl FnMut(&RequestHead, u64) -> Fault + Send {
    let mut done = 0;
    move |head, _| {
        if done == times || !which(head) {
            return Fault::None;
        }
        done += 1;
        fault
    }
}

/// Makes a plan that does `fault` to the first `times` requests of a method.
pub fn on(
    method: &'static str,
    times: u64,
    fault: Fault,
) -> impl FnMut(&RequestHead, u64) -> Fault + Send {
    first(times, move |head| head.method == method, fault)
}

/// A request that passed, and its response.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The head of the request.
    pub head: RequestHead,
    /// How many bytes of its body were forwarded.
    pub body_len: u64,
    /// The response, if its head was forwarded to the client.
    pub response: Option<ResponseHead>,
}

/// Everything of a response before its body.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// Its status, which is final.
    pub status: u16,
    headers: Vec<(String, String)>,
}

impl ResponseHead {
    fn parse(raw: &[u8]) -> Option<Self> {
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(raw).ok()?;
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let fields = response.headers.iter();
        Some(Self {
            status: response.code?,
            headers: fields
                .map(|it| (it.name.to_owned(), text(it.value)))
                .collect(),
        })
    }

    /// Returns the first header of this name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.headers.iter();
        let found = fields.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The proxy. Dropping it ends its connections.
pub struct HttpProxy {
    acceptor: Acceptor,
    shared: Arc<Shared>,
}

type Plan = Box<dyn FnMut(&RequestHead, u64) -> Fault + Send>;

struct Shared {
    state: Mutex<State>,
}

struct State {
    target: SocketAddr,
    plan: Plan,
    exchanges: Vec<Exchange>,
}

impl HttpProxy {
    /// Starts a proxy in front of `target`, which calls `plan` with the head and the number, from 0, of each request.
    pub fn start(
        target: SocketAddr,
        plan: impl FnMut(&RequestHead, u64) -> Fault + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                target,
                plan: Box::new(plan),
                exchanges: Vec::new(),
            }),
        });
        let theirs = shared.clone();
        let acceptor = Acceptor::start(move |client, _, _| {
            let shared = theirs.clone();
            let job: Job = Box::new(move || shared.carry(client));
            job
        });
        Self { acceptor, shared }
    }

    /// Starts a proxy that does nothing wrong.
    pub fn clean(target: SocketAddr) -> Self {
        Self::start(target, |_, _| Fault::None)
    }

    /// Returns the address for clients.
    pub fn addr(&self) -> SocketAddr {
        self.acceptor.addr()
    }

    /// Connects new connections to another address from now on.
    pub fn set_target(&self, target: SocketAddr) {
        self.shared.lock().target = target;
    }

    /// Returns all requests so far, in order.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.lock().exchanges.clone()
    }
}

/// A request whose response has not come.
#[derive(Clone, Copy)]
struct Open {
    index: usize,
    fault: Fault,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("state of the proxy")
    }

    fn carry(&self, client: Arc<TcpStream>) {
        let target = self.lock().target;
        let Ok(server) = TcpStream::connect(target) else {
            return reset_on_close(&client);
        };
        let _ = server.set_nodelay(true);
        let ends = [client, Arc::new(server)];
        let open = Mutex::new(None);
        let end_both = || {
            for end in &ends {
                reset_on_close(end);
                let _ = end.shutdown(Shutdown::Both);
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| match self.carry_responses(&ends, &open) {
                Ok(()) => drop(ends[0].shutdown(Shutdown::Write)),
                Err(_) => end_both(),
            });
            match self.carry_requests(&ends, &open) {
                Ok(()) => drop(ends[1].shutdown(Shutdown::Write)),
                Err(_) => end_both(),
            }
        });
    }

    fn carry_requests(
        &self,
        [client, server]: &[Arc<TcpStream>; 2],
        open: &Mutex<Option<Open>>,
    ) -> io::Result<()> {
        let mut from = Conn::new(client.clone(), None);
        let mut to = &**server;
        while let Some(raw) = from.read_head()? {
            let head = RequestHead::parse(&raw).ok_or(io::ErrorKind::InvalidData)?;
            let mut left = head.content_length().unwrap_or(0);
            let (index, fault) = self.enter(head);
            *open.lock().expect("a request") = Some(Open { index, fault });
            to.write_all(&raw)?;
            let mut sent = 0;
            while left > 0 {
                let mut piece = from.fill_buf()?.to_vec();
                piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                if piece.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                from.consume(piece.len());
                let place = |at: u64| usize::try_from(at.checked_sub(sent)?).ok();
                match fault {
                    Fault::FlipBody(at) => {
                        let byte = place(at).and_then(|place| piece.get_mut(place));
                        byte.into_iter().for_each(|byte| *byte ^= 1);
                    }
                    Fault::CutBody(at) => piece.truncate(place(at).unwrap_or(0)),
                    Fault::None | Fault::LoseResponse => {}
                }
                to.write_all(&piece)?;
                sent += piece.len() as u64;
                left -= piece.len() as u64;
                self.lock().exchanges[index].body_len = sent;
                if fault == Fault::CutBody(sent) {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
            }
        }
        Ok(())
    }

    fn carry_responses(
        &self,
        [client, server]: &[Arc<TcpStream>; 2],
        open: &Mutex<Option<Open>>,
    ) -> io::Result<()> {
        let mut from = Conn::new(server.clone(), None);
        let mut to = &**client;
        loop {
            if from.fill_buf()?.is_empty() {
                return Ok(());
            }
            let request = *open.lock().expect("a request");
            let Some(Open { index, fault }) = request else {
                let n = from.fill_buf()?.len();
                to.write_all(&from.fill_buf()?[..n])?;
                from.consume(n);
                continue;
            };
            let raw = from.read_head()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let head = ResponseHead::parse(&raw).ok_or(io::ErrorKind::InvalidData)?;
            if head.status >= 200 {
                *open.lock().expect("a request") = None;
                if fault == Fault::LoseResponse {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                // The client may have it before `write_all` returns.
                self.lock().exchanges[index].response = Some(head);
            }
            to.write_all(&raw)?;
        }
    }

    /// Records a request and finds what goes wrong with it.
    fn enter(&self, head: RequestHead) -> (usize, Fault) {
        let mut state = self.lock();
        let index = state.exchanges.len();
        let fault = (state.plan)(&head, index as u64);
        state.exchanges.push(Exchange {
            head,
            body_len: 0,
            response: None,
        });
        (index, fault)
    }
}
