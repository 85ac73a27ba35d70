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
mod flags;
mod head;
mod idle;

mod names;
mod stall;
mod tls;
mod via;

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ureq::config::Config;
use ureq::http::{self, header};
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector, RustlsConnector, SocksConnector, TcpConnector,
};
use ureq::{Agent, SendBody};

use crate::http::{Body, Needs, Request, Response, Wire};
pub(crate) use idle::IdleLinks;

use crate::error::Error;
use crate::http::proxy::{Proxy, WindowsSetting};
use crate::options::{Settings, TimeLimits};
use flags::{Flags, Layers};
use via::Via;

/// The longest body of an answer that is read; an answer of the protocol is far shorter.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// What is sent at a time. More leaves the processor's caches and is no faster. (What is received
/// keeps its 128 KiB: ureq tells too long a head only in a buffer that is longer than that.)
const BUFFER: usize = 64 * 1024;

/// Bodies up to this length fit into every system's buffers, so writing them cannot stall.
const SHORT_BODY: u64 = 8 * 1024;

/// A line to one server, for one exchange at a time. It keeps its connection alive between
/// exchanges; once cut, it is of no more use.
#[derive(Debug)]
pub(crate) struct Link {
    agent: Agent,
    flags: Arc<Flags>,
    limits: TimeLimits,
    /// Where it leads, for messages.
    host: String,
    via: Via,
    /// The server does not know `Expect: 100-continue`; learnt by all links of a client.
    blunt: Arc<AtomicBool>,
    /// It took the last body that it was asked for without having said so. Once may be a slow
    /// moment, twice in a row on one link is not.
    silent: AtomicBool,
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
    /// A link by the settings; an error when they, or the system's, cannot be used.
    fn new(settings: &Settings, blunt: Arc<AtomicBool>) -> Result<Self, Error> {
        Self::with_resolver(settings, DefaultResolver::default(), blunt)
    }

    fn with_resolver(
        settings: &Settings,
        resolver: impl Resolver,
        blunt: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let origin = settings.endpoint.origin();
        let env = |name: &str| std::env::var(name).ok();
        let proxy = settings.proxy.choose(
            &origin,
            settings.no_proxy.as_ref(),
            env,
            WindowsSetting::read,
        )?;
        let via = Via::new(&origin, proxy);
        let host = settings.endpoint.authority();
        let tls = match origin.https {
            true => tls::config(&settings.certificates).map_err(|why| Error::Tls {
                host: host.to_owned(),
                why,
            })?,
            false => TlsConfig::default(),
        };
        let tunnel = via.tunnel().map_err(|e| Error::InvalidArgument {
            what: "proxy",
            why: e.to_string(),
        })?;
        let config = Agent::config_builder()
            // Redirects would take credentials along, and turn POST into GET.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(tunnel)
            .tls_config(tls)
            .user_agent(settings.user_agent.as_str())
            .accept("application/json")
            .output_buffer_size(BUFFER)
            .timeout_connect(Some(settings.limits.connect))
            .timeout_send_request(Some(settings.limits.response))
            .timeout_recv_response(Some(settings.limits.response))
            .timeout_recv_body(Some(settings.limits.response))
            .build();
        Ok(Self::with_parts(settings, config, resolver, via, blunt))
    }

    fn with_parts(
        settings: &Settings,
        config: Config,
        resolver: impl Resolver,
        via: Via,
        blunt: Arc<AtomicBool>,
    ) -> Self {
        let flags = Arc::new(Flags::default());
        let on = Layers {
            flags: flags.clone(),
            tunnel: matches!(via, Via::Tunnel(_)),
        };
        let absolute = via::Absolute {
            flags: flags.clone(),
            wanted: matches!(via, Via::Forward(_)),
        };
        let mut host = settings.endpoint.authority().to_owned();
        if let Some(proxy) = via.proxy() {
            host += &format!(" through the proxy {}", proxy.authority());
        }
        let looked_up = names::LookUp {
            names: names::Names {
                resolver,
                stand_in: via.stand_in(),
                flags: flags.clone(),
            },
            limit: settings.limits.connect,
            connect:
                ().chain(SocksConnector::default())
                    .chain(ConnectProxyConnector::default())
                    .chain(TcpConnector::default()),
        };
        let chain = looked_up
            .chain(absolute)
            .chain(early::Bottom(on.clone()))
            .chain(RustlsConnector::default())
            .chain(early::Top(on.clone()))
            .chain(expect::Gate(on));
        Link {
            agent: Agent::with_parts(config, chain, names::Later),
            flags,
            limits: settings.limits,
            host,
            via,
            blunt,
            silent: AtomicBool::new(false),
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
        let proxy = self.via.authorization();
        let proxy = proxy.map(|value| ("proxy-authorization".to_owned(), value));
        for (name, value) in request.headers.iter().chain(&proxy) {
            let value = http::HeaderValue::from_bytes(value.bytes());
            let mut value = value.map_err(http::Error::from)?;
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        if expecting {
            builder = builder.header(header::EXPECT, "100-continue");
        }
        let mut text: &[u8];
        let (length, inner): (u64, &mut dyn Read) = match &mut request.body {
            None => return self.agent.run(builder.body(())?),
            Some(Body::Text(body)) => {
                text = body;
                (text.len() as u64, &mut text)
            }
            Some(Body::Form(_)) => unreachable!("it was written"),
            Some(Body::Stream { length, bytes }) => (*length, bytes),
        };
        let mut bytes = UntilEarly {
            inner,
            left: length,
            flags: &self.flags,
        };
        // With this header ureq sends the body as it is, not chunked.
        builder = builder.header(header::CONTENT_LENGTH, length);
        let request = builder.body(SendBody::from_reader(&mut bytes))?;
        if length <= SHORT_BODY {
            return self.agent.run(request);
        }
        stall::watched(&self.flags, self.limits.stall, self.cutter(), || {
            self.agent.run(request)
        })
    }
}

impl Wire for Link {
    fn exchange(&self, mut request: Request<'_>) -> Result<Response, Error> {
        let length = match &request.body {
            Some(Body::Stream { length, .. }) => *length,
            _ => 0,
        };
        let expecting = length >= expect::WORTH_ASKING && !self.blunt.load(Ordering::Relaxed);
        let mut form = String::new();
        let mut written = request.written(&mut form)?;
        self.flags.begin(written.body.is_some(), expecting);
        let result = self.call(&mut written, expecting);
        self.flags.sending.store(false, Ordering::Relaxed);
        let response = match result {
            Ok(response) => response,
            Err(e) => {
                let error = self.explain(e);
                if self.was_idle_too_long(&error) && request.is_repeatable() {
                    return self.exchange(request);
                }
                return Err(error);
            }
        };
        if response.status() == http::StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(failure::proxy_refused(self.host.clone(), 407));
        }
        if expecting {
            self.learn();
        }
        if expecting && response.status() == http::StatusCode::EXPECTATION_FAILED {
            self.blunt.store(true, Ordering::Relaxed);
            // Only the head went out, so that nothing in the body was used up, such as a nonce.
            if !self.flags.begun.load(Ordering::Relaxed) {
                return self.exchange(request);
            }
        }
        self.read(response, request.needs)
    }
}

impl Link {
    /// Learns from an answer whether the server knows `Expect: 100-continue`.
    fn learn(&self) {
        let unanswered = self.flags.unanswered.load(Ordering::Relaxed);
        let silent = unanswered && !self.flags.early.load(Ordering::Relaxed);
        if self.silent.swap(silent, Ordering::Relaxed) && silent {
            self.blunt.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a connection that was kept alive turned out to be dead: it broke before anything
    /// came back. The next exchange makes a new one.
    fn was_idle_too_long(&self, error: &Error) -> bool {
        let kept = !self.flags.fresh.load(Ordering::Relaxed);
        let silent = !self.flags.heard.load(Ordering::Relaxed);
        matches!(error, Error::ConnectionLost { .. }) && kept && silent
    }

    /// Reads an answer's body: where it is acted on, whole or not at all.
    fn read(&self, response: http::Response<ureq::Body>, needs: Needs) -> Result<Response, Error> {
        let status = response.status().as_u16();
        let headers = response.headers();
        let retry_after = headers
            .get(header::RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now()));
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
        let location = headers.get(header::LOCATION).map(text);
        let cookies = headers.get_all(header::SET_COOKIE).iter();
        let cookies = cookies.map(text).collect();
        // ureq takes an answer that only the connection's end delimits for whole, cut or not.
        let delimited = headers.contains_key(header::CONTENT_LENGTH)
            || headers.contains_key(header::TRANSFER_ENCODING);
        // The answers that are acted on; of others, what came is enough.
        let acted_on = response.status().is_success() || matches!(status, 409 | 422);
        let acted_on = acted_on && needs == Needs::Whole;
        if acted_on && !delimited {
            return Err(Error::BadResponse {
                why: "it has neither Content-Length nor chunked encoding, so it may be cut"
                    .to_owned(),
            });
        }
        let mut body = Vec::new();
        // To a login page whose end only the connection's end tells, that may never come.
        let most = match needs == Needs::Head && status < 400 && !delimited {
            true => 0,
            false => LONGEST_ANSWER + 1,
        };
        let reader = response.into_body().into_reader();
        let result = reader.take(most).read_to_end(&mut body);
        let too_long = body.len() as u64 > LONGEST_ANSWER;
        match result {
            Err(e) if acted_on => return Err(self.explain(ureq::Error::from(e))),
            Ok(_) if acted_on && too_long => {
                return Err(Error::ResponseTooLong {
                    limit: LONGEST_ANSWER,
                })
            }
            _ => {}
        }
        Ok(Response {
            status,
            proxy: self.via.forwarder().map(Proxy::authority),
            retry_after,
            location,
            cookies,
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
