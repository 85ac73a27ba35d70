//! Which request goes where.

use axum::http::StatusCode;
use axum::routing::any;
use axum::Router;

use crate::app::App;
use crate::wire::answer::Answer;
use crate::wire::upload;

/// The receiver's pages.
pub fn router(app: App) -> Router {
    let nothing = || async { Answer::refusal(StatusCode::NOT_FOUND, "there is nothing here") };
    Router::new()
        .route("/upload", any(upload))
        .fallback(nothing)
        .with_state(app)
}
