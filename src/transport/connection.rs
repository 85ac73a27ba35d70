//! A connection to one server.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::Arc;

use rustls::ClientConfig;
use ureq::config::Config;
use ureq::http::{self, header};
use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector};
use ureq::{Agent, SendBody};

use super::body::RequestBody;
use super::failure::{self, Circumstances};
use super::habits::Habits;
use super::options::ConnectionOptions;
use super::response::{self, Unread};
use super::socket::SocketConnector;
use super::state::{ConnectionState, Layers, Phase};
use super::via::Via;
use super::{early, expect, names, request, stall, tls, tunnel, via};
use crate::control::abort::AbortHandle;
use crate::error::Error;
use crate::http::certificates::Certificates;
use crate::http::proxy::{Proxy, WindowsSetting};
use crate::http::{
    instead, schemes, status_and_words, Body, Exchange, Link, Needs, Request, Response,
};
use crate::options::TimeLimits;

/// How many bytes are sent at a time. (The input buffer has as many: ureq reports a head as too long
/// only if the buffer is longer.)
const BUFFER: usize = 128 * 1024;

/// The longest body that fits into every system's buffers, so that writing it cannot stall.
const SHORT_BODY: u64 = 8 * 1024;

/// No more bytes of a body than these go into a connection that the server has closed, until that
/// is noticed: so much fits into the system's buffers. (A longer body often waits for a 100.)
const MAX_INTO_DEAD: u64 = 256 * 1024;

/// A connection to one server, for one exchange at a time. It is kept alive between exchanges.
/// After an abort it cannot be used again.
#[derive(Debug)]
pub(crate) struct Connection {
    agent: Agent,
    state: Arc<ConnectionState>,
    limits: TimeLimits,
    /// The server and the proxy, for messages.
    host: String,
    via: Via,
    habits: Arc<Habits>,
    /// Whether the server accepted the last body without a 100 Continue before it. Once may be a
    /// slow moment; twice in a row on one connection is not.
    gave_no_100: AtomicBool,
}

impl Connection {
    /// Makes a connection by the options. Fails if they, or the system's proxy or certificates,
    /// cannot be used. The socket is opened with the first request.
    /// `tls` makes the settings for an https server.
    pub(super) fn new(
        options: &ConnectionOptions,
        habits: Arc<Habits>,
        tls: impl FnOnce(&Certificates) -> Result<Arc<ClientConfig>, String>,
    ) -> Result<Self, Error> {
        Self::with_resolver(options, DefaultResolver::default(), habits, tls)
    }

    pub(super) fn with_resolver(
        options: &ConnectionOptions,
        resolver: impl Resolver,
        habits: Arc<Habits>,
        tls: impl FnOnce(&Certificates) -> Result<Arc<ClientConfig>, String>,
    ) -> Result<Self, Error> {
        let origin = options.endpoint.origin();
        let env = |name: &str| std::env::var(name).ok();
        let proxy = options.proxy.choose(
            &origin,
            options.no_proxy.as_ref(),
            env,
            WindowsSetting::read,
        )?;
        let via = Via::new(&origin, proxy);
        let host = options.endpoint.authority();
        let tls = match origin.https {
            true => Some(tls(&options.certificates).map_err(|why| Error::Tls {
                host: host.to_owned(),
                why,
                may_be_damage: false,
            })?),
            false => None,
        };
        let tunnel = via.tunnel().map_err(|e| Error::InvalidArgument {
            what: "proxy",
            why: e.to_string(),
        })?;
        let limits = options.limits;
        let config = Agent::config_builder()
            // Redirects would take credentials along, and turn POST into GET.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(tunnel)
            .user_agent(options.user_agent.as_str())
            .accept("application/json")
            // Without this header any coding would do (RFC 9110, 12.5.3).
            .accept_encoding("identity")
            // MKCOL is one of them to ureq.
            .allow_non_standard_methods(true)
            .output_buffer_size(BUFFER)
            .timeout_connect(Some(limits.connect))
            .timeout_send_request(Some(limits.response))
            .timeout_recv_response(Some(limits.response))
            .timeout_recv_body(Some(limits.response))
            .build();
        Ok(Self::with_parts(
            options, config, tls, resolver, via, habits,
        ))
    }

    pub(super) fn with_parts(
        options: &ConnectionOptions,
        config: Config,
        tls: Option<Arc<ClientConfig>>,
        resolver: impl Resolver,
        via: Via,
        habits: Arc<Habits>,
    ) -> Self {
        let state = Arc::new(ConnectionState::default());
        let layers = Layers {
            state: state.clone(),
            tunnel: matches!(via, Via::Tunnel(_)),
        };
        let absolute = via::Absolute {
            state: state.clone(),
            wanted: matches!(via, Via::Forward(_)),
        };
        let mut host = options.endpoint.authority().to_owned();
        if let Some(proxy) = via.proxy() {
            host += &format!(" through the proxy {}", proxy.authority());
        }
        let lookup = names::Lookup {
            names: names::Names {
                resolver,
                stand_in: via.stand_in(),
                state: state.clone(),
            },
            limit: options.limits.connect,
            connect: ().chain(ConnectProxyConnector::default()).chain(SocketConnector {
                state: state.clone(),
                habits: habits.clone(),
            }),
        };
        let chain = lookup
            .chain(absolute)
            .chain(early::Bottom(layers.clone()))
            .chain(tls::TlsLayer {
                config: tls,
                state: state.clone(),
            })
            .chain(early::Top(layers.clone()))
            .chain(tunnel::Answer(layers.clone()))
            .chain(expect::Gate(layers));
        Connection {
            agent: Agent::with_parts(config, chain, names::Later),
            state,
            limits: options.limits,
            host,
            via,
            habits,
            gave_no_100: AtomicBool::new(false),
        }
    }

    /// Makes a handle that ends the connection: an exchange that is blocked on its socket fails at
    /// once. (Name lookup and TCP connect are not interrupted; their time limits end them.)
    pub(crate) fn abort_handle(&self) -> AbortHandle {
        let (agent, state) = (self.agent.clone(), self.state.clone());
        AbortHandle::new(move || {
            state.is_aborted.store(true, Relaxed);
            agent.shutdown();
        })
    }

    /// Whether the stall limit has ended the connection.
    pub(super) fn has_stalled(&self) -> bool {
        self.state.has_stalled()
    }

    #[cfg(test)]
    pub(super) fn set_ignores_expect(&self, ignores: bool) {
        self.habits.set_ignores_expect(ignores);
    }

    fn run(
        &self,
        request: &mut Request<'_>,
        expects_100: bool,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let builder = request::head(request, self.via.authorization(), expects_100)?;
        let mut text: &[u8];
        let (length, inner): (u64, &mut dyn Read) = match &mut request.body {
            None => {
                let request = request::limited(
                    &self.agent,
                    &self.limits,
                    (builder.body(())?, request.needs),
                );
                return self.agent.run(request);
            }
            Some(Body::Text(body)) => {
                text = body;
                (text.len() as u64, &mut text)
            }
            Some(Body::Form(_)) => unreachable!("it was written"),
            Some(Body::Stream { length, bytes }) => (*length, bytes),
        };
        let mut body = RequestBody::new(inner, length, &self.state);
        // With this header ureq sends the body as it is, not chunked.
        let builder = builder.header(header::CONTENT_LENGTH, length);
        let request = builder.body(SendBody::from_reader(&mut body))?;
        if length <= SHORT_BODY {
            self.state.request().is_short = true;
            return self.agent.run(request);
        }
        stall::watch(&self.state, self.limits.stall, self.abort_handle(), || {
            self.agent.run(request)
        })
    }

    /// Notes, after a response, whether the server ignores `Expect: 100-continue`.
    fn note_100(&self) {
        let request = self.state.request();
        let gave_no_100 = request.response.no_100_yet && request.phase() != Phase::Early;
        if self.gave_no_100.swap(gave_no_100, Relaxed) && gave_no_100 {
            self.habits.set_ignores_expect(true);
        }
    }

    /// Notes whether a connection that was kept alive was dead already: it was lost before a byte
    /// came back, and before more went into it than the system's buffers hold. The next exchange
    /// makes a new one.
    fn note_kept(&self, error: Option<&Error>) {
        let mut request = self.state.request();
        if request.is_fresh {
            return;
        }
        let is_aborted = self.state.is_aborted.load(Relaxed);
        let was_lost = !is_aborted && matches!(error, Some(Error::ConnectionLost { .. }));
        let read = request.body_read.unwrap_or_default();
        request.was_dead = was_lost && !request.response.has_begun && read <= MAX_INTO_DEAD;
        if request.was_dead || error.is_none() {
            self.habits.note_kept(request.was_dead);
        }
    }

    /// Notes the address of a new connection on which nothing came. The next one goes elsewhere.
    fn note_silent(&self, error: &Error) {
        let request = self.state.request();
        let was_ended = self.state.is_aborted.load(Relaxed) && !self.state.has_stalled();
        let is_its_fault = matches!(
            error,
            Error::TimedOut { .. }
                | Error::ConnectionLost { .. }
                | Error::ConnectFailed { .. }
                | Error::Tls { .. }
        );
        if let Some(address) = request.address {
            if is_its_fault && !request.response.has_begun && !was_ended {
                self.habits.note_silent(address);
            }
        }
    }

    fn read(
        &self,
        response: http::Response<ureq::Body>,
        needs: Needs<'_>,
    ) -> Result<Response, Error> {
        let mut response =
            response::read(response, needs, &self.state).map_err(|unread| match unread {
                Unread::Unusable(error) => error,
                Unread::Failed(e) => self.explain(e.into()),
            })?;
        response.proxy = self.via.forwarder().map(Proxy::authority);
        Ok(response)
    }

    fn explain(&self, error: ureq::Error) -> Error {
        let request = self.state.request();
        let circumstances = Circumstances {
            host: &self.host,
            via: &self.via,
            request: &request,
            has_stalled: self.state.has_stalled(),
            limits: &self.limits,
        };
        match (circumstances.explain(error), self.via.forwarder()) {
            (Error::BadResponse { why, .. }, Some(proxy)) => {
                Error::bad_response(format!("{why}{}", instead(&proxy.authority())))
            }
            (error, _) => error,
        }
    }
}

impl Exchange for Connection {
    fn exchange(&self, mut request: Request<'_>) -> Result<Response, Error> {
        let length = match &request.body {
            Some(Body::Stream { length, .. }) => *length,
            _ => 0,
        };
        let expects_100 = length >= expect::MIN_BODY && !self.habits.ignores_expect();
        let mut form = String::new();
        let mut written = request.written(&mut form)?;
        if self.habits.closes_kept() {
            self.renew();
        }
        self.state.begin(written.body.is_some(), expects_100);
        let result = self.run(&mut written, expects_100);
        self.state.request().end_sending();
        let response = match result {
            Ok(response) => {
                self.note_kept(None);
                response
            }
            Err(e) => {
                let error = self.explain(e);
                self.note_kept(Some(&error));
                self.note_silent(&error);
                if self.link() == Link::Dead && request.is_repeatable() {
                    return self.exchange(request);
                }
                return Err(error);
            }
        };
        if let (407, Some(_)) = (response.status().as_u16(), self.via.forwarder()) {
            let response = self.read(response, Needs::Head)?;
            let schemes = schemes(response.values(header::PROXY_AUTHENTICATE.as_str()));
            let words = status_and_words("407", &response.body);
            return Err(failure::proxy_login(self.host.clone(), &schemes, &words));
        }
        if expects_100 {
            self.note_100();
        }
        if expects_100 && response.status() == http::StatusCode::EXPECTATION_FAILED {
            self.habits.set_ignores_expect(true);
            // Only the head was sent, so nothing in the body is used up, such as a nonce.
            if self.state.request().body_read.is_none() {
                return self.exchange(request);
            }
        }
        self.read(response, request.needs)
    }

    fn link(&self) -> Link {
        let request = self.state.request();
        match request.is_fresh {
            true => Link::New,
            false if request.was_dead => Link::Dead,
            false => Link::Kept,
        }
    }

    fn notes(&self) -> Vec<String> {
        std::mem::take(&mut self.state.request().response.notes)
    }

    fn renew(&self) {
        self.state.is_unwanted.store(true, Relaxed);
    }
}
