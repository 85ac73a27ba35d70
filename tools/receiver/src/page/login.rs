//! The login form: for people in a browser, and for programs that fill in forms.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::accounts::guard::{guard_form, is_browser, own_page};
use crate::accounts::peer::Peer;
use crate::accounts::sessions::{clear_cookie, set_cookie};
use crate::app::App;
use crate::http::answer::Answer;
use crate::http::fields::Fields;
use crate::page;
use crate::wire::whole;

/// The longest way to go on after the login.
const MAX_NEXT: usize = 2048;

/// Shows the form.
pub async fn form(request: Request) -> Response {
    let (head, _) = request.into_parts();
    match Fields::from_urlencoded(head.uri.query().unwrap_or("").as_bytes()) {
        Ok(fields) => page(&head, &fields, None),
        Err(refusal) => refusal.into_response(),
    }
}

/// Takes it.
pub async fn log_in(State(app): State<App>, request: Request) -> Response {
    let (head, fields) = match posted(&app, request).await {
        Ok(posted) => posted,
        Err(refusal) => return refusal.into_response(),
    };
    match try_log_in(&app, &head, &fields).await {
        Ok(response) => response,
        Err(refusal) if wants_json(&head) => refusal.into_response(),
        Err(refusal) => page(&head, &fields, Some(refusal)),
    }
}

async fn try_log_in(app: &App, head: &Parts, fields: &Fields) -> Result<Response, Answer> {
    // A foreign page could log its reader in under a name of its own, and see what is uploaded.
    if is_browser(head) {
        own_page(head)?;
    }
    let (user, password) = (fields.required("user")?, fields.required("password")?);
    let peer = Peer::of(head);
    if !app
        .accounts
        .is_password(user, password, peer.address)
        .await?
    {
        let status = StatusCode::UNAUTHORIZED;
        return Err(Answer::refusal(status, "wrong name or password"));
    }
    let id = app.accounts.log_in(user, &head.headers).await?;
    tracing::info!("{user} has logged in from {}", peer.address);
    let next = own_path(fields.text("next").unwrap_or(""));
    Ok(go_on(next, &set_cookie(&id, peer.secure)))
}

/// Ends the session.
pub async fn log_out(State(app): State<App>, request: Request) -> Response {
    match try_log_out(&app, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn try_log_out(app: &App, request: Request) -> Result<Response, Answer> {
    let (head, fields) = posted(app, request).await?;
    if let Some(visitor) = app.accounts.session(&head).await? {
        guard_form(&visitor, &head, fields.text("csrf"))?;
        app.accounts.log_out(&head.headers).await?;
    }
    Ok(go_on("/login", &clear_cookie(Peer::of(&head).secure)))
}

async fn posted(app: &App, request: Request) -> Result<(Parts, Fields), Answer> {
    let (head, body) = request.into_parts();
    let mut body = body.into_data_stream();
    let text = whole(&mut body, app.config.body_idle_timeout).await?;
    Ok((head, Fields::from_urlencoded(&text)?))
}

fn go_on(to: &str, cookie: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    for (name, value) in [(header::LOCATION, to), (header::SET_COOKIE, cookie)] {
        let value = HeaderValue::from_str(value).expect("both are visible ASCII");
        headers.insert(name, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The path of this receiver that is meant; `/` where it would lead elsewhere. Browsers take a
/// backslash for a slash and drop tabs and line breaks: none of these is in a path.
fn own_path(next: &str) -> &str {
    let mut bytes = next.bytes();
    let plain = next.len() <= MAX_NEXT && bytes.all(|b| b.is_ascii_graphic() && b != b'\\');
    match plain && next.starts_with('/') && !next.starts_with("//") {
        true => next,
        false => "/",
    }
}

/// Whether a program asks that reads the answer.
fn wants_json(head: &Parts) -> bool {
    let accept = head.headers.get(header::ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok()).unwrap_or("");
    accept.contains("application/json") && !accept.contains("text/html")
}

fn page(head: &Parts, fields: &Fields, refusal: Option<Answer>) -> Response {
    let user = fields.text("user").unwrap_or("");
    let next = own_path(fields.text("next").unwrap_or(""));
    page::login(head, user, next, refusal)
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn a_login_leads_nowhere_else() {
        for own in ["/", "/uploads?after=1&x=%2F", "/a//b", "/upload#x"] {
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
            &long,
        ] {
            assert_eq!(own_path(foreign), "/", "{foreign:?}");
        }
    }
}
