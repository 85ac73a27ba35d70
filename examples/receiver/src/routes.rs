//! Which request goes where.

use axum::http::StatusCode;
use axum::routing::{any, get};
use axum::Router;

use crate::app::App;
use crate::ops::health::health;
use crate::wire::answer::Answer;
use crate::wire::upload;

/// The receiver's pages.
pub fn router(app: App) -> Router {
    let nothing = || async { Answer::refusal(StatusCode::NOT_FOUND, "there is nothing here") };
    Router::new()
        .route("/upload", any(upload))
        .route("/healthz", get(health))
        .fallback(nothing)
        .with_state(app)
}
