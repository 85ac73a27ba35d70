//! Taking an upload back: the deletion of what its URL names.

use super::state::Known;
use super::{Dialect, Headers, Resource};
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{refusal_of, Exchange, Link, Response};
use crate::protocol::{nothing_to_discard, Job, State};

impl<D: Dialect> Resource<D> {
    /// Deletes an upload that is not complete.
    pub(super) fn delete(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Result<(), Error> {
        let Some(url) = key.and_then(|key| self.endpoint.resolve(key)) else {
            return Err(nothing_to_discard());
        };
        self.dialect.learn(exchange, &self.endpoint)?;
        self.dialect.check_deletion()?;
        if self.is_gone(exchange, job, &url)? {
            return Ok(());
        }
        let response = exchange.exchange(self.request("DELETE", &url, Headers::new()))?;
        match response.status {
            204 | 404 | 410 => Ok(()),
            // Something else may have answered, such as a login page.
            200..=299 if self.is_gone(exchange, job, &url)? => Ok(()),
            200..=299 => Err(Error::bad_response(format!(
                "it is that to the deletion of an upload, with status {}, and the upload is still there",
                response.status
            ))),
            _ => Err(self.kept(&response)),
        }
    }

    /// Whether the server no longer has an upload. If it has, the upload may be deleted.
    fn is_gone(&self, exchange: &dyn Exchange, job: &Job, url: &Endpoint) -> Result<bool, Error> {
        let mut known = self.ask(exchange, job, url)?;
        if exchange.link() == Link::Kept {
            // It may be a late answer to an earlier request, and it names no upload.
            exchange.renew();
            known = self.ask(exchange, job, url)?;
        }
        let why = match known {
            Known::Gone => return Ok(true),
            Known::Has(answer) if answer.state != State::Complete => return Ok(false),
            Known::Has(_) => "it is complete at the server, and a finished file is not discarded",
            Known::NotOurs => {
                "at its URL the server has an upload of another file, or one that it keeps to itself"
            }
        };
        Err(Error::NotDiscarded {
            why: why.to_owned(),
        })
    }

    /// Makes the error for a server that keeps an upload.
    fn kept(&self, response: &Response) -> Error {
        let hint = match response.status {
            403 | 405 | 501 => Some(
                "it does not let clients take an upload back; the upload stays there until it expires"
                    .to_owned(),
            ),
            _ => self.hint(response),
        };
        refusal_of(response, hint)
    }
}
