//! Refusal of requests that another site's page has made: a browser adds cookies and passwords to them, but its
//! user did not want them (CSRF).

use axum::http::request::Parts;
use axum::http::{header, Method, StatusCode};
use subtle::ConstantTimeEq;

use crate::accounts::peer::origin;
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
    match visitor.login {
        Login::Session { .. } => check_page(head)?,
        _ => check_origin(head)?,
    }
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
fn check_origin(head: &Parts) -> Result<(), Reply> {
    match (text(head, "origin"), text(head, "sec-fetch-site")) {
        (Some(sender), _) if sender == origin(head) => Ok(()),
        // The browser compares with the URL that it has, also where a proxy has changed Host. No page can write this.
        (_, Some("same-origin")) => Ok(()),
        (Some(_), _) => Err(foreign(
            "the request comes from a page of another origin than the receiver's; \
             behind a proxy, it has to pass Host on with its port, and to be named by --trusted-proxy",
        )),
        // A typed address comes from no page.
        (None, None | Some("none")) => Ok(()),
        (None, Some(_)) => Err(foreign("the request comes from a page of another site")),
    }
}

/// Does the same for the login, and for a session's requests, which have a CSRF token. They may come through a proxy
/// that drops the port from `Host`. A page at another port of the same name gains nothing: it does not know the token,
/// and could set the login's cookie anyway, since browsers give cookies to all ports of a name. A password of HTTP
/// Basic is kept for one port, so that such requests need the whole origin.
pub fn check_page(head: &Parts) -> Result<(), Reply> {
    let own = origin(head);
    let rest = text(head, "origin").and_then(|sender| sender.strip_prefix(&own));
    // Where Host has a port, no origin goes on after it like this.
    let port = rest.and_then(|rest| rest.strip_prefix(':'));
    let drops_port = port.is_some_and(|port| port.parse::<u16>().is_ok());
    match text(head, "sec-fetch-site") {
        None if drops_port => Ok(()),
        _ => check_origin(head),
    }
}

fn text<'h>(head: &'h Parts, name: &str) -> Option<&'h str> {
    let value = head.headers.get(name);
    value.map(|value| value.to_str().unwrap_or("?"))
}

fn foreign(message: &str) -> Reply {
    Reply::refusal(StatusCode::FORBIDDEN, message)
}
