//! Name lookups: when a connection is made, and only then.
//!
//! ureq looks the server's name up before each request, in a thread of its own, even if there is a
//! connection already. So ureq gets the resolver [`Later`], which does nothing, and [`Lookup`]
//! makes the lookup, around the layers that connect.

use std::sync::Arc;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::uri::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::{Duration as NetDuration, Instant};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

use super::state::ConnectionState;

/// A resolver that gives no address: the lookup comes later.
#[derive(Debug)]
pub(super) struct Later;

impl Resolver for Later {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

/// The resolver for the names of one connection.
#[derive(Debug)]
pub(super) struct Names<R> {
    pub resolver: R,
    /// The URL that is looked up in place of every other.
    pub stand_in: Option<Uri>,
    pub state: Arc<ConnectionState>,
}

impl<R: Resolver> Resolver for Names<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let uri = self.stand_in.as_ref().unwrap_or(uri);
        let result = self.resolver.resolve(uri, config, timeout);
        // ureq's error does not show that the lookup failed.
        self.state.request().resolved(result.is_ok());
        result
    }
}

/// Gives what is left of the time for connecting, which begins after the lookup of the server.
pub(super) fn time_left(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    let now = (details.current_time)();
    if let (NetDuration::Exact(after), Instant::Exact(began), Instant::Exact(now)) =
        (timeout.after, details.now, now)
    {
        let passed = now.saturating_duration_since(began);
        timeout.after = after.saturating_sub(passed).into();
    }
    timeout
}

/// The connector around the layers that connect: looks up the addresses that they need.
#[derive(Debug)]
pub(super) struct Lookup<R, C> {
    pub names: Names<R>,
    pub limit: Duration,
    pub connect: C,
}

impl<In: Transport, R: Resolver, C: Connector<In>> Connector<In> for Lookup<R, C> {
    type Out = C::Out;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let mut addrs = details.addrs.clone();
        let mut now = details.now;
        // Some proxies look the server's name up themselves. For a tunnel, ureq connects to the
        // proxy through this function too, with the proxy's addresses.
        let proxy = details.config.proxy();
        if addrs.is_empty() && proxy.is_none_or(|proxy| proxy.resolve_target()) {
            let timeout = NextTimeout {
                after: self.limit.into(),
                reason: Timeout::Resolve,
                ..NextTimeout::default()
            };
            addrs = self.names.resolve(details.uri, details.config, timeout)?;
            now = (details.current_time)();
        }
        let details = ConnectionDetails {
            uri: details.uri,
            addrs,
            resolver: &self.names,
            config: details.config,
            request_level: details.request_level,
            now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        self.connect.connect(&details, chained)
    }
}
