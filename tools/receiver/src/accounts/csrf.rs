//! Requests that a foreign page makes a browser send are not its user's.

use axum::http::request::Parts;
use axum::http::{header, Method, StatusCode};
use subtle::ConstantTimeEq;

use crate::accounts::peer::{host, is_local, origin};
use crate::accounts::{Proof, Visitor};
use crate::http::answer::Answer;

/// The header in which the receiver's own pages send the session's CSRF token.
const CSRF: &str = "x-csrf-token";

/// Refuses a request that its visitor may not have wanted. A program's needs nothing; a page's that
/// changes something comes from the receiver's own origin and, in a session, has its token.
pub fn guard(visitor: &Visitor, head: &Parts) -> Result<(), Answer> {
    guard_form(visitor, head, None)
}

/// The same for a plain form: its token may be in the field `csrf`.
pub fn guard_form(visitor: &Visitor, head: &Parts, field: Option<&str>) -> Result<(), Answer> {
    // No browser adds a token by itself.
    if visitor.by == Proof::Token {
        return Ok(());
    }
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    // A GET may come from a link anywhere; only the endpoint's changes something.
    if reads && head.uri.path() != "/upload" {
        return Ok(());
    }
    if !is_browser(head) {
        // Without TLS a browser does not say which page has the link.
        return match reads && is_called_browser(head) && !has_token(visitor, head) {
            true => Err(foreign(
                "a browser's GET of the endpoint, which does not say what page it comes from; \
                 a program uses POST, or a User-Agent that does not begin with Mozilla/",
            )),
            false => Ok(()),
        };
    }
    if reads {
        return own_page(head);
    }
    own_page(head)?;
    let field = field.is_some_and(|token| is_token(visitor, token));
    match visitor.by {
        Proof::Session { .. } if !field && !has_token(visitor, head) => Err(foreign(
            "the session's CSRF token is missing or not the right one",
        )),
        _ => Ok(()),
    }
}

/// Whether the request has the session's CSRF token, as one of the receiver's own page.
pub fn has_token(visitor: &Visitor, head: &Parts) -> bool {
    let token = head.headers.get(CSRF);
    let token = token.and_then(|token| token.to_str().ok());
    token.is_some_and(|token| is_token(visitor, token))
}

fn is_token(visitor: &Visitor, token: &str) -> bool {
    match &visitor.by {
        Proof::Session { csrf } => csrf.as_bytes().ct_eq(token.as_bytes()).into(),
        _ => false,
    }
}

/// Whether a page, and not a program, made the request: the first browsers with one of the headers
/// are those with the other features that the page needs.
pub fn is_browser(head: &Parts) -> bool {
    head.headers.contains_key(header::ORIGIN) || head.headers.contains_key("sec-fetch-site")
}

fn is_called_browser(head: &Parts) -> bool {
    let agent = head.headers.get(header::USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
}

/// Refuses a browser's request that a page of another origin has made.
pub fn own_page(head: &Parts) -> Result<(), Answer> {
    let text = |name| {
        head.headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    match (text("origin"), text("sec-fetch-site")) {
        (Some(theirs), _) if theirs == origin(head) => Ok(()),
        (Some(_), _) => Err(foreign(
            "the request comes from a page of another origin than the receiver's; \
             behind a proxy, it has to pass Host on and to be named by --trusted-proxy",
        )),
        // An address that was typed in comes from no page.
        (None, None | Some("same-origin" | "none")) => Ok(()),
        (None, Some(_)) => Err(foreign("the request comes from a page of another site")),
    }
}

/// Without users this machine is the limit: not so a page of the world, whose name was made to lead
/// here, nor what a proxy brings.
pub fn from_this_machine(head: &Parts) -> Result<(), Answer> {
    let forwarded = ["forwarded", "x-forwarded-for"];
    if forwarded
        .iter()
        .any(|name| head.headers.contains_key(*name))
    {
        return Err(foreign(
            "no user is configured, so nothing that a proxy brings is taken",
        ));
    }
    // Also where no browser shows: a page's GET of its own origin says nothing of it, but by the name.
    if head.headers.contains_key(header::HOST) && !is_local(host(head)) {
        return Err(foreign(
            "no user is configured, so it answers to localhost and 127.0.0.1 only, not to another name",
        ));
    }
    Ok(())
}

fn foreign(message: &str) -> Answer {
    Answer::refusal(StatusCode::FORBIDDEN, message)
}
