//! The pages that a person sees: HTML from templates, in the person's language.

pub mod assets;
mod language;
pub mod login;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{header, HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::accounts::peer::origin;
use crate::accounts::{visitor, Proof};
use crate::app::App;
use crate::http::answer::Answer;
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

/// Where one logs in.
#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    lang: Language,
    user: &'a str,
    /// Where it goes on.
    next: &'a str,
    /// Why the last attempt failed; empty at first.
    problem: &'a str,
}

/// Answers `GET /`.
pub async fn index(State(app): State<App>, head: Parts) -> Response {
    let visitor = match visitor(&app, &head).await {
        Ok(visitor) => visitor,
        Err(refusal) if refusal.status() == StatusCode::UNAUTHORIZED => {
            return Redirect::to("/login").into_response()
        }
        Err(refusal) => return refusal.into_response(),
    };
    let page = Index {
        lang: Language::of(&head),
        user: &visitor.owner,
        csrf: match &visitor.by {
            Proof::Session { csrf } => csrf,
            _ => "",
        },
        endpoint: format!("{}/upload", origin(&head)),
    };
    show(&page, page.lang, &head)
}

/// The login form, at first or after a refusal.
pub fn login(head: &Parts, user: &str, next: &str, refusal: Option<Answer>) -> Response {
    let lang = Language::of(head);
    let Some(refusal) = refusal else {
        let problem = "";
        return show(
            &Login {
                lang,
                user,
                next,
                problem,
            },
            lang,
            head,
        );
    };
    let (status, message) = (refusal.status(), refusal.message().to_owned());
    let wait = refusal
        .into_response()
        .headers_mut()
        .remove(header::RETRY_AFTER);
    let seconds = wait.as_ref().and_then(|wait| wait.to_str().ok());
    let problem = match (status, seconds) {
        (StatusCode::UNAUTHORIZED, _) => lang.text("login_wrong").to_owned(),
        (StatusCode::TOO_MANY_REQUESTS, Some(seconds)) => {
            lang.text("login_often").replace("{seconds}", seconds)
        }
        _ => lang.text("login_failed").replace("{message}", &message),
    };
    let problem = problem.as_str();
    let mut response = show(
        &Login {
            lang,
            user,
            next,
            problem,
        },
        lang,
        head,
    );
    *response.status_mut() = status;
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}

/// A page; and the language that was chosen in its address, for the next visit.
fn show(page: &impl Template, lang: Language, head: &Parts) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => return Answer::internal(error).into_response(),
    };
    let mut response = html.into_response();
    let headers = response.headers_mut();
    secure(headers);
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, "text/html; charset=utf-8");
    set(header::CACHE_CONTROL, "no-store");
    set(header::CONTENT_LANGUAGE, lang.tag());
    if language::chosen(head) == Some(lang) {
        headers.append(header::SET_COOKIE, lang.cookie());
    }
    response
}

/// What every page and every file of one says about itself.
fn secure(headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
}
