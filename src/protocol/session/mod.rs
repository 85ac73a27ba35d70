//! Sessions as Google Cloud Storage has them (308 Resume Incomplete), and services like it: uploadx,
//! and OneDrive with SharePoint (Microsoft Graph).
//!
//! A `POST` creates a session, whose URL is the upload's key. `PUT` with `Content-Range: bytes a-b/n`
//! brings bytes, and `bytes */n` asks what the session has. Graph is asked by `GET`.

mod creation;
mod state;
mod success;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::bytes::CheckedBytes;
use super::headers::{header, Headers};
use super::resource::{given_url, upload_url};
use super::{Abilities, Answer, Job, Outcome, Protocol, Segment, State, Store};
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{challenge, refusal_of, Body, Exchange, Link, Needs, Request, Response};
use crate::protocol::description::{check_description, no_place};
use creation::{creates_sessions, creation_headers, creation_url};
use state::{received, Members};

/// What all but the last segment are a multiple of: Google wants 256 KiB, Graph 320 KiB.
const GRAIN: u64 = 1280 << 10;
/// The most bytes of a segment that Graph takes are somewhat more.
const GRAPH_SEGMENT: u64 = 40 * GRAIN;

/// Sessions against one endpoint.
pub(super) struct Session {
    /// The URL at which sessions are created, or that of a session.
    endpoint: Endpoint,
    /// Whether the server is Graph.
    is_graph: AtomicBool,
}

/// What a server says about a session.
enum Known {
    Has(Box<Answer>),
    /// There is no session at this URL.
    None(Box<Response>),
}

impl Session {
    pub(super) fn at(endpoint: Endpoint) -> Self {
        Session {
            endpoint,
            is_graph: AtomicBool::new(false),
        }
    }

    /// Makes a request that carries a short text.
    fn request<'a>(method: &'static str, url: &Endpoint, headers: Headers) -> Request<'a> {
        Request {
            method,
            url: url.uri().to_string(),
            content_type: None,
            headers,
            body: (method != "GET").then_some(Body::Text(b"")),
            needs: Needs::Whole,
        }
    }

    /// Makes the request that asks what a session has.
    fn question<'a>(job: &Job, url: &Endpoint) -> Request<'a> {
        let range = header("content-range", format!("bytes */{}", job.size));
        Self::request("PUT", url, vec![range])
    }

    /// Creates a session.
    fn create(&self, exchange: &dyn Exchange, job: &Job) -> Result<Answer, Error> {
        check_description(job, true, CARRIED)?;
        let name = match job.dir.is_empty() {
            true => job.name.clone(),
            false => format!("{}/{}", job.dir, job.name),
        };
        let at = creation_url(&self.endpoint, &name)?;
        // Graph refuses members that it does not know.
        let body = match at.uri().path().ends_with("/createUploadSession") {
            true if !job.dir.is_empty() => return Err(no_place("directory", CARRIED)),
            true => "{}".to_owned(),
            false => serde_json::json!({ "name": name }).to_string(),
        };
        for _ in 0..2 {
            let response = exchange.exchange(Request {
                content_type: Some("application/json".to_owned()),
                body: Some(Body::Text(body.as_bytes())),
                ..Self::request("POST", &at, creation_headers(job))
            })?;
            if !matches!(response.status, 200 | 201) {
                return Err(refusal(&response));
            }
            let members = Members::of(&response);
            let graph = members.as_ref().and_then(Members::upload_url);
            let url = match graph {
                Some(url) => {
                    let url = given_url(&at, url, "uploadUrl")?;
                    self.is_graph.store(true, Relaxed);
                    url
                }
                None => upload_url(&at, &response)?,
            };
            if received(&response, job.size).is_ok_and(|bytes| bytes == 0) {
                return Ok(self.answer(&url, 0));
            }
            // It is an earlier one, and nothing tells what its bytes are.
            let _ = exchange.exchange(Request {
                needs: Needs::Head,
                ..Self::request("DELETE", &url, Headers::new())
            });
        }
        Err(Error::bad_response(
            "it has bytes of an upload that has only begun",
        ))
    }

    /// Asks what a session has. `is_known` says that the URL is that of a session.
    fn ask(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        (url, is_known): (&Endpoint, bool),
    ) -> Result<Known, Error> {
        if !self.is_graph.load(Relaxed) {
            let response = exchange.exchange(Self::question(job, url))?;
            match response.status {
                308 if !is_redirect(&response) => {
                    return Ok(Known::Has(Box::new(
                        self.answer(url, received(&response, job.size)?),
                    )))
                }
                200 | 201 => {
                    let answer = match self.complete(&response, job, (url, is_known))? {
                        None if is_known => self.ask_about(exchange, job, url, &response)?,
                        answer => answer,
                    };
                    return match answer {
                        Some(answer) => Ok(Known::Has(Box::new(answer))),
                        None => Err(Error::bad_response(
                            "nothing in it shows that the whole file is there",
                        )),
                    };
                }
                308 | 400 | 404 | 405 | 409..=412 | 415 | 416 | 499 | 501 => {}
                403 if !is_known => {}
                _ => return Err(refusal(&response)),
            }
            // Where a session is known by its URL, its server is not Graph.
            if is_known && matches!(response.status, 404 | 410 | 499) {
                return Ok(Known::None(Box::new(response)));
            }
        }
        let response = exchange.exchange(Request {
            // A page of something else may end with the connection.
            needs: match is_known {
                true => Needs::Whole,
                false => Needs::Head,
            },
            ..Self::request("GET", url, Headers::new())
        })?;
        let next = Members::of(&response).and_then(|members| members.next_expected());
        match (response.status, next) {
            (200, Some(offset)) => {
                self.is_graph.store(true, Relaxed);
                Ok(Known::Has(Box::new(self.checked(url, offset, job.size)?)))
            }
            (408 | 429 | 500..=599, _) => Err(refusal(&response)),
            _ => Ok(Known::None(Box::new(response))),
        }
    }

    /// Makes an answer of an offset.
    fn checked(&self, url: &Endpoint, offset: u64, size: u64) -> Result<Answer, Error> {
        match offset <= size {
            true => Ok(self.answer(url, offset)),
            false => Err(Error::BadOffset {
                why: format!("{offset} of {size} bytes"),
            }),
        }
    }

    fn answer(&self, url: &Endpoint, offset: u64) -> Answer {
        let is_graph = self.is_graph.load(Relaxed);
        let state = match offset {
            0 => State::New,
            _ => State::Partial,
        };
        Answer {
            id: Some(url.uri().to_string()),
            max_segment: is_graph.then_some(GRAPH_SEGMENT),
            grain: Some(GRAIN),
            is_own: true,
            ..Answer::new(state, offset)
        }
    }

    /// Asks after a send, on a connection that is sure to have no other response.
    fn ask_again(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        url: &Endpoint,
    ) -> Result<Answer, Error> {
        exchange.renew();
        match self.ask(exchange, job, (url, true))? {
            Known::Has(answer) => Ok(*answer),
            Known::None(response) => Err(refusal(&response)),
        }
    }
}

impl Protocol for Session {
    fn name(&self) -> &'static str {
        "session"
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            locates: true,
            proves_prefix: false,
            needs_key: true,
            checksum: None,
        }
    }

    fn locate(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Result<Answer, Error> {
        if !job.has_size() {
            return Err(Error::size_needed("sessions need the size first"));
        }
        let known = key.and_then(|key| self.endpoint.resolve(key));
        let is_known = known.is_some();
        if !is_known && creates_sessions(&self.endpoint) {
            return self.create(exchange, job);
        }
        let url = known.unwrap_or_else(|| self.endpoint.clone());
        let mut known = self.ask(exchange, job, (&url, is_known))?;
        let is_worth_a_question = match &known {
            Known::Has(answer) => answer.offset > 0 || answer.state == State::Complete,
            Known::None(_) => is_known,
        };
        if exchange.link() == Link::Kept && is_worth_a_question {
            // It may be a late answer to an earlier request.
            exchange.renew();
            known = self.ask(exchange, job, (&url, is_known))?;
        }
        match known {
            Known::Has(answer) => Ok(*answer),
            // The program gave the session's URL, and only the program can get another one.
            Known::None(response) if is_known && url.uri() == self.endpoint.uri() => {
                Err(refusal(&response))
            }
            Known::None(_) => self.create(exchange, job),
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
            why: "bytes for a session without a URL".to_owned(),
        })?;
        let (from, end, size) = (segment.offset, segment.offset + segment.length, job.size);
        let range = match segment.length {
            0 => format!("bytes */{size}"),
            _ => format!("bytes {from}-{}/{size}", end - 1),
        };
        let mut body = CheckedBytes::new(segment.bytes, segment.length);
        let response = exchange.exchange(Request {
            content_type: Some(job.content_type.clone()),
            body: Some(Body::Stream {
                length: segment.length,
                bytes: &mut body,
            }),
            ..Self::request("PUT", &url, vec![header("content-range", range)])
        })?;
        let next = || Members::of(&response).and_then(|members| members.next_expected());
        let offset = match response.status {
            308 if !is_redirect(&response) => received(&response, size)?,
            200 | 201 if end == size => {
                return Ok(Outcome::Accepted(
                    match self.complete(&response, job, (&url, true))? {
                        Some(answer) => answer,
                        None => self.ask_again(exchange, job, &url)?,
                    },
                ))
            }
            200..=202 => match next() {
                Some(offset) => offset,
                None => return Ok(Outcome::Accepted(self.ask_again(exchange, job, &url)?)),
            },
            409 | 412 | 416 => {
                return Ok(Outcome::OffsetMismatch(
                    self.ask_again(exchange, job, &url)?,
                ))
            }
            404 | 410 | 499 => return Ok(Outcome::UnknownUpload(refusal(&response))),
            _ => return Err(refusal(&response)),
        };
        if offset > end {
            return Err(Error::BadOffset {
                why: format!("{offset}, but bytes up to {end} were sent"),
            });
        }
        Ok(Outcome::Accepted(self.answer(&url, offset)))
    }

    fn store(&self, _: &dyn Exchange, _: &Job, _: Store<'_>) -> Result<Option<Answer>, Error> {
        // If its response were lost, the server would have the file twice.
        Ok(None)
    }
}

/// Whether a 308 means another place, and not that a session wants more.
fn is_redirect(response: &Response) -> bool {
    response.location().is_some() && response.values("range").next().is_none()
}

/// Makes the error for a refusal.
fn refusal(response: &Response) -> Error {
    let hint = match response.status {
        401 => challenge(response),
        404 | 410 | 499 => Some(
            "there is no session at this URL, or it has ended; is it the URL at which sessions are \
             created, or that of one that goes on?"
                .to_owned(),
        ),
        405 | 501 => Some("nothing shows that sessions are created at this URL".to_owned()),
        _ => None,
    };
    refusal_of(response, hint)
}

/// What the protocol carries of a description.
const CARRIED: &str =
    "sessions, which carry a file's name and type only; leave it out, or put it into the URL or a header field";
