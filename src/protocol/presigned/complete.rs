//! The end of an upload: the server makes a file of its parts.

use super::spec::without_query;
use super::{xml, Presigned};
use crate::error::Error;
use crate::http::{limited, Body, Exchange, Needs, Request, Response};
use crate::protocol::{Answer, FileBytes, Job, Outcome, State};

const COMPLETE: &str = "the request to complete";

impl Presigned<'_> {
    /// Has the server make the file, which it has all parts of.
    pub(super) fn finish(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        bytes: &mut dyn FileBytes,
    ) -> Result<Outcome, Error> {
        // An empty file has one part, too.
        if job.size == 0 && self.memory().all().is_none() {
            self.put(exchange, 0, (0, bytes))?;
        } else {
            // The file must still be the one that was sent.
            bytes.finish().map_err(own)?;
        }
        if self.memory().drop_damaged() {
            return Ok(self.again("the ETags of some parts are the MD5s of other bytes"));
        }
        let text = self.written()?;
        // On one that was kept, the request may be made twice.
        exchange.renew();
        let request = Request {
            needs: Needs::Whole,
            ..Self::request(
                "POST",
                &self.spec.complete,
                Some(Body::Text(text.as_bytes())),
            )
        };
        let was_complete = std::mem::replace(&mut self.memory().may_be_complete, true);
        let response = exchange.exchange(request)?;
        let body = String::from_utf8_lossy(&response.body);
        let root = xml::root(&body);
        if (200..=299).contains(&response.status) && root == Some("CompleteMultipartUploadResult") {
            let location = xml::value(&body, "Location");
            return Ok(Outcome::Accepted(self.complete(location.as_deref())));
        }
        if self.is_gone(&response) {
            return match was_complete {
                true => self.look(exchange, &response).map(Outcome::Accepted),
                false => {
                    self.memory().may_be_complete = false;
                    Err(self.refusal(&response, COMPLETE))
                }
            };
        }
        let error = self.refusal(&response, COMPLETE);
        match xml::value(&body, "Code").as_deref() {
            // The parts are there by other ETags, or not at all.
            Some("InvalidPart") => {
                let words = error.refusal().and_then(|it| it.message.clone());
                self.memory().forget();
                Ok(self.again(&words.unwrap_or_default()))
            }
            // A success in the head only.
            None if (200..=299).contains(&response.status) => Err(Error::bad_response(format!(
                "with status {} to {COMPLETE}, and nothing in it shows that the file was made",
                response.status
            ))),
            _ => Err(error),
        }
    }

    /// Has parts sent again.
    fn again(&self, why: &str) -> Outcome {
        Outcome::ChecksumMismatch(Answer {
            message: Some(limited(why)),
            ..self.answer()
        })
    }

    /// Writes the list of all parts.
    fn written(&self) -> Result<String, Error> {
        let memory = self.memory();
        let internal = || Error::Internal {
            why: "a part without an ETag".to_owned(),
        };
        let mut text =
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                .to_owned();
        for (index, etag) in memory.all().ok_or_else(internal)?.into_iter().enumerate() {
            let (number, etag) = (index + 1, xml::escaped(&format!("\"{etag}\"")));
            text += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        }
        text += "</CompleteMultipartUpload>";
        Ok(text)
    }

    /// Makes the answer of a file that was made.
    fn complete(&self, location: Option<&str>) -> Answer {
        Answer {
            state: State::Complete,
            offset: self.size,
            location: location.map(|location| limited(without_query(location))),
            ranges: Vec::new(),
            sections: None,
            ..self.answer()
        }
    }

    /// Looks for the file: the server no longer has the upload, so it may have made the file of it, though the answer to that
    /// was lost. Only the ETag that is made of those of all parts proves it.
    fn look(&self, exchange: &dyn Exchange, gone: &Response) -> Result<Answer, Error> {
        let refusal = self.refusal(gone, COMPLETE);
        let unknown = |cause| Error::MayBeStored {
            cause: Box::new(cause),
            sent: "all parts were sent".to_owned(),
        };
        let Some(url) = &self.spec.head else {
            return Err(unknown(refusal));
        };
        exchange.renew();
        let request = Request {
            needs: Needs::Head,
            ..Self::request("HEAD", url, None)
        };
        let response = exchange.exchange(request)?;
        match response.status {
            200 => {}
            404 => {
                self.memory().forget();
                return Err(refusal);
            }
            _ => return Err(self.refusal(&response, "the request for the file's head")),
        }
        let etag = response.values("etag").next();
        let etag = etag.and_then(|etag| super::memory::etag(&etag));
        let size = response.values("content-length").next();
        let is_right = size.is_none_or(|size| size == self.size.to_string());
        match is_right && etag.is_some() && etag == self.memory().joined() {
            true => Ok(self.complete(None)),
            false => Err(unknown(refusal)),
        }
    }
}

/// Gives the error of reading the file.
fn own(error: std::io::Error) -> Error {
    let own = error.get_ref().and_then(|it| it.downcast_ref::<Error>());
    let why = || Error::Internal {
        why: error.to_string(),
    };
    own.cloned().unwrap_or_else(why)
}
