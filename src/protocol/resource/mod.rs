//! Protocols in which each upload has a URL of its own, as its key.
//!
//! A locate asks for the offset of the upload whose URL is known, or else creates one. A send appends
//! to it. What differs between these protocols is a [`Dialect`].

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::{
    Abilities, Answer, ChecksumAlgorithm, FileBytes, Job, Outcome, Protocol, Segment, State, Store,
};
use crate::error::{Error, RefusalKind};
use crate::http::endpoint::Endpoint;
use crate::http::secret::Secret;
use crate::http::{limited, refusal_of, Body, Exchange, Link, Needs, Request, Response};

/// Header fields of a request.
pub(super) type Headers = Vec<(String, Secret)>;

/// Makes a header field.
pub(super) fn header(name: &str, value: impl ToString) -> (String, Secret) {
    (name.to_owned(), Secret::new(value.to_string()))
}

/// What one of these protocols does in its own way.
pub(super) trait Dialect: Send + Sync {
    /// Gives the protocol's name.
    fn name(&self) -> &'static str;

    /// Learns what the server can do, before the first request about a file.
    fn learn(&self, exchange: &dyn Exchange, endpoint: &Endpoint) -> Result<(), Error>;

    /// Gives the checksum that goes before the bytes of each send.
    fn checksum(&self) -> Option<ChecksumAlgorithm>;

    /// Gives the most bytes of one send.
    fn max_segment(&self) -> Option<u64>;

    /// Gives the header fields of every request.
    fn common(&self) -> Headers;

    /// Gives the further header fields of the request that creates an upload.
    fn creation(&self, job: &Job) -> Result<Headers, Error>;

    /// Gives the further header fields of a request that appends to an upload.
    fn append(&self, job: &Job, segment: &Segment<'_>) -> Headers;

    /// Gives the content type of the bytes that are appended.
    fn content_type(&self) -> &'static str;

    /// Whether an upload with so many bytes is complete, by a response about it.
    fn is_complete(&self, response: &Response, offset: u64, size: u64) -> bool;

    /// Whether an upload of nothing is complete once it is created.
    fn completes_empty(&self) -> bool;

    /// Whether a refusal says that the bytes did not have their checksum.
    fn is_checksum_mismatch(&self, status: u16) -> bool;

    /// Whether a response is one of this protocol.
    fn is_spoken(&self, response: &Response) -> bool;

    /// Gives what the server says about its limit for a whole file.
    fn max_size(&self) -> Option<u64>;
}

/// A protocol with a URL for each upload, against one endpoint.
pub(super) struct Resource<D> {
    /// The URL at which uploads are created.
    endpoint: Endpoint,
    pub(super) dialect: D,
    /// Whether PATCH does not come through, so that a POST stands in for it.
    patches_by_post: AtomicBool,
}

/// The most redirects that the creation of an upload follows.
const MAX_REDIRECTS: u32 = 5;

/// The longest URL of an upload, in bytes.
const LONGEST_URL: usize = 8 * 1024;

impl<D: Dialect> Resource<D> {
    pub(super) fn new(endpoint: Endpoint, dialect: D) -> Self {
        Resource {
            endpoint,
            dialect,
            patches_by_post: AtomicBool::new(false),
        }
    }

    fn request<'a>(&self, method: &'static str, url: &Endpoint, headers: Headers) -> Request<'a> {
        let mut all = self.dialect.common();
        all.extend(headers);
        Request {
            method,
            url: url.uri().to_string(),
            content_type: None,
            headers: all,
            body: None,
            needs: Needs::Head,
        }
    }

    /// Creates an upload.
    fn create(&self, exchange: &dyn Exchange, job: &Job) -> Result<Answer, Error> {
        let mut at = self.endpoint.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = self.request("POST", &at, self.dialect.creation(job)?);
            request.body = Some(Body::Text(b""));
            let response = exchange.exchange(request)?;
            match response.status {
                307 | 308 => at = self.follow(&at, &response)?,
                200..=299 => {
                    let url = upload_url(&at, &response)?;
                    let is_complete = job.size == 0 && self.dialect.completes_empty();
                    return Ok(self.answer(&url, 0, is_complete));
                }
                _ => return Err(self.refusal(&response, job)),
            }
        }
        Err(Error::bad_response(format!(
            "it redirects more than {MAX_REDIRECTS} times in a row"
        )))
    }

    /// Gives the endpoint that a response redirects to, if that has the same origin.
    fn follow(&self, at: &Endpoint, response: &Response) -> Result<Endpoint, Error> {
        let target = response.location().and_then(|it| at.resolve(&it));
        target
            .filter(|target| target.origin() == at.origin())
            .ok_or_else(|| refusal_of(response, self.hint(response)))
    }

    /// Asks what the server has of an upload. Gives `None` if it has no such upload of this file.
    fn ask(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        url: &Endpoint,
    ) -> Result<Option<Answer>, Error> {
        let response = exchange.exchange(self.request("HEAD", url, Headers::new()))?;
        match response.status {
            200..=299 => {}
            403 | 404 | 410 => return Ok(None),
            _ => return Err(self.refusal(&response, job)),
        }
        if number(&response, "upload-length")?.is_some_and(|length| length != job.size) {
            return Ok(None);
        }
        let offset = number(&response, "upload-offset")?.ok_or_else(|| {
            Error::bad_response("it has no Upload-Offset, so nothing tells what the server has")
        })?;
        self.checked(&response, job, url, offset).map(Some)
    }

    /// Makes an answer of an offset that a response gave.
    fn checked(
        &self,
        response: &Response,
        job: &Job,
        url: &Endpoint,
        offset: u64,
    ) -> Result<Answer, Error> {
        if offset > job.size {
            return Err(Error::BadOffset {
                why: format!("{offset} of {} bytes", job.size),
            });
        }
        let is_complete = self.dialect.is_complete(response, offset, job.size);
        Ok(self.answer(url, offset, is_complete))
    }

    fn answer(&self, url: &Endpoint, offset: u64, is_complete: bool) -> Answer {
        let url = url.uri().to_string();
        let state = match offset {
            _ if is_complete => State::Complete,
            0 => State::New,
            _ => State::Partial,
        };
        Answer {
            state,
            offset,
            location: is_complete.then(|| url.clone()),
            id: Some(url),
            agreed: None,
            prefix: None,
            max_segment: self.dialect.max_segment(),
            small: None,
            parts: None,
            ranges: Vec::new(),
            message: None,
        }
    }

    /// Asks again after a send, on a connection that is sure to have no other response.
    fn ask_again(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        url: &Endpoint,
    ) -> Result<Answer, Error> {
        exchange.renew();
        let gone = || Error::bad_response("it no longer has the upload that it took bytes for");
        self.ask(exchange, job, url)?.ok_or_else(gone)
    }

    fn refusal(&self, response: &Response, job: &Job) -> Error {
        let limit = self.dialect.max_size().filter(|_| response.status == 413);
        let hint = match limit {
            Some(limit) => Some(format!(
                "the server takes files of at most {limit} bytes, and this one has {}",
                job.size
            )),
            None => self.hint(response),
        };
        refusal_of(response, hint)
    }

    fn hint(&self, response: &Response) -> Option<String> {
        let name = self.dialect.name();
        (!self.dialect.is_spoken(response) && matches!(response.status, 400..=499))
            .then(|| format!("nothing shows that the server speaks {name} at this URL"))
    }
}

impl<D: Dialect> Protocol for Resource<D> {
    fn name(&self) -> &'static str {
        self.dialect.name()
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            locates: true,
            proves_prefix: false,
            needs_key: true,
            checksum: self.dialect.checksum(),
        }
    }

    fn locate(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Result<Answer, Error> {
        self.dialect.learn(exchange, &self.endpoint)?;
        let Some(url) = key.and_then(|key| self.endpoint.resolve(key)) else {
            return self.create(exchange, job);
        };
        let mut answer = self.ask(exchange, job, &url)?;
        let has_bytes = |answer: &Answer| answer.offset > 0;
        if exchange.link() == Link::Kept && answer.as_ref().is_some_and(has_bytes) {
            // It may be a late answer to an earlier request, and it names no upload.
            exchange.renew();
            answer = self.ask(exchange, job, &url)?;
        }
        match answer {
            Some(answer) => Ok(answer),
            None => self.create(exchange, job),
        }
    }

    fn send(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error> {
        let url = segment.id.and_then(|key| self.endpoint.resolve(key));
        let url = url.ok_or_else(|| Error::Internal {
            why: "bytes for an upload without a URL".to_owned(),
        })?;
        let mut headers = self.dialect.append(job, &segment);
        let by_post = self.patches_by_post.load(Relaxed);
        let method = match by_post {
            true => {
                headers.push(header("x-http-method-override", "PATCH"));
                "POST"
            }
            false => "PATCH",
        };
        let end = segment.offset + segment.length;
        let mut body = CheckedBytes {
            bytes: segment.bytes,
            left: segment.length,
            is_checked: false,
        };
        let mut request = self.request(method, &url, headers);
        request.content_type = Some(self.dialect.content_type().to_owned());
        request.body = Some(Body::Stream {
            length: segment.length,
            bytes: &mut body,
        });
        let response = exchange.exchange(request)?;
        match response.status {
            200..=299 => match number(&response, "upload-offset")? {
                Some(offset) if offset > end => Err(Error::BadOffset {
                    why: format!("{offset}, but bytes up to {end} were sent"),
                }),
                Some(offset) => {
                    let answer = self.checked(&response, job, &url, offset)?;
                    Ok(Outcome::Accepted(answer))
                }
                None => Ok(Outcome::Accepted(self.ask_again(exchange, job, &url)?)),
            },
            409 => Ok(Outcome::OffsetMismatch(
                self.ask_again(exchange, job, &url)?,
            )),
            status if self.dialect.is_checksum_mismatch(status) => Ok(Outcome::ChecksumMismatch(
                self.ask_again(exchange, job, &url)?,
            )),
            404 | 410 => Ok(Outcome::UnknownUpload(self.refusal(&response, job))),
            405 | 501 if !by_post => {
                self.patches_by_post.store(true, Relaxed);
                let hint = "PATCH does not come through; the next attempt sends POST in its place";
                Err(refusal_of(&response, Some(hint.to_owned())).with_kind(RefusalKind::Failing))
            }
            _ => Err(self.refusal(&response, job)),
        }
    }

    fn store(&self, _: &dyn Exchange, _: &Job, _: Store<'_>) -> Result<Option<Answer>, Error> {
        // If its response were lost, the server would have the file twice.
        Ok(None)
    }
}

/// The bytes of a send, which end only after the check that they are still the file's: without the
/// last one the server cannot complete a mixture of two versions.
struct CheckedBytes<'a> {
    bytes: &'a mut dyn FileBytes,
    left: u64,
    is_checked: bool,
}

impl Read for CheckedBytes<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // The last byte is read alone.
        let most = self.left.saturating_sub(1).max(1).min(self.left);
        let most = most.min(buf.len() as u64) as usize;
        let n = self.bytes.read(&mut buf[..most])?;
        self.left -= n as u64;
        if self.left == 0 && !self.is_checked {
            self.is_checked = true;
            self.bytes.finish()?;
        }
        Ok(n)
    }
}

/// Gives the URL of an upload that was created.
fn upload_url(at: &Endpoint, response: &Response) -> Result<Endpoint, Error> {
    let Some(location) = response.location() else {
        return Err(Error::bad_response(format!(
            "it has status {} and no Location, so the upload has no URL",
            response.status
        )));
    };
    let shown = || limited(&location);
    let url = at.resolve(&location);
    let url = url
        .filter(|_| location.len() <= LONGEST_URL)
        .ok_or_else(|| {
            Error::bad_response(format!("its Location \"{}\" is not a URL of http", shown()))
        })?;
    if at.origin().https && !url.origin().https {
        return Err(Error::bad_response(format!(
            "its Location \"{}\" is http, though the server was asked by https; the file would \
             cross the network in clear",
            shown()
        )));
    }
    Ok(url)
}

/// Reads a number from a header field; `None` where the response does not have it.
pub(super) fn number(response: &Response, name: &str) -> Result<Option<u64>, Error> {
    let mut values = response.values(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let is_single = values.all(|other| other == value);
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(number) if is_single && is_number => Ok(Some(number)),
        _ => Err(Error::bad_response(format!(
            "its {name} \"{}\" is not one whole number",
            limited(&value)
        ))),
    }
}
