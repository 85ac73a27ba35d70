//! What a server has of an upload, and what its refusals say.

use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

use super::{Dialect, Headers, Problem, Resource};
use crate::error::{Error, RefusalKind};
use crate::http::endpoint::Endpoint;
use crate::http::{challenge, limited, refusal_of, Exchange, Response, MAX_REDIRECTS};
use crate::protocol::{Answer, Job, Outcome, State};

/// What a server has of an upload.
pub(in crate::protocol) enum Known {
    /// These bytes of the file.
    Has(Box<Answer>),
    /// It has no upload with this URL.
    Gone,
    /// It has one of another file, one that ended before all bytes, or one that it keeps to itself.
    NotOurs,
}

impl<D: Dialect> Resource<D> {
    /// Asks what the server has of an upload.
    pub(in crate::protocol) fn ask(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        url: &Endpoint,
    ) -> Result<Known, Error> {
        let mut at = self.moved.place(url);
        let mut redirects = 0;
        let response = loop {
            let asked = exchange.exchange(self.request("HEAD", &at, Headers::new()));
            let response = match asked {
                // Another login did not help, so it is the upload that is forbidden.
                Err(Error::Refused(it)) if it.status == 403 && it.login.is_none() => {
                    return Ok(Known::NotOurs)
                }
                asked => asked?,
            };
            match response.status {
                _ if self.dialect.choose_other(&response) => {}
                200..=299 => break response,
                307 | 308 if redirects == MAX_REDIRECTS => return Err(too_many_redirects()),
                307 | 308 => {
                    at = self.follow(&at, &response)?;
                    redirects += 1;
                }
                404 | 410 => return Ok(Known::Gone),
                403 => return Ok(Known::NotOurs),
                _ => return Err(self.refusal_at(&at, &response, job)),
            }
        };
        self.moved.note(url, &at);
        let number = |name| self.dialect.number(&response, name);
        let size = number("upload-length")?;
        if size.is_some_and(|size| size != job.size) {
            return Ok(Known::NotOurs);
        }
        let says_unknown = response.values("upload-defer-length").next().is_some();
        let lacks_size = says_unknown || self.lacks_size.load(Relaxed);
        self.lacks_size.store(size.is_none() && lacks_size, Relaxed);
        let offset = number("upload-offset")?.ok_or_else(|| {
            Error::bad_response("it has no Upload-Offset, so nothing tells what the server has")
        })?;
        self.dialect.note(&response);
        let is_complete = self.is_complete(&response, offset, job, false);
        if is_complete && offset < job.size {
            return Ok(Known::NotOurs);
        }
        if !is_complete {
            self.dialect.check(&response, job)?;
        }
        let answer = self.checked(&response, job, (url, offset), false)?;
        let prefix = self.dialect.prefix(&response);
        Ok(Known::Has(Box::new(Answer { prefix, ..answer })))
    }

    /// Whether an upload with so many bytes is complete. `has_all` says that a send took the last ones.
    pub(super) fn is_complete(
        &self,
        response: &Response,
        offset: u64,
        job: &Job,
        has_all: bool,
    ) -> bool {
        // A response without the flag may be that of a page in between, such as a login.
        let is_last = has_all || !self.dialect.has_flag();
        let flag = self.dialect.flag(response);
        flag.unwrap_or(is_last && offset == job.size && !self.lacks_size.load(Relaxed))
    }

    /// Makes an answer of an offset that a response gave.
    pub(super) fn checked(
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

    pub(in crate::protocol) fn answer(
        &self,
        url: &Endpoint,
        offset: u64,
        is_complete: bool,
    ) -> Answer {
        let url = url.uri().to_string();
        let state = match offset {
            _ if is_complete => State::Complete,
            0 => State::New,
            _ => State::Partial,
        };
        Answer {
            location: is_complete.then(|| url.clone()),
            id: Some(url),
            max_segment: self.dialect.max_segment(),
            min_segment: self.dialect.min_segment(),
            is_own: true,
            ..Answer::new(state, offset)
        }
    }

    /// Asks again after a send, on a connection that is sure to have no other response. `may_be_done`
    /// says that the server may have completed the upload, and removed it then.
    pub(super) fn ask_again(
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
}

impl<D: Dialect> Resource<D> {
    /// Makes the error for a refusal of a request to the URL of an upload.
    pub(super) fn refusal_at(&self, at: &Endpoint, response: &Response, job: &Job) -> Error {
        if response.status != 401 || at.origin() == self.endpoint.origin() {
            return self.refusal(response, job);
        }
        let (there, here) = (at.origin(), self.endpoint.origin());
        let hint = format!(
            "the upload's URL is at {there}, and the password and header fields for {here} were not sent there; \
             have the server give URLs of its own address, or use the address there as the endpoint"
        );
        refusal_of(response, Some(hint))
    }

    /// Makes the error for a redirect of bytes, which are gone. The next attempt sends them to the new place.
    pub(super) fn go_elsewhere(
        &self,
        (url, at): (&Endpoint, &Endpoint),
        response: &Response,
    ) -> Error {
        let to = match self.follow(at, response) {
            Ok(to) => to,
            Err(error) => return error,
        };
        self.moved.note(url, &to);
        let hint = format!(
            "the upload is at {} now; the next attempt goes there",
            limited(&to.uri().to_string())
        );
        let mut error = refusal_of(response, Some(hint)).with_kind(RefusalKind::Failing);
        if let Error::Refused(refusal) = &mut error {
            refusal.redirect = None;
        }
        error
    }

    /// Makes an outcome of a send of a range that was refused for a problem; `None` if the problem cannot be.
    pub(super) fn solve(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        (url, sent): (&Endpoint, Range<u64>),
        (problem, response): (Problem, &Response),
    ) -> Option<Result<Outcome, Error>> {
        Some(match problem {
            Problem::OtherOffset(offset) if offset > sent.end || offset == sent.start => {
                return None
            }
            Problem::OtherOffset(offset) => self
                .checked(response, job, (url, offset), false)
                .map(Outcome::OffsetMismatch),
            Problem::Completed => self
                .ask_again(exchange, job, (url, sent.end == job.size))
                .map(Outcome::Accepted),
            Problem::OtherLength => {
                let hint = format!(
                    "it has another length for this upload than {}",
                    job.shown_size()
                );
                let refusal = refusal_of(response, Some(hint));
                match self.had_other_length.swap(true, Relaxed) {
                    true => Err(refusal),
                    false => Ok(Outcome::UnknownUpload(refusal)),
                }
            }
        })
    }

    /// Makes the error for a refusal.
    pub(in crate::protocol) fn refusal(&self, response: &Response, job: &Job) -> Error {
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

    /// Gives what a refusal shows of its cause.
    pub(super) fn hint(&self, response: &Response) -> Option<String> {
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

/// Makes the error for redirects that do not end.
pub(super) fn too_many_redirects() -> Error {
    Error::bad_response(format!(
        "it redirects more than {MAX_REDIRECTS} times in a row"
    ))
}
