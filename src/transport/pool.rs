//! A client's idle connections, for its next requests.

use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::connection::Connection;
use super::habits::Habits;
use super::options::ConnectionOptions;
use super::tls::TlsConfigs;
use crate::control::stop::Stop;
use crate::control::{AbortKey, Control};
use crate::error::Error;
use crate::http::{Exchange, Link, Request, Response};

/// The most idle connections in a pool; further ones are closed.
const MAX_IDLE: usize = 8;

/// The idle connections of one client, each with the version of its options.
#[derive(Debug, Default)]
pub(crate) struct ConnectionPool {
    idle: Mutex<Vec<(u64, Connection)>>,
    habits: Arc<Habits>,
    tls: TlsConfigs,
}

impl ConnectionPool {
    /// Gives a connection with these options: the last one that became idle, or a new one. The
    /// program's commands can abort it. It returns to the pool by itself.
    pub(crate) fn take<'a>(
        &'a self,
        options: &ConnectionOptions,
        version: u64,
        control: &'a Control,
    ) -> Result<PooledConnection<'a>, Stop> {
        let mut idle = self.lock();
        idle.retain(|(made_with, _)| *made_with == version);
        let connection = match idle.pop() {
            Some((_, connection)) => connection,
            None => Connection::new(options, self.habits.clone(), |certificates| {
                self.tls.get(version, certificates)
            })?,
        };
        drop(idle);
        let abort_key = control.add_abort(connection.abort_handle())?;
        Ok(PooledConnection {
            connection: Some(connection),
            abort_key,
            is_reusable: Cell::new(false),
            version,
            pool: self,
            control,
        })
    }

    fn give_back(&self, version: u64, connection: Connection) {
        let mut idle = self.lock();
        // A connection that the stall limit has ended may still give an early response.
        if !connection.has_stalled() && idle.len() < MAX_IDLE {
            idle.push((version, connection));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Connection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that returns to the pool after a success.
pub(crate) struct PooledConnection<'a> {
    /// `None` only while it is dropped.
    connection: Option<Connection>,
    abort_key: AbortKey,
    is_reusable: Cell<bool>,
    version: u64,
    pool: &'a ConnectionPool,
    control: &'a Control,
}

impl PooledConnection<'_> {
    fn connection(&self) -> &Connection {
        self.connection
            .as_ref()
            .expect("the connection is there until the drop")
    }
}

impl Exchange for PooledConnection<'_> {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        self.is_reusable.set(false);
        let response = self.connection().exchange(request)?;
        self.control.set_http_status(response.status);
        // After a refusal it is unknown how much more the server reads.
        self.is_reusable.set(response.is_settled());
        Ok(response)
    }

    fn link(&self) -> Link {
        self.connection().link()
    }

    fn notes(&self) -> Vec<String> {
        self.connection().notes()
    }

    fn renew(&self) {
        self.is_reusable.set(false);
        self.connection().renew();
    }
}

impl Drop for PooledConnection<'_> {
    fn drop(&mut self) {
        let is_whole = self.control.drop_abort(self.abort_key);
        if let Some(connection) = self.connection.take() {
            if is_whole && self.is_reusable.get() {
                self.pool.give_back(self.version, connection);
            }
        }
    }
}
