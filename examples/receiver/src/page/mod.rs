//! The pages that a person sees: HTML from templates, in the person's language.

pub mod assets;
pub mod language;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{header, HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};

use crate::accounts;
use crate::app::App;
use crate::wire::answer::Answer;
use language::Language;

/// No script and no style but the page's own files, and nobody else's frame around it.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Where one chooses files, watches them go up, and finds what is there.
#[derive(Template)]
#[template(path = "index.html")]
struct Index<'a> {
    lang: Language,
    /// Who is logged in; empty where nobody has to be.
    user: &'a str,
    csrf: &'a str,
    /// Where programs upload to.
    endpoint: String,
}

/// Answers `GET /`.
pub async fn index(State(app): State<App>, head: Parts) -> Result<Response, Answer> {
    let user = accounts::owner(&app, &head).await?;
    let page = Index {
        lang: Language::of(&head),
        user: &user,
        csrf: "",
        endpoint: endpoint(&head),
    };
    show(&page, page.lang, &head)
}

/// The endpoint's address, as far as the request tells.
fn endpoint(head: &Parts) -> String {
    let host = head.headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    format!("http://{}/upload", host.unwrap_or("localhost"))
}

/// A page, and the language that was chosen in its address, for the next visit.
fn show(page: &impl Template, language: Language, head: &Parts) -> Result<Response, Answer> {
    let html = page.render().map_err(Answer::internal)?;
    let mut response = html.into_response();
    let headers = response.headers_mut();
    secure(headers);
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, "text/html; charset=utf-8");
    set(header::CACHE_CONTROL, "no-store");
    set(header::CONTENT_LANGUAGE, language.tag());
    set(header::VARY, "Accept-Language, Cookie");
    if language::chosen(head) == Some(language) {
        headers.append(header::SET_COOKIE, language.cookie());
    }
    Ok(response)
}

/// What every page and every file of one says about itself.
fn secure(headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
}
