//! A way to make requests.

use super::message::{Request, Response};
use crate::error::Error;

/// A way to make requests, one at a time.
pub(crate) trait Exchange {
    /// Sends a request and reads its response.
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error>;
}
