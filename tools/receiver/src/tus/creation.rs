//! The request that makes an upload, perhaps with its first bytes.

use axum::body::BodyDataStream;
use axum::http::request::Parts;
use axum::http::{header, StatusCode};

use crate::accounts::form_check::FormCheck;
use crate::accounts::visitor::Visitor;
use crate::http::reply::Reply;
use crate::resource::access::delete;
use crate::resource::append::{append, settle, Append, Kind};
use crate::resource::creation;
use crate::resource::headers::{bad, body_length, bytes, media_type, one};
use crate::resource::location;
use crate::storage::record::Concat;
use crate::tus::failure::refusal;
use crate::tus::headers::{add_expiry, add_offset};
use crate::tus::resource::{wrong_type, MEDIA_TYPE};
use crate::tus::{checksum, concat, metadata};
use crate::wire::endpoint::Endpoint;
use crate::wire::incoming::Incoming;
use crate::wire::request_log::RequestLog;

/// Answers a POST.
pub async fn create(
    endpoint: &Endpoint,
    head: &Parts,
    body: &mut BodyDataStream,
    visitor: &Visitor,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    log.action = "tus-create";
    let concat = concat::read(&head.headers)?;
    let length = match concat {
        // That of its pieces.
        Concat::Final(_) => bytes(&head.headers, "upload-length")?,
        _ => length(head)?,
    };
    let fields = metadata::read(&head.headers)?;
    FormCheck::new(None, &endpoint.uploads.store, visitor, head)
        .check_head(&fields)
        .await?;
    let owner = &*visitor.owner;
    let body_length = body_length(&head.headers)?;
    let has_body = body_length != Some(0);
    if matches!(concat, Concat::Final(_)) {
        if has_body {
            let message = "a final upload takes no bytes: it has those of its partial uploads";
            return Err(Reply::bad_request(message));
        }
        let size = Some(length.unwrap_or(0));
        let mut record = creation::describe(endpoint, owner, fields, size, None)?;
        record.concat = concat;
        return concat::join(endpoint, head, record, length, log).await;
    }
    if has_body && media_type(&head.headers)? != MEDIA_TYPE {
        return Err(wrong_type());
    }
    let check = checksum::read(&head.headers)?;
    let mut record = creation::describe(endpoint, owner, fields, length, None)?;
    record.concat = concat;
    let claim = creation::create(endpoint, &mut record).await?;
    log.id.clone_from(&record.id);
    let id = record.id.clone();
    let made = if has_body {
        let plan = Append {
            length: body_length,
            checks: check.into_iter().collect(),
            ..Append::default()
        };
        let mut body = Incoming::new(body, "body", &endpoint.config);
        append(endpoint, (claim, record), &mut body, plan, log).await
    } else if record.awaits_finish() {
        settle(endpoint, claim, record, &[]).await
    } else {
        Ok(record)
    };
    let record = match made {
        Ok(record) => record,
        Err(failure) => {
            // The client does not know the URL, so nobody can go on.
            if failure.kind != Kind::WrongFile {
                delete(endpoint, owner, &id, false, log).await?;
            }
            return Err(refusal(endpoint, failure));
        }
    };
    let reply = Reply::empty(StatusCode::CREATED);
    let reply = reply.with_header(header::LOCATION, location(head, &record));
    Ok(match has_body {
        true => add_offset(reply, endpoint, &record),
        false => add_expiry(reply, endpoint, &record),
    })
}

/// Reads the file's length; `None` where it comes later.
fn length(head: &Parts) -> Result<Option<u64>, Reply> {
    let length = bytes(&head.headers, "upload-length")?;
    let deferred = one(&head.headers, "upload-defer-length")?;
    match (length, deferred) {
        (Some(length), None) => Ok(Some(length)),
        (None, Some("1")) => Ok(None),
        (None, Some(other)) => Err(bad("upload-defer-length", other)),
        (Some(_), Some(_)) => Err(Reply::bad_request(
            "a request has either Upload-Length or Upload-Defer-Length",
        )),
        (None, None) => Err(Reply::bad_request(
            "Upload-Length is missing: it is the number of bytes in the file, or Upload-Defer-Length is 1",
        )),
    }
}
