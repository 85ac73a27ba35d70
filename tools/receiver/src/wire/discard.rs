//! The request that takes an upload back, and the locate before it.

use axum::http::StatusCode;

use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::storage::record::{Identity, Record, State};
use crate::wire::endpoint::Endpoint;
use crate::wire::locate::{contested, identity, ATTEMPTS};
use crate::wire::request_log::RequestLog;

/// Answers a locate that only asks in order to discard the upload: it makes nothing.
pub async fn look(
    endpoint: &Endpoint,
    owner: &str,
    fields: &Fields,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    log.action = "locate";
    let file = identity(fields, owner)?;
    let reply = Reply::default().with_discard();
    let Some(record) = find(endpoint, &file, None).await? else {
        return Ok(reply.with_nothing());
    };
    log.id.clone_from(&record.id);
    log.from = Some(record.offset);
    log.to = Some(record.offset);
    Ok(reply.with_record(&record))
}

/// Answers a discard.
pub async fn discard(
    endpoint: &Endpoint,
    owner: &str,
    fields: &Fields,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    log.action = "discard";
    let file = identity(fields, owner)?;
    let uploads = &endpoint.uploads;
    // The upload may be replaced before it can be claimed.
    for _ in 0..ATTEMPTS {
        let Some(found) = find(endpoint, &file, fields.text("id")).await? else {
            return Ok(Reply::default().with_nothing());
        };
        log.id.clone_from(&found.id);
        let claim = uploads.claim(&found.id).await?;
        let Some(record) = uploads.load(owner, &claim).await? else {
            continue;
        };
        log.from = Some(record.offset);
        log.to = Some(record.offset);
        if record.state == State::Complete {
            return Err(Reply::refusal(
                StatusCode::CONFLICT,
                "the upload is finished, and a discard deletes no finished file: delete it where the uploads are listed",
            ));
        }
        uploads.delete(&record).await?;
        log.to = Some(0);
        return Ok(Reply::default().with_nothing());
    }
    Err(contested())
}

/// Finds the upload with this id, or else the file's. One that is finished and whose file is gone is none.
async fn find(
    endpoint: &Endpoint,
    file: &Identity,
    id: Option<&str>,
) -> Result<Option<Record>, Reply> {
    let store = &endpoint.uploads.store;
    let found = match id.filter(|id| !id.is_empty()) {
        Some(id) => store.find(&file.owner, id).await?,
        None => store.find_file(file).await?,
    };
    let is_it = |found: &Record| {
        let (name, dir) = (&found.identity.name, &found.identity.dir);
        (name, dir, found.identity.size) == (&file.name, &file.dir, file.size)
    };
    let found = Vec::from_iter(found.filter(is_it));
    Ok(endpoint.uploads.leave_out_gone(found).await?.pop())
}
