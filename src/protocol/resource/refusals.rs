//! What a refusal says.

use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

use super::{Dialect, Problem, Resource, MAX_REDIRECTS};
use crate::error::{Error, RefusalKind};
use crate::http::endpoint::Endpoint;
use crate::http::{challenge, limited, refusal_of, Exchange, Response};
use crate::protocol::{Job, Outcome};

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
    pub(super) fn refusal(&self, response: &Response, job: &Job) -> Error {
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
