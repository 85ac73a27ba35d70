//! Login and logout, by a form: for people in a browser, and for programs that send it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::accounts::base::url;
use crate::accounts::csrf::{check_form, check_page, is_browser};
use crate::accounts::peer::Peer;
use crate::accounts::sessions::{clear_cookie, set_cookie};
use crate::accounts::Accounts;
use crate::config::base_path::has_dots;
use crate::config::Config;
use crate::http::body::read_form;
use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::page;

/// The largest number of bytes in the path to go to after the login.
const MAX_NEXT: usize = 2048;

/// Answers `GET /login`: shows the form.
pub async fn form(request: Request) -> Response {
    let (head, _) = request.into_parts();
    match Fields::from_urlencoded(head.uri.query().unwrap_or("").as_bytes()) {
        Ok(fields) => page(&head, &fields, None),
        Err(refusal) => refusal.into_response(),
    }
}

/// Answers `POST /login`: logs a user in.
pub async fn log_in(
    State(accounts): State<Accounts>,
    State(config): State<Arc<Config>>,
    request: Request,
) -> Response {
    let (head, fields) = match read(&config, request).await {
        Ok(form) => form,
        Err(refusal) => return refusal.into_response(),
    };
    match try_log_in(&accounts, &head, &fields).await {
        Ok(response) => response,
        Err(refusal) if wants_json(&head) => refusal.into_response(),
        Err(refusal) => page(&head, &fields, Some(refusal)),
    }
}

async fn try_log_in(accounts: &Accounts, head: &Parts, fields: &Fields) -> Result<Response, Reply> {
    // Else another site's page could log its reader in as a user of its own, and see what they upload.
    if is_browser(head) {
        check_page(head)?;
    }
    if fields.text("action").is_some() {
        let message = format!(
            "this is the login; the URL for uploads is {}",
            url(head, "/upload")
        );
        return Err(Reply::refusal(StatusCode::NOT_FOUND, message));
    }
    let (user, password) = (fields.required("user")?, fields.required("password")?);
    let peer = Peer::of(head);
    let wrong = || Reply::refusal(StatusCode::UNAUTHORIZED, "wrong name or password");
    let hash = accounts.check_password(user, password, peer).await?;
    let hash = hash.ok_or_else(wrong)?;
    let begun = accounts.sessions.begin(user, &hash, &head.headers).await?;
    // The password was changed while it was compared.
    let id = begun.ok_or_else(wrong)?;
    tracing::info!("{user} has logged in from {}", peer.address);
    let next = own_path(fields.text("next").unwrap_or(""));
    // Relative: a web server in front may show the receiver below a path.
    let next = format!(".{next}");
    Ok(redirect(
        &next,
        &set_cookie(&head.headers, &id, peer.secure),
    ))
}

/// Answers `POST /logout`: ends the session.
pub async fn log_out(
    State(accounts): State<Accounts>,
    State(config): State<Arc<Config>>,
    request: Request,
) -> Response {
    match try_log_out(&accounts, &config, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn try_log_out(
    accounts: &Accounts,
    config: &Config,
    request: Request,
) -> Result<Response, Reply> {
    let (head, fields) = read(config, request).await?;
    if let Some(visitor) = accounts.sessions.visitor(&head).await? {
        check_form(&visitor, &head, fields.text("csrf"))?;
        accounts.sessions.end(&head.headers).await?;
    }
    Ok(redirect(
        "login",
        &clear_cookie(&head.headers, Peer::of(&head).secure),
    ))
}

async fn read(config: &Config, request: Request) -> Result<(Parts, Fields), Reply> {
    let (head, body) = request.into_parts();
    let mut body = body.into_data_stream();
    let text = read_form(&mut body, config.body_idle_timeout).await?;
    Ok((head, Fields::from_urlencoded(&text)?))
}

fn redirect(to: &str, cookie: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    for (name, value) in [(header::LOCATION, to), (header::SET_COOKIE, cookie)] {
        let value = HeaderValue::from_str(value).expect("both are visible ASCII");
        headers.insert(name, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Returns `next` if it is a path on this receiver, else `/`. To browsers a backslash is a slash, and they drop tabs
/// and line breaks: a path with one of these could lead to another site. One with `..` could lead out of the path below
/// which a web server shows the receiver.
fn own_path(next: &str) -> &str {
    let mut bytes = next.bytes();
    let plain = next.len() <= MAX_NEXT && bytes.all(|b| b.is_ascii_graphic() && b != b'\\');
    let path = next.split(['?', '#']).next().unwrap_or("");
    match plain && path.starts_with('/') && !path.starts_with("//") && !has_dots(path) {
        true => next,
        false => "/",
    }
}

/// Whether a program has sent the form, and reads JSON.
fn wants_json(head: &Parts) -> bool {
    let value = head.headers.get(header::ACCEPT);
    let accept = value.and_then(|value| value.to_str().ok()).unwrap_or("");
    accept.contains("application/json") && !accept.contains("text/html")
}

fn page(head: &Parts, fields: &Fields, refusal: Option<Reply>) -> Response {
    let user = fields.text("user").unwrap_or("");
    let next = own_path(fields.text("next").unwrap_or(""));
    page::login_form(head, user, next, refusal)
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn a_login_never_leads_to_another_site() {
        for own in [
            "/",
            "/uploads?after=1&x=%2F",
            "/a//b",
            "/upload#x",
            "/a..b/.c?d=/../e#/..",
        ] {
            assert_eq!(own_path(own), own);
        }
        let long = format!("/{}", "a".repeat(2048));
        for foreign in [
            "",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n/evil",
            "\\\\evil",
            "evil",
            "/é",
            "/ x",
            "javascript:alert(1)",
            "/..",
            "/../admin",
            "/a/../../admin",
            "/./a",
            "/%2e%2E/admin",
            "/.%2e/admin",
            "/..?x",
            "/..#x",
            &long,
        ] {
            assert_eq!(own_path(foreign), "/", "{foreign:?}");
        }
    }
}
