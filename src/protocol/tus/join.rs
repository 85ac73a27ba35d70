//! How the sections of a file are joined: the request that the protocol calls a final upload.

use super::layout::Layout;
use super::sections::Tus;
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::Exchange;
use crate::protocol::resource::{number, Headers};
use crate::protocol::{Answer, Job};

/// What is known where the answer to the request that joins does not come in time.
const STILL_JOINING: &str = "all of it was sent, and the server may still be joining its sections, which the response timeout \
                             (set_response_timeout) did not wait for";

impl Tus<'_> {
    /// Has the server join the sections.
    pub(super) fn join(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        layout: &Layout<'_>,
    ) -> Result<Answer, Error> {
        let joined = self.memory().joined.clone();
        let joined = joined.filter(|(key, _)| key == layout.key);
        let url = match joined {
            Some((_, url)) => url,
            None => {
                // On one that was kept, the request may be made twice.
                exchange.renew();
                self.memory().asked = Some(layout.key.to_owned());
                match self.ask_to_join(exchange, job, layout) {
                    Ok(url) => url,
                    // It may be copying, and would begin one more copy for each further request.
                    Err(error) if error.is_late_response() => {
                        return Err(Error::MayBeStored {
                            cause: Box::new(error),
                            sent: STILL_JOINING.to_owned(),
                        })
                    }
                    Err(error) => return Err(self.not_joined(exchange, job, layout, error)),
                }
            }
        };
        self.check_joined(exchange, job, &url)?;
        Ok(self.whole.answer(&url, job.size, true))
    }

    /// Asks the server to join the sections; gives the URL of the file.
    fn ask_to_join(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        layout: &Layout<'_>,
    ) -> Result<Endpoint, Error> {
        let headers = || self.whole.dialect.joined(job, layout.key);
        let url = self.whole.post(exchange, job, &headers)?;
        self.check_origin(layout, &url)?;
        self.memory().joined = Some((layout.key.to_owned(), url.clone()));
        Ok(url)
    }

    /// Whether the server has joined the sections, though the answer to that was lost: it no longer has the one with this
    /// number, and gives the same file to the same request. Another process may have made that, where it is the first.
    pub(super) fn is_joined_by_now(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        (layout, number): (&Layout<'_>, usize),
    ) -> Result<bool, Error> {
        let has_asked = self.memory().asked.as_deref() == Some(layout.key);
        if !has_asked && number > 0 {
            return Ok(false);
        }
        match self.ask_to_join(exchange, job, layout) {
            Ok(_) => Ok(true),
            Err(error) if error.refusal().is_none() && error.is_passing() => Err(error),
            Err(_) => {
                self.memory().asked = None;
                Ok(false)
            }
        }
    }

    /// Makes the error for a server that has not joined the sections. One that has lost bytes of them meanwhile gets these
    /// again.
    fn not_joined(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        layout: &Layout<'_>,
        error: Error,
    ) -> Error {
        let status = error.refusal().map(|refusal| refusal.status);
        if !matches!(status, Some(400..=428 | 430..=501)) {
            return error;
        }
        for number in 0..layout.urls.len() as u64 {
            let Some((url, begin, length)) = layout.at(number * layout.length) else {
                break;
            };
            match self.ask_one(exchange, job, (url, length)) {
                Ok(Some(offset)) if offset == length => {}
                Ok(_) => {
                    return Error::bad_response(format!(
                        "it no longer has all bytes of the partial upload from {begin} on: {error}"
                    ))
                }
                Err(_) => return error,
            }
        }
        match status {
            // These are about this file.
            Some(403 | 413 | 460) => error,
            _ => self.judge(error, "join partial uploads"),
        }
    }

    /// Checks that the joined file is at the server that has its sections, or where uploads are created.
    fn check_origin(&self, layout: &Layout<'_>, url: &Endpoint) -> Result<(), Error> {
        let origin = url.origin();
        let first = self.resolve(layout.urls[0])?.origin();
        match origin == self.whole.endpoint.origin() || origin == first {
            true => Ok(()),
            false => Err(Error::bad_response(format!(
                "the file that it has joined is at {origin}, and its sections are at {first}"
            ))),
        }
    }

    /// Checks what the server tells of the file that it has joined.
    fn check_joined(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        url: &Endpoint,
    ) -> Result<(), Error> {
        // No late answer to an earlier request is on a new connection.
        exchange.renew();
        let response = exchange.exchange(self.whole.request("HEAD", url, Headers::new()))?;
        match response.status {
            200..=299 => {}
            // It does not tell, or has passed the file on already.
            307 | 308 | 403..=405 | 410 | 501 => return Ok(()),
            _ => return Err(self.whole.refusal(&response, job)),
        }
        for field in ["upload-length", "upload-offset"] {
            let told = number(&response, field)?;
            if let Some(told) = told.filter(|told| *told != job.size) {
                {
                    let mut memory = self.memory();
                    (memory.joined, memory.is_refused) = (None, true);
                }
                if let Some(offers) = self.whole.dialect.offers.get() {
                    let _ = offers.has_refused.set(());
                }
                return Err(Error::bad_response(format!(
                    "the file that it has joined has {told} bytes, and this one has {}; the next attempt sends the file as \
                     one upload",
                    job.size
                )));
            }
        }
        Ok(())
    }
}
