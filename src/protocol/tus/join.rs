//! How the sections of a file are joined: the request that the protocol calls a final upload.

use super::layout::Layout;
use super::sections::Tus;
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::Exchange;
use crate::protocol::resource::{number, Headers};
use crate::protocol::{Answer, Job};

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
                let headers = || self.whole.dialect.joined(job, layout.key);
                let made = self.whole.post(exchange, job, &headers);
                let url = match made {
                    Ok(url) => url,
                    Err(error) => return Err(self.not_joined(exchange, job, layout, error)),
                };
                self.check_origin(layout, &url)?;
                self.memory().joined = Some((layout.key.to_owned(), url.clone()));
                url
            }
        };
        self.check_joined(exchange, job, &url)?;
        Ok(self.whole.answer(&url, job.size, true))
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
        self.judge(error, "join partial uploads")
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
        let response = exchange.exchange(self.whole.request("HEAD", url, Headers::new()))?;
        match response.status {
            200..=299 => {}
            // It does not tell, or has passed the file on already.
            403..=405 | 410 | 501 => return Ok(()),
            _ => return Err(self.whole.refusal(&response, job)),
        }
        for field in ["upload-length", "upload-offset"] {
            let told = number(&response, field)?;
            if let Some(told) = told.filter(|told| *told != job.size) {
                self.memory().joined = None;
                if let Some(offers) = self.whole.dialect.offers.get() {
                    let _ = offers.has_refused.set(());
                }
                let wrong = url.uri().to_string();
                self.remove(exchange, [wrong.as_str()].into_iter());
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
