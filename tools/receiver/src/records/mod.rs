//! The list of uploads, their details, download and deletion, for their owner.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `download` | the download of a finished file |
//! | `item` | the JSON that describes an upload |

mod download;
mod item;

use std::collections::HashSet;

use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::accounts::base::base;
use crate::accounts::Accounts;
use crate::http::conditions::Validators;
use crate::http::fields::Fields;
use crate::http::reply::{json, Reply};
use crate::storage::record::{self, Record};
use crate::storage::store::Filter;
use crate::storage::uploads::Uploads;
use item::Item;

/// The number of uploads in a list, unless the request has a `limit`.
const DEFAULT_LIMIT: u32 = 100;
/// The largest `limit`.
const MAX_LIMIT: u32 = 1000;

/// Answers `GET /uploads`: the list, last changed first.
pub async fn list(
    State(accounts): State<Accounts>,
    State(uploads): State<Uploads>,
    head: Parts,
) -> Result<Response, Reply> {
    let owner = accounts.owner(&head).await?;
    let text = head.uri.query().unwrap_or("");
    let query = Fields::from_urlencoded(text.as_bytes())?;
    let filter = match query.text("state") {
        None => Filter::All,
        Some("complete") => Filter::Complete,
        Some("partial") => Filter::Unfinished,
        Some(other) => return Err(Reply::bad_field("state", other)),
    };
    let limit = match query.text("limit") {
        None => DEFAULT_LIMIT,
        Some(text) => match text.parse() {
            Ok(limit @ 1..=MAX_LIMIT) => limit,
            _ => return Err(Reply::bad_field("limit", text)),
        },
    };
    let mut last = match query.text("after") {
        None => None,
        Some(id) => Some(find(&uploads, &owner, id).await?),
    };
    let mut records = Vec::new();
    loop {
        let room = limit - records.len() as u32;
        let page = uploads.store.list(&owner, filter, last.as_ref(), room);
        let page = page.await?;
        let is_last = page.len() < room as usize;
        last = page.last().cloned();
        records.extend(uploads.leave_out_gone(page).await?);
        if is_last || records.len() == limit as usize {
            break;
        }
    }
    let active = uploads.active(&records).await?;
    let item = |record| item(&active, record, base(&head));
    let items = records.iter().map(item);
    #[derive(Serialize)]
    struct List<'r> {
        uploads: Vec<Item<'r>>,
    }
    Ok(json(&List {
        uploads: items.collect(),
    }))
}

/// Answers `GET /uploads/{id}`: the details of an upload.
pub async fn details(
    State(accounts): State<Accounts>,
    State(uploads): State<Uploads>,
    Path(id): Path<String>,
    head: Parts,
) -> Result<Response, Reply> {
    let owner = accounts.owner(&head).await?;
    let record = find(&uploads, &owner, &id).await?;
    let there = uploads.leave_out_gone(vec![record]).await?;
    let record = there.first().ok_or_else(|| Reply::unknown(&id))?;
    let active = uploads.active(&there).await?;
    Ok(json(&item(&active, record, base(&head))))
}

/// Answers `DELETE /uploads/{id}`: deletes record and file, unless a client is sending, or a condition does not hold. The
/// conditions are about the file, as those of its download.
pub async fn delete(
    State(accounts): State<Accounts>,
    State(uploads): State<Uploads>,
    Path(id): Path<String>,
    head: Parts,
) -> Result<StatusCode, Reply> {
    let owner = accounts.owner(&head).await?;
    find(&uploads, &owner, &id).await?;
    let claim = uploads.claim(&id).await?;
    let loaded = uploads.load(&owner, &claim).await?;
    let record = loaded.ok_or_else(|| Reply::unknown(&id))?;
    let validators = Validators::new(&record.version(), record.changed);
    if let Err(status) = validators.check(&head.method, &head.headers) {
        let message =
            "the file is not, or no longer, as the request's condition says: nothing was deleted";
        return Err(Reply::refusal(status, message));
    }
    uploads.delete(&record).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answers `GET /uploads/{id}/file`: the finished file.
pub async fn file(
    State(accounts): State<Accounts>,
    State(uploads): State<Uploads>,
    Path(id): Path<String>,
    head: Parts,
) -> Result<Response, Reply> {
    let owner = accounts.owner(&head).await?;
    let record = find(&uploads, &owner, &id).await?;
    if record.state != record::State::Complete {
        return Err(Reply::refusal(
            StatusCode::NOT_FOUND,
            format!(
                "upload {} is not finished: {} of {} bytes are here",
                record.id, record.offset, record.identity.size
            ),
        ));
    }
    download::file(&uploads, &record, &head).await
}

fn item<'r>(active: &HashSet<String>, record: &'r Record, base: &str) -> Item<'r> {
    Item::new(record, active.contains(&record.id), base)
}

async fn find(uploads: &Uploads, owner: &str, id: &str) -> Result<Record, Reply> {
    let found = uploads.store.find(owner, id).await?;
    found.ok_or_else(|| Reply::unknown(id))
}
