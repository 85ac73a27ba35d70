//! The upload of a URL: who may use it, and deletion.

use axum::http::request::Parts;
use axum::http::StatusCode;

use crate::accounts::csrf;
use crate::accounts::visitor::Visitor;
use crate::http::reply::{excerpt, Reply};
use crate::resource::append::{settle, Failure};
use crate::storage::claims::Claim;
use crate::storage::record::{Record, State};
use crate::wire::endpoint::Endpoint;
use crate::wire::request_log::RequestLog;

/// How often the upload is looked up again that was finished meanwhile.
const ATTEMPTS: u32 = 3;

/// Finds out who sends a request.
pub async fn visitor(
    endpoint: &Endpoint,
    head: &Parts,
    log: &mut RequestLog,
) -> Result<Visitor, Reply> {
    let visitor = endpoint.accounts.visitor(head).await?;
    csrf::check(&visitor, head)?;
    log.owner.clone_from(&visitor.owner);
    if endpoint.accounts.signing.is_some() && !csrf::has_token(&visitor, head) {
        return Err(Reply::refusal(
            StatusCode::FORBIDDEN,
            "this receiver takes signed forms only, and neither tus nor the IETF's resumable uploads have a signature: \
             upload by form, or run the receiver without --signing-secret-file",
        ));
    }
    Ok(visitor)
}

/// Claims the upload with this id. Waits a short time for another request that is at work on it, and takes over from one
/// whose client is silent. An upload of which all bytes are there is finished first.
pub async fn open(
    endpoint: &Endpoint,
    owner: &str,
    id: &str,
    log: &mut RequestLog,
) -> Result<(Claim, Record), Failure> {
    let uploads = &endpoint.uploads;
    for _ in 0..ATTEMPTS {
        // Before the claim, which would show that another owner has this upload, and interrupt it.
        let found = uploads.store.find(owner, id).await?;
        let found = found.filter(|record| record.identity.is_known_by_id());
        let found = found.ok_or_else(|| unknown(id))?;
        // The file of a finished one may have been moved away. That does not make it begin again.
        let there = uploads.leave_out_gone(vec![found]).await?;
        if there.is_empty() {
            return Err(unknown(id).into());
        }
        let claim = uploads.claim(id).await?;
        let record = uploads.load(owner, &claim).await?;
        let record = record.ok_or_else(|| unknown(id))?;
        log.id.clone_from(&record.id);
        log.from = Some(record.offset);
        log.to = Some(record.offset);
        if !record.awaits_finish() {
            return Ok((claim, record));
        }
        settle(endpoint, claim, record, &[]).await?;
    }
    Err(unknown(id).into())
}

/// Deletes an upload. One that is finished stays, if `keeps_finished`.
pub async fn delete(
    endpoint: &Endpoint,
    owner: &str,
    id: &str,
    keeps_finished: bool,
    log: &mut RequestLog,
) -> Result<(), Reply> {
    let uploads = &endpoint.uploads;
    let found = uploads.store.find(owner, id).await?;
    if !found.is_some_and(|record| record.identity.is_known_by_id()) {
        return Err(unknown(id));
    }
    let claim = uploads.claim(id).await?;
    let record = uploads.load(owner, &claim).await?;
    let record = record.ok_or_else(|| unknown(id))?;
    log.id.clone_from(&record.id);
    if record.state == State::Complete && keeps_finished {
        return Ok(());
    }
    uploads.delete(&record).await?;
    Ok(())
}

/// Refuses bytes for an upload that has all.
pub fn finished() -> Reply {
    let message = "the upload is finished: nothing can be added to it";
    Reply::refusal(StatusCode::FORBIDDEN, message)
}

fn unknown(id: &str) -> Reply {
    Reply::refusal(
        StatusCode::NOT_FOUND,
        format!(
            "no upload has the URL /upload/{}: it was deleted, has expired, or is another user's; begin a new one at /upload",
            excerpt(id).escape_debug()
        ),
    )
}
