//! The pages that people see: HTML from templates, in their language.
//!
//! The templates are `page/*.html`, the texts `page/texts/*.json`, a file for each language, style and scripts in `page/assets`.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`login`] | login and logout |
//! | `language` | the language of a page |
//! | [`assets`] | style, scripts and texts, inside the program |

pub mod assets;
mod language;
pub mod login;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{header, HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{utf8_percent_encode, NON_ALPHANUMERIC};

use crate::accounts::base::url;
use crate::accounts::visitor::{Login, Visitor};
use crate::accounts::Accounts;
use crate::http::reply::Reply;
use language::Language;

/// Allows the page's own scripts and styles only, and no frame of another site around it.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The page for uploads: it takes files, shows their progress, and lists what is there.
#[derive(Template)]
#[template(path = "index.html")]
struct IndexPage<'a> {
    lang: Language,
    /// The user who is logged in; empty where there are no users.
    user: &'a str,
    /// Whether the user may see all others.
    is_admin: bool,
    csrf: &'a str,
    /// The URL for programs.
    endpoint: String,
}

/// The page for the login.
#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    lang: Language,
    user: &'a str,
    /// The path to go to after the login.
    next: &'a str,
    /// Why the last attempt failed; empty at the first one.
    problem: &'a str,
}

/// The page for admins.
#[derive(Template)]
#[template(path = "admin.html")]
struct AdminPage<'a> {
    lang: Language,
    user: &'a str,
    csrf: &'a str,
}

impl IndexPage<'_> {
    /// What the links to other languages keep of the query.
    fn keep(&self) -> &'static str {
        ""
    }
}

impl AdminPage<'_> {
    fn keep(&self) -> &'static str {
        ""
    }
}

impl LoginPage<'_> {
    fn keep(&self) -> String {
        match self.next {
            "" => String::new(),
            next => format!("&next={}", utf8_percent_encode(next, NON_ALPHANUMERIC)),
        }
    }
}

/// Answers `GET /admin`.
pub async fn admin(State(accounts): State<Accounts>, head: Parts) -> Response {
    let visitor = match accounts.admin(&head).await {
        Ok(visitor) => visitor,
        Err(refusal) if refusal.status() == StatusCode::UNAUTHORIZED => {
            return Redirect::to("login?next=/admin").into_response()
        }
        Err(refusal) => return refusal.into_response(),
    };
    let page = AdminPage {
        lang: Language::of(&head),
        user: &visitor.owner,
        csrf: csrf(&visitor),
    };
    show(&page, page.lang, &head)
}

fn csrf(visitor: &Visitor) -> &str {
    match &visitor.login {
        Login::Session { csrf } => csrf,
        _ => "",
    }
}

/// Answers `GET /`.
pub async fn index(State(accounts): State<Accounts>, head: Parts) -> Response {
    let visitor = match accounts.visitor(&head).await {
        Ok(visitor) => visitor,
        Err(refusal) if refusal.status() == StatusCode::UNAUTHORIZED => {
            return Redirect::to("login").into_response()
        }
        Err(refusal) => return refusal.into_response(),
    };
    let is_admin = match accounts.users.is_admin(&visitor.owner).await {
        Ok(is_admin) => is_admin,
        Err(error) => return Reply::from(error).into_response(),
    };
    let page = IndexPage {
        lang: Language::of(&head),
        user: &visitor.owner,
        is_admin,
        csrf: csrf(&visitor),
        endpoint: url(&head, "/upload"),
    };
    show(&page, page.lang, &head)
}

/// Shows the login form, at first or after a refusal.
pub fn login_form(head: &Parts, user: &str, next: &str, refusal: Option<Reply>) -> Response {
    let lang = Language::of(head);
    let show_with = |problem: &str| {
        let page = LoginPage {
            lang,
            user,
            next,
            problem,
        };
        show(&page, lang, head)
    };
    let Some(refusal) = refusal else {
        return show_with("");
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
        _ => lang
            .text("login_failed")
            .replace("{message}", lang.served(&message)),
    };
    let mut response = show_with(&problem);
    *response.status_mut() = status;
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}

/// Renders a page. A language that the URL chooses is remembered by a cookie.
fn show(page: &impl Template, lang: Language, head: &Parts) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => return Reply::internal(error).into_response(),
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

/// Adds the security headers of pages and their files.
fn secure(headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
}
