//! Connections to the server.

use super::options::ClientState;
use super::origins::OriginExchange;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::http::session::{AuthHistory, SessionExchange};
use crate::http::Exchange;
use crate::transport::ConnectionPool;

/// A maker of connections to the server, for all threads of a run. The run makes a new one after each
/// failure.
pub(super) trait Connector: Sync {
    /// Gives a connection that the program's commands can abort.
    fn connect(&self) -> Result<Box<dyn Exchange + '_>, Stop>;
}

/// A maker of HTTP connections with the client's session.
pub(super) struct HttpConnector<'a> {
    pub client: &'a ClientState,
    pub pool: &'a ConnectionPool,
    /// The pool for servers of other origins.
    pub others: &'a ConnectionPool,
    pub control: &'a Control,
    pub history: AuthHistory,
}

impl Connector for HttpConnector<'_> {
    fn connect(&self) -> Result<Box<dyn Exchange + '_>, Stop> {
        let options = &self.client.options;
        let version = self.client.version;
        let connection = self.pool.take(&options.connection, version, self.control)?;
        let home = SessionExchange {
            inner: Box::new(connection),
            credentials: &options.credentials,
            endpoint: &options.connection.endpoint,
            state: &self.client.session,
            history: &self.history,
        };
        Ok(Box::new(OriginExchange::new(
            home,
            (&options.connection, version),
            self.others,
            self.control,
        )))
    }
}
