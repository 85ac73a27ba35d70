//! Which request goes where.

use axum::http::StatusCode;
use axum::routing::{any, get};
use axum::Router;

use crate::app::App;
use crate::page;
use crate::records;
use crate::wire::answer::Answer;
use crate::wire::upload;

/// The receiver's pages.
pub fn router(app: App) -> Router {
    let nothing = || async { Answer::refusal(StatusCode::NOT_FOUND, "there is nothing here") };
    Router::new()
        .route("/", get(page::index))
        .route("/assets/{name}", get(page::assets::asset))
        .route("/upload", any(upload))
        .route("/uploads", get(records::list))
        .route(
            "/uploads/{id}",
            get(records::details).delete(records::delete),
        )
        .route("/uploads/{id}/file", get(records::file))
        .fallback(nothing)
        .with_state(app)
}
