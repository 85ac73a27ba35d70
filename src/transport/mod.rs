//! HTTP exchanges by ureq, one at a time, over a connection that can be aborted. No other module
//! uses ureq.
//!
//! Each workaround for ureq 3.5 has a comment that names its reason, and a test in `contract`, so
//! that an update that changes ureq is noticed.
//!
//! A connection is a chain of layers, from the socket up to ureq: `names` (lookups), `socket` (with
//! `socks`) or ureq's connector for tunnels, `via` (proxies), `early` (`Bottom`), `tls`, `early` (`Top`),
//! `tunnel`, `expect`. They share their [`state`]. All connections of a client share its server's
//! `habits`.

mod body;
mod connection;
#[cfg(test)]
mod contract;
mod early;
mod expect;
mod failure;
mod habits;
mod head;
mod names;
mod options;
mod pool;
mod race;
mod request;
mod response;
mod socket;
mod socks;
mod stall;
mod state;
mod tls;
mod tunnel;
mod via;

#[cfg(test)]
pub(crate) use connection::Connection;
pub(crate) use options::ConnectionOptions;
pub(crate) use pool::{ConnectionPool, PooledConnection};
