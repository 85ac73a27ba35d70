//! A way to make requests.

use super::message::{Request, Response};
use crate::error::Error;

/// The connection that an exchange used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// A new one: nothing but the response to this request can have come on it.
    New,
    /// One that was kept from an earlier exchange. A late response to an earlier request may have
    /// been on it.
    Kept,
    /// One that was kept, and was dead: the exchange failed without a byte of a response.
    Dead,
}

/// A way to make requests, one at a time.
pub(crate) trait Exchange {
    /// Sends a request and reads its response.
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error>;

    /// Gives the connection that the last exchange used.
    fn link(&self) -> Link {
        Link::New
    }

    /// Takes the notes on odd lines in the heads of responses since the last call, for the log.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Drops the connection, so that the next exchange makes a new one.
    fn renew(&self) {}
}
