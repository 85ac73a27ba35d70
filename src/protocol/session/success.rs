//! Whether a success means that the session has the whole file.

use super::state::{received, Members};
use super::{is_redirect, Session};
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{Exchange, Response};
use crate::protocol::{Answer, Job, State};
use crate::random;

impl Session {
    /// Makes the answer of a session that a success ends; `None` if the response may be that of
    /// something else. `is_known` says that the session has got the file's bytes by this client.
    pub(super) fn complete(
        &self,
        response: &Response,
        job: &Job,
        (url, is_known): (&Endpoint, bool),
    ) -> Result<Option<Answer>, Error> {
        let members = Members::of(response);
        let size = members.as_ref().and_then(Members::size);
        match (&members, size) {
            (Some(members), _) if !members.are_of_a_file() => return Ok(None),
            (_, Some(size)) if size != job.size => {
                return Err(Error::BadOffset {
                    why: format!("the file there has {size} bytes, this one has {}", job.size),
                })
            }
            (_, Some(_)) => {}
            // A page has a body of another kind.
            (None, None) if !response.body.is_empty() => return Ok(None),
            (_, None) if !is_known => return Ok(None),
            (_, None) => {}
        }
        if let Some(members) = &members {
            members.check_md5(job)?;
        }
        Ok(Some(Answer {
            state: State::Complete,
            offset: job.size,
            location: members.and_then(|members| members.location()),
            ..self.answer(url, job.size)
        }))
    }

    /// Takes a success whose content tells nothing of the file, as the answer of a site that has its own for finished files.
    /// It counts where the server refuses the same question about a session that nobody has made, which a page in its
    /// place would answer alike, and gives a success again. `None` if it does not count.
    pub(super) fn ask_about(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        url: &Endpoint,
        response: &Response,
    ) -> Result<Option<Answer>, Error> {
        if denies_a_file(response) {
            return Ok(None);
        }
        let nobodys = format!("{}{:032x}", url.uri(), random::u128()?);
        exchange.renew();
        let denied = exchange.exchange(Self::question(job, &Endpoint::parse(&nobodys)?))?;
        if !matches!(denied.status, 400 | 404 | 410 | 499) {
            return Ok(None);
        }
        let again = exchange.exchange(Self::question(job, url))?;
        Ok(match again.status {
            308 if !is_redirect(&again) => Some(self.answer(url, received(&again, job.size)?)),
            200 | 201 if !denies_a_file(&again) => Some(Answer {
                state: State::Complete,
                ..self.answer(url, job.size)
            }),
            _ => None,
        })
    }
}

/// Whether the content of a response says that there is no finished file.
fn denies_a_file(response: &Response) -> bool {
    Members::of(response).is_some_and(|members| members.deny_a_file())
}
