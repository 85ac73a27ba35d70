//! What a WebDAV server has of a file.

use resup_digests::{Algorithm, Digest};

use super::requests::{get, request};
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{challenge, refusal_of, Exchange, Response};
use crate::protocol::headers::{header, number, Headers};
use crate::protocol::Range;

/// How many of the last bytes are compared.
const TAIL: u64 = 64 * 1024;

/// A file that a server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub length: u64,
    /// Its strong entity tag. A weak one may stand for other bytes.
    pub etag: Option<String>,
}

impl Stored {
    /// Asks for a file; gives `None` if there is none.
    pub(super) fn ask(exchange: &dyn Exchange, url: &Endpoint) -> Result<Option<Self>, Error> {
        let response = exchange.exchange(request("HEAD", url, Headers::new()))?;
        match response.status {
            200 => {}
            404 | 410 => return Ok(None),
            _ => return Err(refusal(&response)),
        }
        let length = match number(&response, "content-length")? {
            Some(length) => length,
            // Apache leaves out a 0.
            None => length_by_get(exchange, url)?,
        };
        let etag = response.strong_tag();
        Ok(Some(Stored { length, etag }))
    }

    /// Gives the header fields of a request that changes this very file.
    pub(super) fn only_this(&self, has_odd_tags: bool) -> Headers {
        let etag = self.etag.as_deref().filter(|_| !has_odd_tags);
        vec![header("if-match", etag.unwrap_or("*"))]
    }

    /// Reads the last bytes; gives `None` if the server does not give them.
    pub(super) fn tail(
        &self,
        exchange: &dyn Exchange,
        url: &Endpoint,
    ) -> Result<Option<Last>, Error> {
        let (from, to) = (self.length.saturating_sub(TAIL), self.length);
        let range = header("range", format!("bytes={from}-{}", to - 1));
        let response = match exchange.exchange(get(url, vec![range])) {
            // A server that knows no ranges gives all of it.
            Err(Error::ResponseTooLong { .. }) => return Ok(None),
            response => response?,
        };
        let bytes = match response.status {
            206 => {
                let wanted = format!("bytes {from}-{}/{to}", to - 1);
                let given = response.values("content-range").next();
                if given.as_deref() != Some(wanted.as_str()) {
                    return Err(Error::bad_response(format!(
                        "it has the range \"{}\", and \"{wanted}\" was asked for",
                        given.unwrap_or_default()
                    )));
                }
                &response.body[..]
            }
            200 if response.body.len() as u64 == to => &response.body[from as usize..],
            200 | 401 | 403 | 405 | 501 => return Ok(None),
            404 | 410 | 412 | 416 => {
                let why = "the file has changed there while it was asked for";
                return Err(Error::bad_response(why));
            }
            _ => return Err(refusal(&response)),
        };
        if bytes.len() as u64 != to - from {
            return Err(Error::bad_response(format!(
                "it has {} bytes of a range of {}",
                bytes.len(),
                to - from
            )));
        }
        let range = Range {
            from,
            to,
            digest: Digest::of(Algorithm::Blake3, bytes),
        };
        Ok(bytes.last().map(|byte| Last { range, byte: *byte }))
    }
}

/// Asks for the length of a file by a request for its first byte.
fn length_by_get(exchange: &dyn Exchange, url: &Endpoint) -> Result<u64, Error> {
    let range = header("range", "bytes=0-0");
    let response = exchange.exchange(get(url, vec![range]))?;
    let given = response.values("content-range").next();
    let total = given.as_deref().and_then(|given| given.rsplit_once('/'));
    let total = total.and_then(|(_, total)| total.parse().ok());
    match (response.status, total) {
        (200, _) => Ok(response.body.len() as u64),
        (206 | 416, Some(total)) => Ok(total),
        (401 | 403, _) => Err(refusal(&response)),
        _ => Err(Error::bad_response(
            "it has no Content-Length, so nothing tells what the server has",
        )),
    }
}

/// The last bytes that a server has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub range: Range,
    /// The very last one.
    pub byte: u8,
}

/// Makes the error for a refusal.
pub(super) fn refusal(response: &Response) -> Error {
    let hint = match response.status {
        401 => challenge(response),
        404 | 409 => Some(
            "the collection that the file belongs to may not be there; make it at the server, or \
             is the URL wrong?"
                .to_owned(),
        ),
        405 | 501 => Some("nothing shows that files can be put at this URL".to_owned()),
        412 => Some("the file there is another one than a moment ago".to_owned()),
        423 => Some("a program has locked the file or its collection".to_owned()),
        507 => Some("the server has no room for it".to_owned()),
        _ => None,
    };
    refusal_of(response, hint)
}
