//! Which request goes where.

use axum::http::StatusCode;
use axum::routing::{any, get, post};
use axum::Router;

use crate::accounts::login::{form, log_in, log_out};
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
        .route("/login", get(form).post(log_in))
        .route("/logout", post(log_out))
        .fallback(nothing)
        .with_state(app)
}
