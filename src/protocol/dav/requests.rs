//! The requests of WebDAV.

use crate::http::endpoint::Endpoint;
use crate::http::{Body, Needs, Request};
use crate::protocol::headers::{header, Headers};

/// Makes a request without a body.
pub(super) fn request<'a>(method: &'static str, url: &Endpoint, headers: Headers) -> Request<'a> {
    Request {
        method,
        url: url.uri().to_string(),
        content_type: None,
        headers,
        body: None,
        needs: Needs::Head,
    }
}

/// Makes a request for a file or a range of it, of any type.
pub(super) fn get<'a>(url: &Endpoint, mut headers: Headers) -> Request<'a> {
    headers.push(header("accept", "*/*"));
    Request {
        needs: Needs::Whole,
        ..request("GET", url, headers)
    }
}

/// Makes a request with a body.
pub(super) fn sends<'a>(
    method: &'static str,
    url: &Endpoint,
    (content_type, headers): (String, Headers),
    body: Body<'a>,
) -> Request<'a> {
    Request {
        content_type: Some(content_type),
        body: Some(body),
        ..request(method, url, headers)
    }
}
