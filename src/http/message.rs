//! One HTTP request and its answer.

use std::io::Read;
use std::time::Duration;

use super::secret::Secret;
use crate::error::Error;

/// One request.
pub(crate) struct Request<'a> {
    pub method: &'static str,
    pub url: String,
    pub content_type: Option<String>,
    /// Further headers. Their values are kept from every message.
    pub headers: Vec<(String, Secret)>,
    pub body: Option<Body<'a>>,
    pub needs: Needs,
}

/// What is needed of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// All of it, for it is acted on: a success that may be cut is an error.
    Whole,
    /// Status and headers; of the body, what came is enough.
    Head,
}

/// The body of a request.
pub(crate) enum Body<'a> {
    /// A short one, which can be sent again.
    Text(&'a [u8]),
    /// A form, written anew each time that it goes out: the query of a `GET`, or else a body.
    Form(&'a dyn Fn() -> Result<String, Error>),
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
                Body::Form(write) => Body::Form(*write),
                Body::Stream { length, bytes } => Body::Stream {
                    length: *length,
                    bytes: &mut **bytes,
                },
            }),
            needs: self.needs,
        }
    }

    /// The same request as it goes out now: a form is written into `form`.
    pub(crate) fn written<'s>(&'s mut self, form: &'s mut String) -> Result<Request<'s>, Error> {
        let mut request = self.again();
        if let Some(Body::Form(write)) = request.body {
            *form = write()?;
            request.body = match request.method {
                "GET" => {
                    request.url = with_query(&request.url, form);
                    None
                }
                _ => Some(Body::Text(form.as_bytes())),
            };
        }
        Ok(request)
    }
}

/// An address with `query` added to what query it has.
pub(crate) fn with_query(url: &str, query: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{query}")
}

/// One answer.
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
    /// The body; of refusals, and where no more than the head is needed, perhaps only its start.
    pub body: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_extended() {
        assert_eq!(with_query("http://h/up", "x=1"), "http://h/up?x=1");
        assert_eq!(with_query("http://h/up?t=7", "x=1"), "http://h/up?t=7&x=1");
    }
}
