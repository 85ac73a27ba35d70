//! The requests to an upload.

use axum::body::BodyDataStream;
use axum::http::{HeaderName, StatusCode};

use crate::http::reply::Reply;
use crate::ietf::call::Call;
use crate::ietf::digest;
use crate::ietf::failure::inconsistent;
use crate::ietf::version::number;
use crate::resource::access::{self, finished};
use crate::resource::append::{append, settle, Append, Failure};
use crate::resource::headers::{body_length, media_type};
use crate::resource::room::set_length;
use crate::storage::record::{Record, State};
use crate::wire::incoming::Incoming;
use crate::wire::request_log::RequestLog;

const MEDIA_TYPE: &str = "application/partial-upload";

impl Call<'_> {
    /// Answers a HEAD or GET.
    pub async fn show(&self, id: &str, log: &mut RequestLog) -> Result<Reply, Reply> {
        log.action = "ietf-head";
        let record = match access::open(self.endpoint, &self.owner, id, log).await {
            Ok((_claim, record)) => record,
            Err(failure) => return Err(self.refusal(failure).await),
        };
        let reply = self.add_state(Reply::empty(StatusCode::NO_CONTENT), &record);
        Ok(match record.is_open {
            true => reply,
            false => reply.with_header(
                HeaderName::from_static("upload-length"),
                record.identity.size.to_string(),
            ),
        })
    }

    /// Answers a PATCH.
    pub async fn append(
        &self,
        id: &str,
        body: &mut BodyDataStream,
        log: &mut RequestLog,
    ) -> Result<Reply, Reply> {
        log.action = "ietf-patch";
        let headers = &self.head.headers;
        if self.version.has_type && media_type(headers)? != MEDIA_TYPE {
            return Err(Reply::refusal(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("the Content-Type of a file's bytes is {MEDIA_TYPE}"),
            ));
        }
        let offset = number(headers, "upload-offset")?;
        let offset = offset.ok_or_else(|| Reply::bad_request("Upload-Offset is missing"))?;
        let plan = Append {
            length: body_length(headers)?,
            checks: digest::of_body(headers)?,
            is_last: self.version.is_last(headers)?,
            whole: digest::of_file(headers)?,
        };
        let is_last = plan.is_last;
        let record = match self.add_bytes(id, offset, body, plan, log).await {
            Ok(record) => record,
            Err(failure) if self.version.is_told(&failure.reply) => return Err(failure.reply),
            Err(failure) => return Err(self.refusal(failure).await),
        };
        if record.state == State::Complete {
            return Ok(self.finished(&record));
        }
        match is_last {
            true => Err(self.ended_early(&record)),
            false => Ok(self.add_state(Reply::empty(StatusCode::NO_CONTENT), &record)),
        }
    }

    async fn add_bytes(
        &self,
        id: &str,
        offset: u64,
        body: &mut BodyDataStream,
        plan: Append,
        log: &mut RequestLog,
    ) -> Result<Record, Failure> {
        let endpoint = self.endpoint;
        let (claim, mut record) = access::open(endpoint, &self.owner, id, log).await?;
        if offset != record.offset {
            return Err(self.misplaced(&record, offset).into());
        }
        let end = plan
            .length
            .filter(|_| plan.is_last)
            .map(|length| offset + length);
        let told = number(&self.head.headers, "upload-length")?;
        for length in [told, end].into_iter().flatten() {
            let set = set_length(endpoint, &mut record, length).await;
            set.map_err(|reply| match reply.status() {
                StatusCode::BAD_REQUEST => inconsistent(reply),
                _ => reply,
            })?;
        }
        if record.state == State::Complete {
            return match plan.length {
                Some(0) => Ok(record),
                _ => Err(inconsistent(finished()).into()),
            };
        }
        if plan.length == Some(0) {
            return match record.awaits_finish() {
                true => settle(endpoint, claim, record, &plan.whole).await,
                false => Ok(record),
            };
        }
        let mut body = Incoming::new(body, "body", &endpoint.config);
        append(endpoint, (claim, record), &mut body, plan, log).await
    }

    /// Answers a DELETE. The file of a finished upload stays: the request is about the upload.
    pub async fn cancel(&self, id: &str, log: &mut RequestLog) -> Result<Reply, Reply> {
        log.action = "ietf-delete";
        access::delete(self.endpoint, &self.owner, id, true, log).await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }
}
