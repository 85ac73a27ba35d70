//! The receipt of a finished file, and the key that proves it.

use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::accounts::Accounts;
use crate::http::reply::Reply;
use crate::receipts::Receipts;
use crate::records::{check_finished, find};
use crate::storage::uploads::Uploads;

/// Answers `GET /uploads/{id}/receipt`.
pub async fn receipt(
    State(accounts): State<Accounts>,
    State(uploads): State<Uploads>,
    State(receipts): State<Receipts>,
    Path(id): Path<String>,
    head: Parts,
) -> Result<Response, Reply> {
    let owner = accounts.owner(&head).await?;
    let record = find(&uploads, &owner, &id).await?;
    check_finished(&record)?;
    let receipt = receipts.of(&record).ok_or_else(none)?;
    Ok(text("application/jwt", receipt))
}

/// Answers `GET /receipt-key`, for everybody.
pub async fn key(State(receipts): State<Receipts>) -> Result<Response, Reply> {
    let key = receipts.public_key().map_err(|_| none())?;
    Ok(text("application/x-pem-file", key))
}

fn text(kind: &'static str, text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, kind);
    set(header::CACHE_CONTROL, "no-store");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

fn none() -> Reply {
    Reply::refusal(
        StatusCode::NOT_FOUND,
        "this receiver makes no receipts: it runs without --receipt-key",
    )
}
