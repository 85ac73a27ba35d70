//! The routes.

use axum::extract::{FromRef, Request, State};
use axum::http::request::Parts;
use axum::http::{header, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::Router;

use crate::account;
use crate::accounts::base::{base, url};
use crate::app::App;
use crate::choice::{options, upload};
use crate::config::base_path::has_dots;
use crate::http::host::check_host;
use crate::http::reply::Reply;
use crate::ietf;
use crate::linger::linger;
use crate::ops::health::health;
use crate::page;
use crate::page::login::{form, log_in, log_out};
use crate::records::{self, receipts};
use crate::wire::endpoint::Endpoint;
use crate::wire::request_log::log_other;

/// The largest number of lines in a header block.
const MAX_HEADERS: usize = 100;
/// The largest number of bytes in a header block.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Makes the router.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(root).post(upload).put(put).options(options))
        .route("/assets/{name}", get(page::assets::asset))
        .route(
            "/upload",
            get(upload_or_page).post(upload).put(put).options(options),
        )
        .route(
            "/upload/{id}",
            get(upload)
                .post(upload)
                .patch(upload)
                .delete(upload)
                .options(options),
        )
        .route("/healthz", get(health))
        .route("/uploads", get(records::list))
        .route(
            "/uploads/{id}",
            get(records::details).delete(records::delete),
        )
        .route("/uploads/{id}/file", get(records::file))
        .route("/uploads/{id}/receipt", get(receipts::receipt))
        .route("/receipt-key", get(receipts::key))
        .route("/zip", post(records::archive::archive))
        .route("/account", get(account::account))
        .route("/password", post(account::password))
        .route("/admin", get(page::admin))
        .route("/admin/overview", get(account::overview))
        .route("/login", get(form).post(log_in))
        .route("/logout", post(log_out))
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(
            app.metrics.clone(),
            log_other,
        ))
        .layer(middleware::from_fn(check_host))
        .layer(middleware::from_fn(limit_headers))
        .layer(middleware::map_request(linger))
        .with_state(app)
}

/// Answers `GET /`: the page, or a locate. Programs are given the address that a browser shows, and it works for them,
/// too.
async fn root(State(app): State<App>, request: Request) -> Response {
    if has_action(&request) {
        return upload(State(Endpoint::from_ref(&app)), request).await;
    }
    let (head, _) = request.into_parts();
    page::index(State(app.accounts), head).await
}

/// Answers `GET /upload`: a locate. A person who opens it in a browser is led to the page.
async fn upload_or_page(endpoint: State<Endpoint>, request: Request) -> Response {
    let accept = request.headers().get(header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok()).unwrap_or("");
    if accept.contains("text/html") && !has_action(&request) {
        return Redirect::to("./").into_response();
    }
    upload(endpoint, request).await
}

/// Whether the query has the field of every locate.
fn has_action(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or("");
    let mut names = query.split('&').filter_map(|field| field.split('=').next());
    names.any(|name| name == "action")
}

/// Answers `PUT /upload`, which only one protocol has.
async fn put(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if ietf::is_request(&head) {
        return upload(State(endpoint), Request::from_parts(head, body)).await;
    }
    let mut response = wrong_method(head).await;
    let allowed = HeaderValue::from_static("GET,HEAD,POST");
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

/// Refuses a path that is not the receiver's. One that lacks its last slash, or has one too many, leads to the right
/// one.
async fn nothing(head: Parts) -> Response {
    let path = head.uri.path();
    if path == base(&head) {
        return Redirect::permanent(&format!("{path}/")).into_response();
    }
    let without_slash = path.strip_suffix('/').filter(|path| !has_dots(path));
    if let Some((_, last)) = without_slash.and_then(|path| path.rsplit_once('/')) {
        let query = head
            .uri
            .query()
            .map_or(String::new(), |query| format!("?{query}"));
        return Redirect::permanent(&format!("../{last}{query}")).into_response();
    }
    let message = format!(
        "there is nothing here; the URL for uploads is {}",
        url(&head, "/upload")
    );
    Reply::refusal(StatusCode::NOT_FOUND, message).into_response()
}

/// Refuses a method that a path does not have. The router adds the header Allow, also for OPTIONS.
async fn wrong_method(head: Parts) -> Response {
    if head.method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let message = format!(
        "this path takes no {}; the URL for uploads is {}, by POST",
        head.method,
        url(&head, "/upload")
    );
    Reply::refusal(StatusCode::METHOD_NOT_ALLOWED, message).into_response()
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
