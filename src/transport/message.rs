//! One HTTP request and its answer.
#![forbid(unsafe_code)]

use std::io::Read;
use std::time::Duration;

use crate::error::Error;
use crate::secret::Secret;

/// One request.
pub(crate) struct Request<'a> {
    pub method: &'static str,
    pub url: String,
    pub content_type: Option<String>,
    /// Further headers. Their values are kept from every message.
    pub headers: Vec<(String, Secret)>,
    pub body: Option<Body<'a>>,
}

/// The body of a request.
pub(crate) enum Body<'a> {
    /// A short one, which can be sent again.
    Text(&'a [u8]),
    /// One that can be sent once.
    Stream {
        /// How many bytes `bytes` gives: the Content-Length.
        length: u64,
        bytes: &'a mut dyn Read,
    },
}

impl Request<'_> {
    /// Whether it may be made again.
    pub(crate) fn is_repeatable(&self) -> bool {
        !matches!(self.body, Some(Body::Stream { .. }))
    }

    /// The same request, to be made now.
    pub(crate) fn again(&mut self) -> Request<'_> {
        Request {
            method: self.method,
            url: self.url.clone(),
            content_type: self.content_type.clone(),
            headers: self.headers.clone(),
            body: self.body.as_mut().map(|body| match body {
                Body::Text(text) => Body::Text(text),
                Body::Stream { length, bytes } => Body::Stream {
                    length: *length,
                    bytes: &mut **bytes,
                },
            }),
        }
    }
}

/// One answer, whole.
#[derive(Debug, Default)]
pub(crate) struct Response {
    pub status: u16,
    /// The proxy that was asked for the URL: the answer may be its own.
    pub proxy: Option<String>,
    /// `Retry-After`, from now on, where the server sent one.
    pub retry_after: Option<Duration>,
    /// `Location`, as the server sent it.
    pub location: Option<String>,
    /// `Set-Cookie` lines.
    pub cookies: Vec<String>,
    /// The body; of refusals, only the start of a long one.
    pub body: Vec<u8>,
}

/// Something that requests can be made over.
pub(crate) trait Wire {
    /// Sends a request and reads its answer.
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error>;
}
