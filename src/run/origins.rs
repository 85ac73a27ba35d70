//! Requests to other origins than the endpoint's: a server may give an upload a URL elsewhere.

use std::cell::{Cell, RefCell};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::control::stop::Stop;
use crate::control::Control;
use crate::error::Error;
use crate::http::certificates::Certificates;
use crate::http::endpoint::{Endpoint, Origin};
use crate::http::session::SessionExchange;
use crate::http::{Exchange, Link, Request, Response};
use crate::transport::{ConnectionOptions, ConnectionPool, PooledConnection};

/// An exchange with the endpoint's server, by the client's session. A server of another origin gets
/// no password, cookie, header field of the program's or client certificate.
pub(super) struct OriginExchange<'a> {
    home: SessionExchange<'a>,
    /// The endpoint's options, with their version.
    options: (&'a ConnectionOptions, u64),
    pool: &'a ConnectionPool,
    control: &'a Control,
    other: RefCell<Option<(Origin, PooledConnection<'a>)>>,
    /// Whether the last request went to another origin.
    was_other: Cell<bool>,
}

impl<'a> OriginExchange<'a> {
    /// Makes an exchange; `pool` has the connections to other origins.
    pub(super) fn new(
        home: SessionExchange<'a>,
        options: (&'a ConnectionOptions, u64),
        pool: &'a ConnectionPool,
        control: &'a Control,
    ) -> Self {
        OriginExchange {
            home,
            options,
            pool,
            control,
            other: RefCell::default(),
            was_other: Cell::new(false),
        }
    }

    /// Makes a connection to another origin.
    fn connect(&self, endpoint: Endpoint) -> Result<PooledConnection<'a>, Error> {
        let (home, version) = self.options;
        let mut hasher = DefaultHasher::new();
        (version, endpoint.origin().to_string()).hash(&mut hasher);
        let options = ConnectionOptions {
            endpoint,
            certificates: Certificates {
                client: None,
                ..home.certificates.clone()
            },
            ..home.clone()
        };
        // So the pool keeps connections to one origin only.
        let version = hasher.finish();
        let taken = self.pool.take(&options, version, self.control);
        taken.map_err(|stop| match stop {
            Stop::Failed(error) => error,
            Stop::Interrupted => Error::Cancelled,
        })
    }
}

impl Exchange for OriginExchange<'_> {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        let endpoint = Endpoint::parse(&request.url)?;
        let origin = endpoint.origin();
        self.was_other.set(origin != self.home.endpoint.origin());
        if !self.was_other.get() {
            return self.home.exchange(request);
        }
        let mut other = self.other.borrow_mut();
        if other.as_ref().is_none_or(|(kept, _)| *kept != origin) {
            *other = Some((origin, self.connect(endpoint)?));
        }
        let (_, connection) = other.as_ref().expect("it was made");
        connection.exchange(request)
    }

    fn link(&self) -> Link {
        match (&*self.other.borrow(), self.was_other.get()) {
            (Some((_, connection)), true) => connection.link(),
            _ => self.home.link(),
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = self.home.notes();
        let other = self.other.borrow();
        notes.extend(other.iter().flat_map(|(_, connection)| connection.notes()));
        notes
    }

    fn renew(&self) {
        match (&*self.other.borrow(), self.was_other.get()) {
            (Some((_, connection)), true) => connection.renew(),
            _ => self.home.renew(),
        }
    }
}
