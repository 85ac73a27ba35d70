//! Who is asking, and whether they may.

pub mod admin;
pub mod gate;
pub mod guard;
mod names;
mod passwords;
pub mod peer;
mod secret;
pub mod sessions;
mod signing;
mod throttle;
mod users;

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{header, HeaderValue, StatusCode};
use base64::prelude::{Engine as _, BASE64_STANDARD};
use sqlx::AnyPool;

use crate::app::App;
use crate::config::Config;
use crate::http::answer::Answer;
use crate::storage::store;
use passwords::Passwords;
use peer::Peer;
use signing::Signing;

pub use guard::guard;

/// Connections to the database, beside those of the uploads' records: nobody waits to be known while
/// bytes are made durable.
const CONNECTIONS: u32 = 4;

/// The users, and how they show who they are.
#[derive(Clone)]
pub struct Accounts {
    pool: AnyPool,
    config: Arc<Config>,
    passwords: Arc<Passwords>,
    signing: Option<Arc<Signing>>,
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The owner of what the request uploads or asks for: the user's name.
    pub owner: String,
    /// How that is known.
    pub by: Proof,
}

/// How a visitor is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// There are no users; the receiver listens on this machine only, and the owner is "".
    Nobody,
    /// HTTP Basic.
    Password,
    /// A bearer token.
    Token,
    /// The cookie that the login form gave.
    Session {
        /// What the page's own requests have to carry.
        csrf: String,
    },
}

impl Accounts {
    /// Accounts in a database whose tables are there.
    pub async fn open(url: &str, config: Arc<Config>) -> anyhow::Result<Self> {
        Ok(Self {
            pool: store::connect(url, CONNECTIONS).await?,
            passwords: Arc::new(Passwords::new()?),
            signing: Signing::new(&config)?.map(Arc::new),
            config,
        })
    }

    /// Closes the database in good order.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Who is asking; with the status 401 nobody is logged in.
pub async fn visitor(app: &App, head: &Parts) -> Result<Visitor, Answer> {
    let accounts = &app.accounts;
    // Asked each time: with the first user, even one that was just added, everybody has to log in.
    if app.config.is_local() && !accounts.any_user().await? {
        guard::from_this_machine(head)?;
        return Ok(Visitor {
            owner: String::new(),
            by: Proof::Nobody,
        });
    }
    let visitor = match head.headers.get(header::AUTHORIZATION) {
        Some(value) => by_header(accounts, head, value).await?,
        None => accounts.session(head).await?,
    };
    visitor.ok_or_else(|| unknown(head))
}

/// Whose uploads the request may ask for.
pub async fn owner(app: &App, head: &Parts) -> Result<String, Answer> {
    let visitor = visitor(app, head).await?;
    guard(&visitor, head)?;
    Ok(visitor.owner)
}

async fn by_header(
    accounts: &Accounts,
    head: &Parts,
    value: &HeaderValue,
) -> Result<Option<Visitor>, Answer> {
    let value = value.to_str().unwrap_or("");
    let (scheme, value) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        let owner = accounts.token_owner(value.trim()).await?;
        let by = Proof::Token;
        return Ok(owner.map(|owner| Visitor { owner, by }));
    }
    let credentials = scheme
        .eq_ignore_ascii_case("basic")
        .then(|| BASE64_STANDARD.decode(value.trim()).ok())
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let Some((owner, password)) = credentials.as_deref().and_then(|text| text.split_once(':'))
    else {
        return Ok(None);
    };
    let peer = Peer::of(head).address;
    let right = accounts.is_password(owner, password, peer).await?;
    Ok(right.then(|| Visitor {
        owner: owner.to_owned(),
        by: Proof::Password,
    }))
}

fn unknown(head: &Parts) -> Answer {
    let answer = Answer::refusal(
        StatusCode::UNAUTHORIZED,
        "not logged in, or with a name, password or token that is not right",
    );
    // A browser would ask for a password in a window of its own.
    match head.headers.contains_key("sec-fetch-mode") {
        true => answer,
        false => answer.with_header(header::WWW_AUTHENTICATE, "Basic realm=\"resup\""),
    }
}
