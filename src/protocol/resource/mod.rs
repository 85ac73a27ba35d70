//! Protocols in which each upload has a URL of its own, as its key.
//!
//! A locate asks for the offset of the upload whose URL is known, or else creates one. A send appends
//! to it. What differs between these protocols is a [`Dialect`].

mod dialect;
mod url;

pub(super) use super::headers::{header, number, Headers};
pub(super) use dialect::Dialect;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::bytes::CheckedBytes;
use super::{Abilities, Answer, Job, Outcome, Protocol, Segment, State, Store};
use crate::error::{Error, RefusalKind};
use crate::http::endpoint::Endpoint;
use crate::http::{challenge, refusal_of, Body, Exchange, Link, Needs, Request, Response};
use url::upload_url;

/// A protocol with a URL for each upload, against one endpoint.
pub(super) struct Resource<D> {
    /// The URL at which uploads are created.
    endpoint: Endpoint,
    pub(super) dialect: D,
    /// Whether PATCH does not come through, so that a POST stands in for it.
    patches_by_post: AtomicBool,
    /// Whether the server does not know the size of the upload, where the last byte completes it.
    lacks_size: AtomicBool,
}

/// The most redirects that the creation of an upload follows.
const MAX_REDIRECTS: u32 = 5;

/// What a server has of an upload.
enum Known {
    /// These bytes of the file.
    Has(Box<Answer>),
    /// It has no upload with this URL.
    Gone,
    /// It has one of another file, one that ended before all bytes, or one that it keeps to itself.
    NotOurs,
}

impl<D: Dialect> Resource<D> {
    pub(super) fn new(endpoint: Endpoint, dialect: D) -> Self {
        Resource {
            endpoint,
            dialect,
            patches_by_post: AtomicBool::new(false),
            lacks_size: AtomicBool::new(false),
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

    /// Begins an upload, where its source is still there from its start.
    fn begin(&self, exchange: &dyn Exchange, job: &Job) -> Result<Answer, Error> {
        match job.is_passed {
            false => self.create(exchange, job),
            true => Err(Error::stream_failed(
                "the server has no upload to go on with, and a new one would need the stream's first \
                 bytes, which were passed: they cannot be read again; make a new upload of a new stream"
                    .to_owned(),
            )),
        }
    }

    /// Creates an upload.
    fn create(&self, exchange: &dyn Exchange, job: &Job) -> Result<Answer, Error> {
        let mut at = self.endpoint.clone();
        let mut redirects = 0;
        while redirects <= MAX_REDIRECTS {
            let mut request = self.request("POST", &at, self.dialect.creation(job)?);
            request.body = Some(Body::Text(b""));
            let response = exchange.exchange(request)?;
            match response.status {
                307 | 308 => {
                    at = self.follow(&at, &response)?;
                    redirects += 1;
                }
                200..=299 => {
                    self.dialect.note(&response);
                    let url = upload_url(&at, &response)?;
                    let lacks_size = !job.has_size() && !self.dialect.has_flag();
                    self.lacks_size.store(lacks_size, Relaxed);
                    let is_complete = job.size == 0 && !self.dialect.has_flag();
                    return Ok(self.answer(&url, 0, is_complete));
                }
                _ if self.dialect.choose_other(&response) => {}
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

    /// Asks what the server has of an upload.
    fn ask(&self, exchange: &dyn Exchange, job: &Job, url: &Endpoint) -> Result<Known, Error> {
        let response = loop {
            let response = exchange.exchange(self.request("HEAD", url, Headers::new()))?;
            match response.status {
                _ if self.dialect.choose_other(&response) => {}
                200..=299 => break response,
                404 | 410 => return Ok(Known::Gone),
                403 => return Ok(Known::NotOurs),
                _ => return Err(self.refusal(&response, job)),
            }
        };
        let size = number(&response, "upload-length")?;
        if size.is_some_and(|size| size != job.size) {
            return Ok(Known::NotOurs);
        }
        let says_unknown = response.values("upload-defer-length").next().is_some();
        let lacks_size = says_unknown || self.lacks_size.load(Relaxed);
        self.lacks_size.store(size.is_none() && lacks_size, Relaxed);
        let offset = number(&response, "upload-offset")?.ok_or_else(|| {
            Error::bad_response("it has no Upload-Offset, so nothing tells what the server has")
        })?;
        self.dialect.note(&response);
        let is_complete = self.is_complete(&response, offset, job, false);
        if is_complete && offset < job.size {
            return Ok(Known::NotOurs);
        }
        self.checked(&response, job, (url, offset), false)
            .map(|answer| Known::Has(Box::new(answer)))
    }

    /// Whether an upload with so many bytes is complete. `has_all` says that a send took the last ones.
    fn is_complete(&self, response: &Response, offset: u64, job: &Job, has_all: bool) -> bool {
        // A response without the flag may be that of a page in between, such as a login.
        let is_last = has_all || !self.dialect.has_flag();
        let flag = self.dialect.flag(response);
        flag.unwrap_or(is_last && offset == job.size && !self.lacks_size.load(Relaxed))
    }

    /// Makes an answer of an offset that a response gave.
    fn checked(
        &self,
        response: &Response,
        job: &Job,
        (url, offset): (&Endpoint, u64),
        has_all: bool,
    ) -> Result<Answer, Error> {
        if offset > job.size {
            return Err(Error::BadOffset {
                why: format!("{offset} of {}", job.shown_size()),
            });
        }
        let is_complete = self.is_complete(response, offset, job, has_all);
        if is_complete && offset < job.size {
            return Err(Error::BadOffset {
                why: format!(
                    "{offset} of {}, though the upload is complete",
                    job.shown_size()
                ),
            });
        }
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
            grain: None,
            tail: None,
            small: None,
            parts: None,
            ranges: Vec::new(),
            is_own: true,
            message: None,
        }
    }

    /// Asks again after a send, on a connection that is sure to have no other response. `may_be_done`
    /// says that the server may have completed the upload, and removed it then.
    fn ask_again(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        (url, may_be_done): (&Endpoint, bool),
    ) -> Result<Answer, Error> {
        exchange.renew();
        match self.ask(exchange, job, url)? {
            Known::Has(answer) => Ok(*answer),
            Known::Gone if may_be_done => Ok(self.answer(url, job.size, true)),
            _ => {
                let why = "it no longer has the upload that it took bytes for";
                Err(Error::bad_response(why))
            }
        }
    }

    fn refusal(&self, response: &Response, job: &Job) -> Error {
        let max_size = self.dialect.max_size();
        let is_reason = |limit: &u64| response.status == 413 && job.has_size() && *limit < job.size;
        let hint = match max_size.filter(is_reason) {
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
        let is_spoken = || self.dialect.is_spoken(response);
        match response.status {
            401 => challenge(response),
            // Something before the server may say this.
            403 | 407 | 408 | 413 | 421 | 425 | 429 => None,
            400..=499 if !is_spoken() => Some(format!(
                "nothing shows that the server speaks {name} at this URL"
            )),
            _ => None,
        }
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

    fn max_size(&self) -> Option<u64> {
        self.dialect.max_size()
    }

    fn locate(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Result<Answer, Error> {
        self.dialect.learn(exchange, &self.endpoint)?;
        let Some(url) = key.and_then(|key| self.endpoint.resolve(key)) else {
            return self.begin(exchange, job);
        };
        let mut known = self.ask(exchange, job, &url)?;
        let costs_nothing = matches!(&known, Known::Has(answer) if answer.offset == 0);
        if exchange.link() == Link::Kept && !costs_nothing {
            // It may be a late answer to an earlier request, and it names no upload.
            exchange.renew();
            known = self.ask(exchange, job, &url)?;
        }
        match known {
            Known::Has(answer) => Ok(*answer),
            Known::Gone | Known::NotOurs => self.begin(exchange, job),
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
        let has_all = end == job.size;
        let tells_size = has_all && self.lacks_size.load(Relaxed);
        if tells_size {
            headers.push(header("upload-length", job.size));
        }
        let mut body = CheckedBytes::new(segment.bytes, segment.length);
        let mut request = self.request(method, &url, headers);
        request.body = Some(Body::Stream {
            length: segment.length,
            bytes: &mut body,
        });
        let response = exchange.exchange(request)?;
        self.dialect.note(&response);
        match response.status {
            200..=299 => {
                if tells_size {
                    self.lacks_size.store(false, Relaxed);
                }
                let answer = match number(&response, "upload-offset")? {
                    Some(offset) if offset > end => {
                        return Err(Error::BadOffset {
                            why: format!("{offset}, but bytes up to {end} were sent"),
                        })
                    }
                    Some(offset) => self.checked(&response, job, (&url, offset), has_all)?,
                    None if job.has_size() && self.dialect.flag(&response) == Some(true) => {
                        self.answer(&url, job.size, true)
                    }
                    // If it is wrong, the next send finds another offset.
                    None if !has_all && self.dialect.flag(&response) == Some(false) => {
                        self.answer(&url, end, false)
                    }
                    None => self.ask_again(exchange, job, (&url, has_all))?,
                };
                Ok(Outcome::Accepted(answer))
            }
            // It has all bytes, and does not want the file.
            _ if self.dialect.flag(&response) == Some(true) => {
                Err(self.refusal(&response, job).with_kind(RefusalKind::Other))
            }
            409 => Ok(Outcome::OffsetMismatch(self.ask_again(
                exchange,
                job,
                (&url, false),
            )?)),
            status if self.dialect.is_checksum_mismatch(status) => Ok(Outcome::ChecksumMismatch(
                self.ask_again(exchange, job, (&url, false))?,
            )),
            400 if self.lacks_size.load(Relaxed) && !has_all => {
                let hint =
                    "it may want the size with the first bytes, though it offered to take it later";
                Err(refusal_of(&response, Some(hint.to_owned())))
            }
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
