//! The routes.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::Router;

use crate::app::App;
use crate::http::reply::Reply;
use crate::linger::linger;
use crate::ops::health::health;
use crate::page;
use crate::page::login::{form, log_in, log_out};
use crate::records;
use crate::wire::upload;

/// The largest number of lines in a header block.
const MAX_HEADERS: usize = 100;
/// The largest number of bytes in a header block.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Makes the router.
pub fn router(app: App) -> Router {
    let nothing = || async { Reply::refusal(StatusCode::NOT_FOUND, "there is nothing here") };
    Router::new()
        .route("/", get(page::index))
        .route("/assets/{name}", get(page::assets::asset))
        .route("/upload", any(upload))
        .route("/healthz", get(health))
        .route("/uploads", get(records::list))
        .route(
            "/uploads/{id}",
            get(records::details).delete(records::delete),
        )
        .route("/uploads/{id}/file", get(records::file))
        .route("/login", get(form).post(log_in))
        .route("/logout", post(log_out))
        .fallback(nothing)
        .layer(middleware::from_fn(limit_headers))
        .layer(middleware::map_request(linger))
        .with_state(app)
}

/// Refuses header blocks that are too large.
async fn limit_headers(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let length = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    let bytes = request.uri().path().len() + headers.iter().map(length).sum::<usize>();
    if headers.len() <= MAX_HEADERS && bytes <= MAX_HEADER_BYTES {
        return next.run(request).await;
    }
    let message = format!(
        "the request's header block has more than {MAX_HEADERS} lines or {MAX_HEADER_BYTES} bytes"
    );
    Reply::refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message).into_response()
}
