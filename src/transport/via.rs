//! The route to a server: direct, or through a proxy.
//!
//! ureq asks an HTTP proxy for a tunnel (CONNECT) for every server, and many proxies allow that
//! only for port 443. So requests to `http://` servers use the absolute form (RFC 9112, 3.2.2): the
//! connection goes to the proxy, and [`Absolute`], the layer next to the socket, puts scheme and
//! host into the request line.

use std::sync::Arc;

use ureq::http::uri::Uri;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::Error;

use super::state::ConnectionState;
use crate::http::endpoint::{bracketed, Origin};
use crate::http::proxy::{Proxy, ProxyKind};
use crate::http::secret::{basic, Secret};

/// The route to the server.
#[derive(Debug, Clone)]
pub(super) enum Via {
    /// Without a proxy.
    Direct,
    /// Through an HTTP proxy that gets each request in absolute form.
    Forward(Proxy),
    /// Through a connection that a proxy makes.
    Tunnel(Proxy),
}

impl Via {
    pub(super) fn new(origin: &Origin, proxy: Option<Proxy>) -> Self {
        match proxy {
            None => Via::Direct,
            Some(proxy) if proxy.kind == ProxyKind::Http && !origin.https => Via::Forward(proxy),
            Some(proxy) => Via::Tunnel(proxy),
        }
    }

    pub(super) fn proxy(&self) -> Option<&Proxy> {
        match self {
            Via::Direct => None,
            Via::Forward(proxy) | Via::Tunnel(proxy) => Some(proxy),
        }
    }

    /// Gives the proxy whose responses look like the server's.
    pub(super) fn forwarder(&self) -> Option<&Proxy> {
        match self {
            Via::Forward(proxy) => Some(proxy),
            _ => None,
        }
    }

    pub(super) fn is_socks(&self) -> bool {
        self.proxy()
            .is_some_and(|proxy| proxy.kind != ProxyKind::Http)
    }

    /// Gives the proxy in ureq's form.
    pub(super) fn tunnel(&self) -> Result<Option<ureq::Proxy>, ureq::Error> {
        let Via::Tunnel(proxy) = self else {
            return Ok(None);
        };
        let mut builder = ureq::Proxy::builder(match proxy.kind {
            ProxyKind::Http => ureq::ProxyProtocol::Http,
            ProxyKind::Socks4 => ureq::ProxyProtocol::Socks4,
            ProxyKind::Socks4a => ureq::ProxyProtocol::Socks4A,
            ProxyKind::Socks5 => ureq::ProxyProtocol::Socks5,
            ProxyKind::Socks5h => ureq::ProxyProtocol::Socks5h,
        });
        builder = builder.host(&bracketed(&proxy.host)).port(proxy.port);
        if let Some((user, password)) = &proxy.login {
            builder = builder.username(user).password(password.text());
        }
        builder.build().map(Some)
    }

    /// Gives the proxy's URL, where its name is looked up in place of the server's.
    pub(super) fn stand_in(&self) -> Option<Uri> {
        let proxy = self.forwarder()?;
        format!("http://{}/", proxy.authority()).parse().ok()
    }

    /// Gives the value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<Secret> {
        let (user, password) = self.forwarder()?.login.as_ref()?;
        Some(basic(user, password))
    }
}

/// The connector of the layer that writes absolute forms, where that is `wanted`.
#[derive(Debug)]
pub(super) struct Absolute {
    pub state: Arc<ConnectionState>,
    pub wanted: bool,
}

impl<In: Transport> Connector<In> for Absolute {
    type Out = AbsoluteTransport<In>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let authority = details.uri.authority().filter(|_| self.wanted);
        let prefix = authority.map(|authority| format!("http://{authority}"));
        Ok(chained.map(|inner| AbsoluteTransport {
            inner,
            state: self.state.clone(),
            prefix,
        }))
    }
}

#[derive(Debug)]
pub(super) struct AbsoluteTransport<In> {
    inner: In,
    state: Arc<ConnectionState>,
    /// The text before the path.
    prefix: Option<String>,
}

impl<In: Transport> Transport for AbsoluteTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let Some(prefix) = &self.prefix else {
            return self.inner.transmit_output(amount, timeout);
        };
        if amount == 0 || !std::mem::take(&mut self.state.request().head_due) {
            return self.inner.transmit_output(amount, timeout);
        }
        let output = self.inner.buffers().output();
        let method = output[..amount].iter().position(|byte| *byte == b' ');
        let longer = amount + prefix.len();
        let Some(at) = method.map(|at| at + 1).filter(|_| longer <= output.len()) else {
            return Err(Error::BadUri("too long for a proxy".to_owned()));
        };
        output.copy_within(at..amount, at + prefix.len());
        output[at..at + prefix.len()].copy_from_slice(prefix.as_bytes());
        self.inner.transmit_output(longer, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
