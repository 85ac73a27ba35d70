//! What a connection is made by.

use crate::error::Error;
use crate::http::certificates::Certificates;
use crate::http::endpoint::Endpoint;
use crate::http::proxy::{NoProxy, ProxySetting};
use crate::options::TimeLimits;

/// Where a server is, and how it is reached.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionOptions {
    pub endpoint: Endpoint,
    pub user_agent: String,
    pub limits: TimeLimits,
    pub proxy: ProxySetting,
    /// What is reached without a proxy; `None` leaves it to the environment.
    pub no_proxy: Option<NoProxy>,
    pub certificates: Certificates,
}

impl ConnectionOptions {
    /// Makes the defaults for the server at `endpoint`, an URL.
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
