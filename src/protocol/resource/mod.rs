//! Protocols in which each upload has a URL of its own, as its key.
//!
//! A locate asks for the offset of the upload whose URL is known, or else creates one. A send appends
//! to it. What differs between these protocols is a [`Dialect`].

mod dialect;
mod discard;
mod moved;
mod state;
mod store;
mod url;

pub(super) use super::headers::{header, number, Headers};
pub(super) use dialect::{Dialect, Problem};
pub(super) use state::Known;
#[cfg(feature = "session")]
pub(super) use url::given_url;
pub(super) use url::upload_url;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::Arc;

use super::bytes::CheckedBytes;
use super::{Abilities, Answer, Job, Note, Outcome, Protocol, Segment, State, Store};
use crate::error::{Error, RefusalKind};
use crate::http::endpoint::Endpoint;
use crate::http::{refusal_of, Body, Exchange, Link, Needs, Request, Response, MAX_REDIRECTS};
use moved::Moved;
use state::too_many_redirects;

/// A protocol with a URL for each upload, against one endpoint.
pub(super) struct Resource<D> {
    /// The URL at which uploads are created.
    pub(super) endpoint: Endpoint,
    pub(super) dialect: D,
    /// Whether PATCH does not come through, so that a POST stands in for it.
    patches_by_post: Arc<AtomicBool>,
    /// Whether the server does not know the size of the upload, where the last byte completes it.
    lacks_size: AtomicBool,
    /// Where the upload is, if the server has sent a request elsewhere.
    moved: Moved,
    /// Whether the run has begun anew because the server had another length of the file.
    had_other_length: AtomicBool,
}

impl<D: Dialect> Resource<D> {
    pub(super) fn new(endpoint: Endpoint, dialect: D) -> Self {
        Resource {
            endpoint,
            dialect,
            patches_by_post: Arc::default(),
            lacks_size: AtomicBool::new(false),
            moved: Moved::default(),
            had_other_length: AtomicBool::new(false),
        }
    }

    /// Shares what is known of PATCH with the client's other runs.
    pub(super) fn share(self, patches_by_post: &Arc<AtomicBool>) -> Self {
        Resource {
            patches_by_post: patches_by_post.clone(),
            ..self
        }
    }

    pub(super) fn request<'a>(
        &self,
        method: &'static str,
        url: &Endpoint,
        headers: Headers,
    ) -> Request<'a> {
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
            // It may have said so for a moment only.
            true => Err(Error::stream_lost(
                "the server shows no upload to go on with, and a new one would need the stream's first \
                 bytes, which were passed: they cannot be read again; make a new upload of a new stream"
                    .to_owned(),
            )),
        }
    }

    /// Creates an upload.
    fn create(&self, exchange: &dyn Exchange, job: &Job) -> Result<Answer, Error> {
        let url = self.post(exchange, job, &|| self.dialect.creation(job))?;
        let has_flag = self.dialect.has_flag();
        self.lacks_size.store(!job.has_size() && !has_flag, Relaxed);
        Ok(self.answer(&url, 0, job.size == 0 && !has_flag))
    }

    /// Has the server make an upload by a request with these header fields; gives its URL.
    pub(super) fn post(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        headers: &dyn Fn() -> Result<Headers, Error>,
    ) -> Result<Endpoint, Error> {
        let mut at = self.endpoint.clone();
        let mut redirects = 0;
        while redirects <= MAX_REDIRECTS {
            let mut request = self.request("POST", &at, headers()?);
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
                    if let Err(error) = self.dialect.check(&response, job) {
                        // Where this fails, an empty upload stays there until it expires.
                        let _ = exchange.exchange(self.request("DELETE", &url, Headers::new()));
                        return Err(error);
                    }
                    return Ok(url);
                }
                _ if self.dialect.choose_other(&response) => {}
                _ => return Err(self.refusal(&response, job)),
            }
        }
        Err(too_many_redirects())
    }

    /// Gives the endpoint that a response redirects to, if that has the same origin.
    fn follow(&self, at: &Endpoint, response: &Response) -> Result<Endpoint, Error> {
        let target = response.location().and_then(|it| at.resolve(&it));
        target
            .filter(|target| target.origin() == at.origin())
            .ok_or_else(|| refusal_of(response, self.hint(response)))
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
        let at = self.moved.place(&url);
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
        let mut request = self.request(method, &at, headers);
        request.body = Some(Body::Stream {
            length: segment.length,
            bytes: &mut body,
        });
        let response = exchange.exchange(request)?;
        self.dialect.note(&response);
        if let Some(problem) = self.dialect.problem(&response) {
            let range = segment.offset..end;
            if let Some(outcome) = self.solve(exchange, job, (&url, range), (problem, &response)) {
                return outcome;
            }
        }
        match response.status {
            200..=299 => {
                if tells_size {
                    self.lacks_size.store(false, Relaxed);
                }
                let answer = match self.dialect.number(&response, "upload-offset")? {
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
                // Nothing was left to send but the flag.
                match segment.length == 0 && has_all && answer.state == State::Partial {
                    true => Err(Error::bad_response(format!(
                        "it has all {end} bytes, and does not call the upload complete, though it was told \
                         that these are all"
                    ))),
                    false => Ok(Outcome::Accepted(answer)),
                }
            }
            307 | 308 => Err(self.go_elsewhere((&url, &at), &response)),
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
            404 => {
                // Something in between may say so for a moment.
                exchange.renew();
                match self.ask(exchange, job, &url)? {
                    Known::Has(answer) => Ok(Outcome::OffsetMismatch(*answer)),
                    _ => Ok(Outcome::UnknownUpload(self.refusal(&response, job))),
                }
            }
            410 => Ok(Outcome::UnknownUpload(self.refusal(&response, job))),
            405 | 501 if by_post => {
                // Then the client's next run sends PATCH again.
                self.patches_by_post.store(false, Relaxed);
                Err(self.refusal(&response, job))
            }
            405 | 501 => {
                self.patches_by_post.store(true, Relaxed);
                let hint = "PATCH does not come through; the next attempt sends POST in its place";
                Err(refusal_of(&response, Some(hint.to_owned())).with_kind(RefusalKind::Failing))
            }
            _ => Err(self.refusal_at(&at, &response, job)),
        }
    }

    fn notes(&self) -> Vec<Note> {
        self.dialect.notes()
    }

    fn creates_with_file(&self) -> bool {
        self.dialect.creates_with_file()
    }

    fn store(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        store: Store<'_>,
    ) -> Result<Option<Answer>, Error> {
        match self.dialect.creates_with_file() {
            true => self.create_with_file(exchange, job, store),
            false => Ok(None),
        }
    }

    fn discard(&self, exchange: &dyn Exchange, job: &Job, key: Option<&str>) -> Result<(), Error> {
        self.delete(exchange, job, key)
    }
}
