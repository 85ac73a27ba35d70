//! The only place that knows ureq: one HTTP exchange at a time, over a link that can be cut.
//!
//! What ureq 3.5 does that has to be dealt with is told where it is dealt with; each such fact
//! has a test in `contract.rs`, so that an update which changes it is noticed.
#![forbid(unsafe_code)]

#[cfg(test)]
mod contract;
mod early;
mod expect;
mod failure;
mod head;
mod idle;
mod names;
mod stall;

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ureq::config::Config;
use ureq::http::{self, header};
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector, RustlsConnector, SocksConnector, TcpConnector,
};
use ureq::{Agent, SendBody};

pub(crate) use idle::IdleLinks;

use crate::config::{Settings, TimeLimits};
use crate::error::Error;

/// The longest body of an answer that is read; an answer of the protocol is far shorter.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// What is sent at a time. More leaves the processor's caches and is no faster. (What is received
/// keeps its 128 KiB: ureq tells too long a head only in a buffer that is longer than that.)
const BUFFER: usize = 64 * 1024;

/// Bodies up to this length fit into every system's buffers, so writing them cannot stall.
const SHORT_BODY: u64 = 8 * 1024;

/// One request.
pub(crate) struct Request<'a> {
    pub method: &'static str,
    pub url: String,
    pub content_type: Option<String>,
    pub body: Option<RequestBody<'a>>,
}

/// The body of a request.
pub(crate) struct RequestBody<'a> {
    /// How many bytes `bytes` gives: the Content-Length.
    pub length: u64,
    pub bytes: &'a mut dyn Read,
}

/// One answer, whole.
#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    /// `Retry-After`, from now on, where the server sent one.
    pub retry_after: Option<Duration>,
    /// The body; of refusals, only the start of a long one.
    pub body: Vec<u8>,
}

/// Something that requests can be made over.
pub(crate) trait Wire {
    /// Sends a request and reads its answer.
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error>;
}

/// What the layers of a link tell each other during one exchange.
#[derive(Debug, Default)]
struct Flags {
    /// Looking up the name failed.
    unresolved: AtomicBool,
    /// A connection is up and the request is being written.
    talking: AtomicBool,
    /// A request body is under way, and not its last bytes.
    sending: AtomicBool,
    /// The final answer is there although the body is not all sent: swallow the rest.
    early: AtomicBool,
    /// A whole final head lies in the buffer, and ureq is about to wait for it.
    answer_waits: AtomicBool,
    /// The socket takes nothing any more.
    broken: AtomicBool,
    /// Socket writes begun and ended; odd while one is blocked.
    writes: AtomicU64,
    /// The stall limit ended the link.
    stalled: AtomicBool,
    /// Leave to send the body is awaited.
    expecting: AtomicBool,
    /// Neither leave nor an answer came in time.
    unanswered: AtomicBool,
    /// Some of the request's body was read.
    begun: AtomicBool,
}

impl Flags {
    fn begin(&self, with_body: bool, expecting: bool) {
        self.expecting.store(expecting, Ordering::Relaxed);
        self.unanswered.store(false, Ordering::Relaxed);
        self.answer_waits.store(false, Ordering::Relaxed);
        self.begun.store(false, Ordering::Relaxed);
        self.unresolved.store(false, Ordering::Relaxed);
        self.talking.store(false, Ordering::Relaxed);
        self.early.store(false, Ordering::Relaxed);
        self.sending.store(with_body, Ordering::Relaxed);
    }
}

/// A line to one server, for one exchange at a time. It keeps its connection alive between
/// exchanges; once cut, it is of no more use.
#[derive(Debug)]
pub(crate) struct Link {
    agent: Agent,
    flags: Arc<Flags>,
    limits: TimeLimits,
    host: String,
    /// The server does not know `Expect: 100-continue`; learnt by all links of a client.
    blunt: Arc<AtomicBool>,
}

/// Cuts a [`Link`] from another thread.
#[derive(Debug, Clone)]
pub(crate) struct Cutter(Agent);

impl Cutter {
    /// Ends the link: an exchange that is blocked on its socket returns with an error at once.
    /// (Name lookup and TCP connect are not interrupted; their time limits end them.)
    pub(crate) fn cut(self) {
        self.0.shutdown();
    }
}

impl Link {
    fn new(settings: &Settings, blunt: Arc<AtomicBool>) -> Self {
        let config = Agent::config_builder()
            // Redirects would take credentials along, and turn POST into GET.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(None)
            .user_agent(settings.user_agent.as_str())
            .accept("application/json")
            .output_buffer_size(BUFFER)
            .timeout_resolve(Some(settings.limits.connect))
            .timeout_connect(Some(settings.limits.connect))
            .timeout_send_request(Some(settings.limits.response))
            .timeout_recv_response(Some(settings.limits.response))
            .timeout_recv_body(Some(settings.limits.response))
            .build();
        Self::with_config(settings, config, blunt)
    }

    fn with_config(settings: &Settings, config: Config, blunt: Arc<AtomicBool>) -> Self {
        let flags = Arc::new(Flags::default());
        let chain =
            ().chain(SocksConnector::default())
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(early::Bottom(flags.clone()))
                .chain(RustlsConnector::default())
                .chain(early::Top(flags.clone()))
                .chain(expect::Gate(flags.clone()));
        Link {
            agent: Agent::with_parts(config, chain, names::Names::new(flags.clone())),
            flags,
            limits: settings.limits,
            host: settings.endpoint.authority().to_owned(),
            blunt,
        }
    }

    pub(crate) fn cutter(&self) -> Cutter {
        Cutter(self.agent.clone())
    }

    fn call(
        &self,
        request: &mut Request<'_>,
        expecting: bool,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let mut builder = http::Request::builder()
            .method(request.method)
            .uri(&request.url);
        if let Some(content_type) = &request.content_type {
            builder = builder.header(header::CONTENT_TYPE, content_type);
        }
        if expecting {
            builder = builder.header(header::EXPECT, "100-continue");
        }
        let Some(body) = &mut request.body else {
            return self.agent.run(builder.body(())?);
        };
        let mut bytes = UntilEarly {
            inner: body.bytes,
            left: body.length,
            flags: &self.flags,
        };
        // With this header ureq sends the body as it is, not chunked.
        builder = builder.header(header::CONTENT_LENGTH, body.length);
        let request = builder.body(SendBody::from_reader(&mut bytes))?;
        if body.length <= SHORT_BODY {
            return self.agent.run(request);
        }
        stall::watched(&self.flags, self.limits.stall, self.cutter(), || {
            self.agent.run(request)
        })
    }
}

impl Wire for Link {
    fn exchange(&self, mut request: Request<'_>) -> Result<Response, Error> {
        let length = request.body.as_ref().map_or(0, |body| body.length);
        let expecting = length >= expect::WORTH_ASKING && !self.blunt.load(Ordering::Relaxed);
        self.flags.begin(request.body.is_some(), expecting);
        let result = self.call(&mut request, expecting);
        self.flags.sending.store(false, Ordering::Relaxed);
        if self.flags.unanswered.load(Ordering::Relaxed) {
            self.blunt.store(true, Ordering::Relaxed);
        }
        let response = result.map_err(|e| self.explain(e))?;
        if expecting && response.status() == http::StatusCode::EXPECTATION_FAILED {
            self.blunt.store(true, Ordering::Relaxed);
            if !self.flags.begun.load(Ordering::Relaxed) {
                return self.exchange(request);
            }
        }
        self.read(response)
    }
}

impl Link {
    /// Reads an answer's body, whole or not at all.
    fn read(&self, response: http::Response<ureq::Body>) -> Result<Response, Error> {
        let status = response.status().as_u16();
        let headers = response.headers();
        let retry_after = headers
            .get(header::RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now()));
        // ureq takes an answer that only the connection's end delimits for whole, cut or not.
        let delimited = headers.contains_key(header::CONTENT_LENGTH)
            || headers.contains_key(header::TRANSFER_ENCODING);
        // The answers that are acted on; of other refusals, what came is enough.
        let success = response.status().is_success() || matches!(status, 409 | 422);
        if success && !delimited {
            return Err(Error::BadAnswer {
                why: "it has neither Content-Length nor chunked encoding, so it may be cut"
                    .to_owned(),
            });
        }
        let mut body = Vec::new();
        let reader = response.into_body().into_reader();
        let result = reader.take(LONGEST_ANSWER + 1).read_to_end(&mut body);
        let too_long = body.len() as u64 > LONGEST_ANSWER;
        match result {
            Err(e) if success => return Err(self.explain(ureq::Error::from(e))),
            Ok(_) if success && too_long => {
                return Err(Error::AnswerTooLong {
                    limit: LONGEST_ANSWER,
                })
            }
            _ => {}
        }
        Ok(Response {
            status,
            retry_after,
            body,
        })
    }
}

/// A `Retry-After` value, which is seconds or a date (RFC 9110, 10.2.3), as time from `now` on.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// A request body that ends in nothing once the answer is there: the rest of the announced
/// length is made up instead of read, and the layers below do not send it.
struct UntilEarly<'a> {
    inner: &'a mut dyn Read,
    left: u64,
    flags: &'a Flags,
}

impl Read for UntilEarly<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = if self.flags.early.load(Ordering::Relaxed) {
            let left = usize::try_from(self.left).unwrap_or(usize::MAX);
            buf.len().min(left)
        } else {
            self.flags.begun.store(true, Ordering::Relaxed);
            self.inner.read(buf)?
        };
        if n == 0 && self.left > 0 {
            // ureq would ask for the rest again and again, for ever.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(n as u64);
        if self.left == 0 {
            // An answer that comes from here on is not early.
            self.flags.sending.store(false, Ordering::Relaxed);
        }
        Ok(n)
    }
}
