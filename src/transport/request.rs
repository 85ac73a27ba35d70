//! What ureq is told of a request.

use ureq::http::{self, header};
use ureq::Agent;

use crate::http::secret::Secret;
use crate::http::{Needs, Request};
use crate::options::TimeLimits;

/// Writes the head of a request, except for its length. `for_proxy` is the login at a proxy.
pub(super) fn head(
    request: &Request<'_>,
    for_proxy: Option<Secret>,
    expects_100: bool,
) -> Result<http::request::Builder, ureq::Error> {
    let mut builder = http::Request::builder()
        .method(request.method)
        .uri(&request.url);
    if let Some(content_type) = &request.content_type {
        builder = builder.header(header::CONTENT_TYPE, content_type);
    }
    let for_proxy = for_proxy.map(|value| ("proxy-authorization".to_owned(), value));
    for (name, secret) in request.headers.iter().chain(&for_proxy) {
        let mut value = http::HeaderValue::from_bytes(secret.bytes()).map_err(http::Error::from)?;
        value.set_sensitive(true);
        builder = builder.header(name, value);
    }
    if expects_100 {
        builder = builder.header(header::EXPECT, "100-continue");
    }
    Ok(builder)
}

/// Limits the time for each read of a body that is taken as it comes, in place of that for all of it.
pub(super) fn limited(
    agent: &Agent,
    limits: &TimeLimits,
    (request, needs): (http::Request<()>, Needs<'_>),
) -> http::Request<()> {
    match needs {
        Needs::Stream(_) => {
            let config = agent.configure_request(request).timeout_recv_body(None);
            config.timeout_per_read(Some(limits.stall)).build()
        }
        Needs::Whole | Needs::Beginning | Needs::Head => request,
    }
}
