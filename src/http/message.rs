//! One HTTP request and its response.

use std::borrow::Cow;
use std::io::{self, Read};
use std::time::Duration;

use http::{header, HeaderMap};

use super::secret::Secret;
use crate::error::Error;

/// The most redirects in a row that a request follows.
pub(crate) const MAX_REDIRECTS: u32 = 5;

/// A request.
pub(crate) struct Request<'a> {
    pub method: &'static str,
    pub url: String,
    pub content_type: Option<String>,
    /// Further headers. Their values appear in no message.
    pub headers: Vec<(String, Secret)>,
    pub body: Option<Body<'a>>,
    pub needs: Needs<'a>,
}

/// A taker of a body as it comes: it gets the response's head, and a reader of the body.
pub(crate) type TakeBody<'a> = &'a dyn Fn(&Response, &mut dyn Read) -> io::Result<()>;

/// The part of a response that is needed.
#[derive(Clone, Copy)]
pub(crate) enum Needs<'a> {
    /// All of it: a success that may be cut is an error.
    Whole,
    /// Status and headers, and as much of the body as comes.
    Beginning,
    /// Status and headers; the body may be cut.
    Head,
    /// All of the body of a 200 or 206, however long: it goes to a taker as it comes.
    Stream(TakeBody<'a>),
}

/// The body of a request.
pub(crate) enum Body<'a> {
    /// A short body, which can be sent again.
    Text(&'a [u8]),
    /// A form, written anew for each time that it is sent: the query of a `GET`, or else a body.
    Form(&'a dyn Fn() -> Result<String, Error>),
    /// A body that can be sent only once.
    Stream {
        /// The number of bytes that `bytes` gives: the Content-Length.
        length: u64,
        bytes: &'a mut dyn Read,
    },
}

impl Request<'_> {
    /// Whether the request can be made again.
    pub(crate) fn is_repeatable(&self) -> bool {
        !matches!(self.body, Some(Body::Stream { .. }))
    }

    /// Makes a copy of the request, to be made now.
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

    /// Makes a copy of the request as it is sent now: a form is written into `form`.
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

/// Adds `query` to the query of a URL.
pub(crate) fn with_query(url: &str, query: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{query}")
}

/// A response.
#[derive(Debug, Clone, Default)]
pub(crate) struct Response {
    pub status: u16,
    /// The HTTP proxy between, if any: the response may be its own.
    pub proxy: Option<String>,
    /// The scheme of the authorization that the request had, if any.
    pub scheme: Option<&'static str>,
    /// `Retry-After` as time from now on, where the server sent one.
    pub retry_after: Option<Duration>,
    /// The fields of the head that the library reads.
    pub headers: HeaderMap,
    /// The body. For refusals, and where only the head is needed, it may be cut.
    pub body: Vec<u8>,
    /// Whether it is known that there was more of the body.
    pub is_cut: bool,
}

impl Response {
    /// Whether the status is one of a request that was accepted, with an answer in the body.
    pub(crate) fn is_accepted(&self) -> bool {
        matches!(self.status, 200 | 201)
    }

    /// Whether the status is one of a request that was accepted and of which the response is whole.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.status, 200 | 201 | 204)
    }

    /// Gives `Location`, as the server sent it.
    pub(crate) fn location(&self) -> Option<String> {
        let location = self.values(header::LOCATION.as_str()).next();
        location.map(Cow::into_owned)
    }

    /// Gives the strong entity tag. A weak one may stand for other bytes.
    pub(crate) fn strong_tag(&self) -> Option<String> {
        let tag = self.values(header::ETAG.as_str()).next()?;
        let tag = tag.trim();
        (tag.starts_with('"') && tag.len() > 2).then(|| tag.to_owned())
    }

    /// Gives the charset of the body, where the server tells it.
    #[cfg(feature = "charsets")]
    pub(crate) fn charset(&self) -> Option<String> {
        let media_type = self.values(header::CONTENT_TYPE.as_str()).next()?;
        let mut parameters = media_type.split(';').skip(1);
        parameters.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let is_charset = name.trim().eq_ignore_ascii_case("charset");
            is_charset.then(|| value.trim().trim_matches('"').to_owned())
        })
    }

    /// Gives the values of a field, in the order of their lines.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = Cow<'_, str>> {
        let values = self.headers.get_all(name).into_iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()))
    }
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
