//! Creating an upload by a request that carries the whole file.

use super::{upload_url, Dialect, Known, Resource};
use crate::error::{Error, RefusalKind};
use crate::http::{refusal_of, Body, Exchange};
use crate::protocol::bytes::CheckedBytes;
use crate::protocol::{Answer, Job, Store};

impl<D: Dialect> Resource<D> {
    /// Creates an upload with all bytes of the file. Gives `None` if a creation without them is to show what is wrong. If
    /// the response is lost, nothing finds the upload.
    pub(super) fn create_with_file(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        store: Store<'_>,
    ) -> Result<Option<Answer>, Error> {
        let mut headers = self.dialect.creation(job)?;
        headers.extend(self.dialect.content(store.checksum.as_ref()));
        let mut body = CheckedBytes::new(store.bytes, job.size);
        let mut request = self.request("POST", &self.endpoint, headers);
        request.body = Some(Body::Stream {
            length: job.size,
            bytes: &mut body,
        });
        let response = exchange.exchange(request)?;
        self.dialect.note(&response);
        match response.status {
            200..=299 => {
                let url = upload_url(&self.endpoint, &response)?;
                if let Some(offset) = self.dialect.number(&response, "upload-offset")? {
                    let answer = self.checked(&response, job, (&url, offset), true)?;
                    return Ok(Some(answer));
                }
                // It may have passed over the body.
                match self.ask(exchange, job, &url)? {
                    Known::Has(answer) => Ok(Some(*answer)),
                    Known::Gone | Known::NotOurs => Err(Error::bad_response(
                        "it does not show the upload that it has just created with the file",
                    )),
                }
            }
            status if self.dialect.is_checksum_mismatch(status) => {
                let hint =
                    "the bytes were others when they arrived; they go to the server once more";
                let refusal = refusal_of(&response, Some(hint.to_owned()));
                Err(refusal.with_kind(RefusalKind::Failing))
            }
            // Without the bytes a redirect can be followed, and nothing in between finds them too many.
            307 | 308 | 400 | 405 | 411 | 413 | 415 | 501 => Ok(None),
            _ => Err(self.refusal(&response, job)),
        }
    }
}
