//! Refusal of requests that another site's page has made: a browser adds cookies and passwords to them, but its
//! user did not want them (CSRF).

use axum::http::request::Parts;
use axum::http::{header, Method, StatusCode};
use subtle::ConstantTimeEq;

use crate::accounts::peer::{host, is_local, origin};
use crate::accounts::visitor::{Login, Visitor};
use crate::http::reply::Reply;

/// The header in which the receiver's own pages send the session's CSRF token.
const CSRF_HEADER: &str = "x-csrf-token";

/// Refuses a request that another site's page may have made. Requests of programs need nothing. A page's request
/// that changes something has to come from the receiver's own origin and, in a session, to have its CSRF token.
pub fn check(visitor: &Visitor, head: &Parts) -> Result<(), Reply> {
    check_form(visitor, head, None)
}

/// Does the same for a request to the endpoint, where a GET changes something, too: any site may have a link that makes
/// one.
pub fn check_endpoint(visitor: &Visitor, head: &Parts) -> Result<(), Reply> {
    if !reads(head) || visitor.login == Login::Token {
        return check(visitor, head);
    }
    if is_browser(head) {
        return check_origin(head);
    }
    // Without TLS a browser does not say which page the link is on.
    match claims_to_be_browser(head) && !has_token(visitor, head) {
        true => Err(foreign(
            "a browser's GET of the endpoint, which does not say what page it comes from; \
             a program uses POST, or a User-Agent that does not begin with Mozilla/",
        )),
        false => Ok(()),
    }
}

fn reads(head: &Parts) -> bool {
    matches!(head.method, Method::GET | Method::HEAD)
}

/// Does the same as [`check`] for a plain form, whose token may be in the field `csrf`.
pub fn check_form(visitor: &Visitor, head: &Parts, field: Option<&str>) -> Result<(), Reply> {
    // No browser adds a bearer token by itself.
    if reads(head) || visitor.login == Login::Token || !is_browser(head) {
        return Ok(());
    }
    check_origin(head)?;
    let field = field.is_some_and(|token| is_token(visitor, token));
    match visitor.login {
        Login::Session { .. } if !field && !has_token(visitor, head) => Err(foreign(
            "the session's CSRF token is missing or not the right one",
        )),
        _ => Ok(()),
    }
}

/// Whether the request has the session's CSRF token in its header, as the receiver's own page sends it.
pub fn has_token(visitor: &Visitor, head: &Parts) -> bool {
    let value = head.headers.get(CSRF_HEADER);
    let token = value.and_then(|value| value.to_str().ok());
    token.is_some_and(|token| is_token(visitor, token))
}

fn is_token(visitor: &Visitor, token: &str) -> bool {
    match &visitor.login {
        Login::Session { csrf } => csrf.as_bytes().ct_eq(token.as_bytes()).into(),
        _ => false,
    }
}

/// Whether a page in a browser, and not a program, has made the request. All browsers that are new enough for the
/// receiver's page send one of these headers.
pub fn is_browser(head: &Parts) -> bool {
    head.headers.contains_key(header::ORIGIN) || head.headers.contains_key("sec-fetch-site")
}

fn claims_to_be_browser(head: &Parts) -> bool {
    let agent = head.headers.get(header::USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
}

/// Refuses a browser's request that a page of another origin has made.
pub fn check_origin(head: &Parts) -> Result<(), Reply> {
    let text = |name| {
        head.headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    match (text("origin"), text("sec-fetch-site")) {
        (Some(sender), _) if sender == origin(head) => Ok(()),
        (Some(_), _) => Err(foreign(
            "the request comes from a page of another origin than the receiver's; \
             behind a proxy, it has to pass Host on and to be named by --trusted-proxy",
        )),
        // A typed address comes from no page.
        (None, None | Some("same-origin" | "none")) => Ok(()),
        (None, Some(_)) => Err(foreign("the request comes from a page of another site")),
    }
}

/// Refuses a request that does not come from this machine; for receivers without users. That is a request through
/// a proxy, or one of another site's page whose name was made to lead to this machine (DNS rebinding).
pub fn check_this_machine(head: &Parts) -> Result<(), Reply> {
    let forwarded = ["forwarded", "x-forwarded-for"];
    if forwarded
        .iter()
        .any(|name| head.headers.contains_key(*name))
    {
        return Err(foreign(
            "no user is configured, so nothing that a proxy brings is taken",
        ));
    }
    // Also for requests that do not look like a browser's: a page's GET of its own origin has no other sign.
    if head.headers.contains_key(header::HOST) && !is_local(host(head)) {
        return Err(foreign(
            "no user is configured, so it answers to localhost and 127.0.0.1 only, not to another name",
        ));
    }
    Ok(())
}

fn foreign(message: &str) -> Reply {
    Reply::refusal(StatusCode::FORBIDDEN, message)
}
