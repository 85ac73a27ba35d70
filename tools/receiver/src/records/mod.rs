//! The list of uploads, their details, download and deletion, for their owner.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`archive`] | the download of several finished files as one zip file |
//! | `zip` | the format of that |
//! | `download` | the download of a finished file |
//! | `item` | the JSON that describes an upload |
//! | `query` | what a request wants listed |
//! | [`receipts`] | the receipt of a finished file, and the key that proves it |

pub mod archive;
mod download;
mod item;
mod query;
pub mod receipts;
mod zip;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::accounts::base::base;
use crate::accounts::peer::Peer;
use crate::accounts::Accounts;
use crate::http::conditions::Validators;
use crate::http::fields::Fields;
use crate::http::reply::{json, Reply};
use crate::receipts::Receipts;
use crate::storage::events::Origin;
use crate::storage::record::{self, Record};
use crate::storage::uploads::Uploads;
use item::Item;

/// How long a request searches for uploads. The list goes on with the next one.
const SEARCH: Duration = Duration::from_millis(50);
/// How long it looks without a search: clients take a page that is not full for the last one.
const LOOK: Duration = Duration::from_secs(20);

/// Answers `GET /uploads`: the list, or a part of it.
pub async fn list(
    State(accounts): State<Accounts>,
    State(uploads): State<Uploads>,
    State(receipts): State<Receipts>,
    head: Parts,
) -> Result<Response, Reply> {
    let owner = accounts.owner(&head).await?;
    let text = head.uri.query().unwrap_or("");
    let fields = Fields::from_urlencoded(text.as_bytes())?;
    let (query, limit) = (query::query(&fields, owner)?, query::limit(&fields)?);
    let mut after = match fields.text("after") {
        None => None,
        Some(text) => match query::position(text, query.order) {
            Some(position) => Some(position),
            // The id of the last upload that the client knows.
            None => {
                let place = uploads.store.place_of(&query.owner, text, query.order);
                Some(place.await?.ok_or_else(|| Reply::unknown(text))?)
            }
        },
    };
    let until = Instant::now()
        + match query.words.is_empty() && query.dir.is_none() {
            true => LOOK,
            false => SEARCH,
        };
    let mut records = Vec::new();
    let next = loop {
        let room = limit - records.len() as u32;
        let page = uploads.store.list(&query, after, room, until).await?;
        records.extend(match uploads.objects {
            None => uploads.leave_out_gone(page.records).await?,
            // One request for each object would take long.
            Some(_) => page.records,
        });
        let is_done = page.next.is_none() || records.len() == limit as usize;
        if is_done || Instant::now() >= until {
            break page.next;
        }
        after = page.next;
    };
    let active = uploads.active(&records).await?;
    let item = |record| item(&active, &receipts, record, base(&head));
    let items = records.iter().map(item);
    #[derive(Serialize)]
    struct List<'r> {
        uploads: Vec<Item<'r>>,
        /// The `after` of the next part; none at the end.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    }
    Ok(json(&List {
        uploads: items.collect(),
        next: next.as_ref().map(query::cursor),
    }))
}

/// Answers `GET /uploads/{id}`: the details of an upload.
pub async fn details(
    State(accounts): State<Accounts>,
    State(uploads): State<Uploads>,
    State(receipts): State<Receipts>,
    Path(id): Path<String>,
    head: Parts,
) -> Result<Response, Reply> {
    let owner = accounts.owner(&head).await?;
    let record = find(&uploads, &owner, &id).await?;
    let there = uploads.leave_out_gone(vec![record]).await?;
    let record = there.first().ok_or_else(|| Reply::unknown(&id))?;
    let active = uploads.active(&there).await?;
    Ok(json(&item(&active, &receipts, record, base(&head))))
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
    let origin = Origin {
        peer: Some(Peer::of(&head).address),
        protocol: Some("list"),
    };
    uploads.by(origin).delete(&record).await?;
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
    check_finished(&record)?;
    download::file(&uploads, &record, &head).await
}

fn check_finished(record: &Record) -> Result<(), Reply> {
    match record.state {
        record::State::Complete => Ok(()),
        record::State::New | record::State::Partial => Err(Reply::refusal(
            StatusCode::NOT_FOUND,
            format!(
                "upload {} is not finished: {} of {} bytes are here",
                record.id, record.offset, record.identity.size
            ),
        )),
    }
}

fn item<'r>(
    active: &HashSet<String>,
    receipts: &Receipts,
    record: &'r Record,
    base: &str,
) -> Item<'r> {
    Item::new(
        record,
        active.contains(&record.id),
        base,
        receipts.are_made(),
    )
}

async fn find(uploads: &Uploads, owner: &str, id: &str) -> Result<Record, Reply> {
    let found = uploads.store.find(owner, id).await?;
    found.ok_or_else(|| Reply::unknown(id))
}
