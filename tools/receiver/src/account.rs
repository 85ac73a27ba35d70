//! A user's own account, with the change of the password, and the admin's view of all.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::accounts::csrf::check_form;
use crate::accounts::peer::Peer;
use crate::accounts::sessions::set_cookie;
use crate::accounts::users;
use crate::accounts::visitor::Login;
use crate::accounts::Accounts;
use crate::config::Config;
use crate::http::body::read_form;
use crate::http::fields::Fields;
use crate::http::reply::{json, Reply};
use crate::http::room;
use crate::storage::uploads::Uploads;
use crate::wire::endpoint::Endpoint;

/// The largest number of directories that are named.
const MAX_FOLDERS: u32 = 1000;

/// What a user has, and how much more there may be.
#[derive(Serialize)]
struct Account {
    /// How many uploads, finished or not.
    files: u64,
    /// The sum of their sizes.
    bytes: u64,
    /// The most bytes that the user may have; `null` without a limit.
    quota: Option<u64>,
    /// The most uploads.
    max_files: Option<u64>,
    /// How many bytes are free on the receiver's disk; `null` where that is not known.
    free: Option<u64>,
    /// The directories of the uploads.
    folders: Vec<String>,
}

/// Answers `GET /account`.
pub async fn account(State(endpoint): State<Endpoint>, head: Parts) -> Result<Response, Reply> {
    let owner = endpoint.accounts.owner(&head).await?;
    let store = &endpoint.uploads.store;
    let (files, bytes) = store.totals(&owner).await?;
    let limits = endpoint.limits();
    Ok(json(&Account {
        files,
        bytes,
        quota: limits.bytes,
        max_files: limits.records,
        free: room::free_room(),
        folders: store.folders(&owner, MAX_FOLDERS).await?,
    }))
}

/// Answers `POST /password`: gives the user another password, for which the one before is needed. All logins end but the one of
/// this request, which gets a new cookie.
pub async fn password(
    State(accounts): State<Accounts>,
    State(config): State<Arc<Config>>,
    request: Request,
) -> Result<Response, Reply> {
    let (head, body) = request.into_parts();
    let visitor = accounts.visitor(&head).await?;
    let form = read_form(&mut body.into_data_stream(), config.body_idle_timeout).await?;
    let fields = Fields::from_urlencoded(&form)?;
    check_form(&visitor, &head, fields.text("csrf"))?;
    if visitor.login == Login::None {
        let message = "there are no users, and no passwords to change";
        return Err(Reply::refusal(StatusCode::FORBIDDEN, message));
    }
    let (old, new) = (fields.required("password")?, fields.required("new")?);
    let (user, peer) = (&visitor.owner, Peer::of(&head));
    if !accounts.is_password(user, old, peer).await? {
        // Not 401: the login itself is right.
        let message = "this is not the password that you have now";
        return Err(Reply::refusal(StatusCode::FORBIDDEN, message).with_error("old_password"));
    }
    let hash = accounts.change_password(user, new).await?;
    tracing::info!("{user} has changed the password from {}", peer.address);
    let mut response = StatusCode::NO_CONTENT.into_response();
    if matches!(visitor.login, Login::Session { .. }) {
        let begun = accounts.sessions.begin(user, &hash, &head.headers).await?;
        // None if it was changed again meanwhile.
        if let Some(id) = begun {
            let cookie = set_cookie(&head.headers, &id, peer.secure);
            let cookie = HeaderValue::try_from(cookie).expect("visible ASCII");
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    Ok(response)
}

/// How many uploads are being sent by all, at most, in an admin's view.
const MAX_RUNNING: usize = 200;

/// A user in an admin's view.
#[derive(Serialize)]
struct User {
    name: String,
    admin: bool,
    tokens: i64,
    created: i64,
    files: u64,
    bytes: u64,
    quota: Option<u64>,
}

/// An upload in an admin's view.
#[derive(Serialize)]
struct Running {
    user: String,
    dir: String,
    name: String,
    size: Option<u64>,
    held: u64,
}

/// What all users have and do.
#[derive(Serialize)]
struct Overview {
    users: Vec<User>,
    running: Vec<Running>,
    free: Option<u64>,
}

/// Answers `GET /admin/overview`, for admins only.
pub async fn overview(
    State(endpoint): State<Endpoint>,
    State(uploads): State<Uploads>,
    head: Parts,
) -> Result<Response, Reply> {
    endpoint.accounts.admin(&head).await?;
    let usage = uploads.store.usage().await?;
    let quota = endpoint.limits().bytes;
    let user = |user: users::User| {
        let has = usage.iter().find(|has| has.owner == user.name);
        User {
            files: has.map_or(0, |has| has.files),
            bytes: has.map_or(0, |has| has.bytes),
            name: user.name,
            admin: user.is_admin,
            tokens: user.tokens,
            created: user.created,
            quota,
        }
    };
    let users = endpoint.accounts.users.list().await?;
    let mut running = Vec::new();
    for id in uploads.running(MAX_RUNNING).await? {
        if let Some(record) = uploads.store.find_any(&id).await? {
            running.push(Running {
                held: record.offset + record.ranges.total(),
                size: (!record.is_open).then_some(record.identity.size),
                dir: record.dir().to_owned(),
                name: record.name().to_owned(),
                user: record.identity.owner,
            });
        }
    }
    running.sort_by(|a, b| (&a.user, &a.dir, &a.name).cmp(&(&b.user, &b.dir, &b.name)));
    Ok(json(&Overview {
        users: users.into_iter().map(user).collect(),
        running,
        free: room::free_room(),
    }))
}
