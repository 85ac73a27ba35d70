//! The requests to an upload.

use axum::body::BodyDataStream;
use axum::http::request::Parts;
use axum::http::StatusCode;

use crate::http::reply::Reply;
use crate::resource::access::{self, finished};
use crate::resource::append::{append, Append};
use crate::resource::headers::{body_length, bytes, media_type};
use crate::resource::room::set_length;
use crate::storage::record::{Concat, Record, State};
use crate::tus::checksum;
use crate::tus::failure::refusal;
use crate::tus::headers::{add_offset, add_state};
use crate::wire::endpoint::Endpoint;
use crate::wire::incoming::Incoming;
use crate::wire::request_log::RequestLog;

/// The type of a body with the next bytes.
pub const MEDIA_TYPE: &str = "application/offset+octet-stream";

/// An upload that a request is about.
pub struct Resource<'r> {
    /// What all requests use.
    pub endpoint: &'r Endpoint,
    /// The request.
    pub head: &'r Parts,
    /// The user.
    pub owner: &'r str,
    /// The upload's id.
    pub id: &'r str,
}

impl Resource<'_> {
    /// Answers a HEAD.
    pub async fn show(&self, log: &mut RequestLog) -> Result<Reply, Reply> {
        log.action = "tus-head";
        let opened = access::open(self.endpoint, self.owner, self.id, log).await;
        let (_claim, record) = opened.map_err(|failure| refusal(self.endpoint, failure))?;
        let reply = Reply::empty(StatusCode::OK);
        Ok(add_state(reply, self.endpoint, &record))
    }

    /// Answers a PATCH.
    pub async fn append(
        &self,
        body: &mut BodyDataStream,
        log: &mut RequestLog,
    ) -> Result<Reply, Reply> {
        log.action = "tus-patch";
        let headers = &self.head.headers;
        if media_type(headers)? != MEDIA_TYPE {
            return Err(wrong_type());
        }
        let offset = bytes(headers, "upload-offset")?;
        let offset = offset.ok_or_else(|| Reply::bad_request("Upload-Offset is missing"))?;
        let length = bytes(headers, "upload-length")?;
        let plan = Append {
            length: body_length(headers)?,
            checks: checksum::read(headers)?.into_iter().collect(),
            ..Append::default()
        };
        let endpoint = self.endpoint;
        let appended = async {
            let (claim, mut record) = access::open(endpoint, self.owner, self.id, log).await?;
            if let Concat::Final(_) = record.concat {
                return Err(finished().into());
            }
            if offset != record.offset {
                return Err(misplaced(endpoint, &record, offset).into());
            }
            if let Some(length) = length {
                set_length(endpoint, &mut record, length).await?;
            }
            let mut body = Incoming::new(body, "body", &endpoint.config);
            if record.state == State::Complete {
                // In chunks only the end tells that there is nothing.
                let is_empty = match plan.length {
                    Some(length) => length == 0,
                    None => body.next(body.deadline()).await?.is_none(),
                };
                return match is_empty && plan.checks.is_empty() {
                    true => Ok(record),
                    false => Err(finished().into()),
                };
            }
            append(endpoint, (claim, record), &mut body, plan, log).await
        };
        let record = appended
            .await
            .map_err(|failure| refusal(endpoint, failure))?;
        let reply = Reply::empty(StatusCode::NO_CONTENT);
        Ok(add_offset(reply, endpoint, &record))
    }

    /// Answers a DELETE.
    pub async fn delete(&self, log: &mut RequestLog) -> Result<Reply, Reply> {
        log.action = "tus-delete";
        access::delete(self.endpoint, self.owner, self.id, false, log).await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }
}

/// Refuses a body of another type.
pub fn wrong_type() -> Reply {
    Reply::refusal(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("the Content-Type of a file's bytes is {MEDIA_TYPE}"),
    )
}

fn misplaced(endpoint: &Endpoint, record: &Record, offset: u64) -> Reply {
    let message = format!(
        "Upload-Offset {offset} is not where this upload stands, {}",
        record.offset
    );
    let reply = Reply::refusal(StatusCode::CONFLICT, message);
    add_offset(reply, endpoint, record)
}
