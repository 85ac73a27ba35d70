//! What an owner can ask about its uploads, and do with them.

mod download;
mod item;

use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::accounts;
use crate::app::App;
use crate::http::answer::{json, Answer};
use crate::http::fields::Fields;
use crate::storage::record::{self, Record};
use crate::storage::store::Which;
use item::Item;

/// Uploads in a list, when the request does not say how many.
const PAGE: u32 = 100;
/// The most that it may say.
const MAX_PAGE: u32 = 1000;

/// `GET /uploads`: the list, last changed first.
pub async fn list(State(app): State<App>, head: Parts) -> Result<Response, Answer> {
    let owner = accounts::owner(&app, &head).await?;
    let query = head.uri.query().unwrap_or("");
    let query = Fields::from_urlencoded(query.as_bytes())?;
    let which = match query.text("state") {
        None => Which::All,
        Some("complete") => Which::Complete,
        Some("partial") => Which::Unfinished,
        Some(other) => return Err(Answer::bad_field("state", other)),
    };
    let limit = match query.text("limit") {
        None => PAGE,
        Some(text) => match text.parse() {
            Ok(limit @ 1..=MAX_PAGE) => limit,
            _ => return Err(Answer::bad_field("limit", text)),
        },
    };
    let last = match query.text("after") {
        None => None,
        Some(id) => Some(find(&app, &owner, id).await?),
    };
    let records = app.store.list(&owner, which, last.as_ref(), limit).await?;
    let uploads = records.iter().map(|record| Item::of(&app, record));
    #[derive(Serialize)]
    struct List<'r> {
        uploads: Vec<Item<'r>>,
    }
    Ok(json(&List {
        uploads: uploads.collect(),
    }))
}

/// `GET /uploads/{id}`: one of them.
pub async fn details(
    State(app): State<App>,
    Path(id): Path<String>,
    head: Parts,
) -> Result<Response, Answer> {
    let owner = accounts::owner(&app, &head).await?;
    let record = find(&app, &owner, &id).await?;
    Ok(json(&Item::of(&app, &record)))
}

/// `DELETE /uploads/{id}`: its record and its bytes go, unless somebody is writing them.
pub async fn delete(
    State(app): State<App>,
    Path(id): Path<String>,
    head: Parts,
) -> Result<StatusCode, Answer> {
    let owner = accounts::owner(&app, &head).await?;
    find(&app, &owner, &id).await?;
    let claim = app.active.claim(&id).await?;
    let record = app.shelf.current(&owner, &claim).await?;
    let record = record.ok_or_else(|| Answer::unknown(&id))?;
    app.shelf.forget(&record).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /uploads/{id}/file`: the finished file.
pub async fn file(
    State(app): State<App>,
    Path(id): Path<String>,
    head: Parts,
) -> Result<Response, Answer> {
    let owner = accounts::owner(&app, &head).await?;
    let record = find(&app, &owner, &id).await?;
    if record.state != record::State::Complete {
        return Err(Answer::refusal(
            StatusCode::NOT_FOUND,
            format!(
                "upload {} is not finished: {} of {} bytes are here",
                record.id, record.held, record.identity.size
            ),
        ));
    }
    download::file(&app, &record, &head.headers).await
}

async fn find(app: &App, owner: &str, id: &str) -> Result<Record, Answer> {
    let found = app.store.find(owner, id).await?;
    found.ok_or_else(|| Answer::unknown(id))
}
