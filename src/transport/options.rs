//! The options of a connection.

use crate::error::Error;
use crate::http::certificates::Certificates;
use crate::http::endpoint::Endpoint;
use crate::http::proxy::{NoProxy, ProxySetting};
use crate::options::TimeLimits;

/// The options of a connection: the server's URL, time limits, proxy and TLS.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionOptions {
    pub endpoint: Endpoint,
    pub user_agent: String,
    pub limits: TimeLimits,
    pub proxy: ProxySetting,
    /// The hosts that are reached without a proxy; `None` for the environment's list.
    pub no_proxy: Option<NoProxy>,
    pub certificates: Certificates,
}

impl ConnectionOptions {
    /// Makes the default options for the server at the URL `endpoint`.
    pub(crate) fn new(endpoint: &str) -> Result<Self, Error> {
        Ok(ConnectionOptions {
            endpoint: Endpoint::parse(endpoint)?,
            user_agent: concat!("resup/", env!("CARGO_PKG_VERSION")).to_owned(),
            limits: TimeLimits::default(),
            proxy: ProxySetting::default(),
            no_proxy: None,
            certificates: Certificates::default(),
        })
    }
}
