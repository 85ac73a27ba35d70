//! Who sends a request, and what they may do.
//!
//! The database is asked for each request, so that the commands work while a receiver is running.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`visitor`] | the sender of a request, and how they are logged in |
//! | [`csrf`] | refusal of requests that another site's page has made |
//! | [`form_check`] | checks of a form's fields: the user and the signature |
//! | [`signing`] | the signature |
//! | [`sessions`] | logins by the form, each with a cookie |
//! | [`passwords`] | the check of passwords |
//! | `hash` | their slow hash |
//! | [`throttle`] | a limit for wrong passwords |
//! | `common_throttle` | the same limit at several receivers |
//! | [`users`] | users and tokens in the database |
//! | [`names`] | which names users may have |
//! | [`peer`] | the address that a request comes from, also through a proxy |
//! | [`base`] | the path below which a web server in front shows the receiver |
//! | [`forwarded`] | what proxies write about the client |
//! | `this_machine` | the rule for requests where there are no users |
//! | [`secret`] | random secrets |
//! | [`admin`] | the commands that manage users and tokens |

pub mod admin;
pub mod base;
mod common_throttle;
pub mod csrf;
pub mod form_check;
pub mod forwarded;
mod hash;
mod names;
mod passwords;
pub mod peer;
mod secret;
pub mod sessions;
pub mod signing;
mod this_machine;
mod throttle;
pub mod users;
pub mod visitor;

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{header, HeaderValue, StatusCode};
use base64::prelude::{Engine as _, BASE64_STANDARD};
use prometheus_client::metrics::counter::Counter;

use crate::config::Config;
use crate::connections::Client;
use crate::http::reply::{excerpt, Reply};
use crate::storage::database::Database;
use base::url;
use passwords::Passwords;
use peer::Peer;
use sessions::Sessions;
use signing::Signing;
use users::Users;
use visitor::{Login, Visitor};

/// How many connections to the database accounts have. They are not those of the upload records, so that
/// a login does not wait for a commit.
const CONNECTIONS: u32 = 4;

/// The users, and all ways to log in.
#[derive(Clone)]
pub struct Accounts {
    /// The users and their tokens.
    pub users: Users,
    /// The logins by the form.
    pub sessions: Sessions,
    passwords: Arc<Passwords>,
    /// Counts wrong passwords and tokens.
    pub failed_logins: Counter,
    /// The signature that programs' forms need, if they need one.
    pub signing: Option<Arc<Signing>>,
    /// Whether nobody has to log in while there are no users.
    is_local: bool,
    /// Whether, without users, requests through a proxy are taken.
    proxy_without_login: bool,
}

impl Accounts {
    /// Opens the accounts in a database whose tables are there.
    pub async fn open(database: &Database, config: &Config) -> anyhow::Result<Self> {
        let pool = database.pool(CONNECTIONS).await?;
        Ok(Self {
            sessions: Sessions::new(pool.clone(), config.session_idle, config.session_lifetime),
            passwords: Arc::new(Passwords::new(database.is_shared().then(|| pool.clone()))?),
            users: Users::new(pool),
            failed_logins: Counter::default(),
            signing: Signing::new(config)?.map(Arc::new),
            is_local: config.is_local(),
            proxy_without_login: config.proxy_without_login,
        })
    }

    /// Closes all connections to the database.
    pub async fn close(&self) {
        self.users.close().await;
    }

    /// Finds out who sends a request. Status 401 says that nobody is logged in.
    pub async fn visitor(&self, head: &Parts) -> Result<Visitor, Reply> {
        let visitor = self.find_visitor(head).await?;
        if let Some(client) = head.extensions.get::<Client>() {
            client.log_in(&visitor.owner)?;
        }
        Ok(visitor)
    }

    async fn find_visitor(&self, head: &Parts) -> Result<Visitor, Reply> {
        // Asked each time: from the first user on, also one that was just added, everybody has to log in.
        if self.is_local && !self.users.any().await? {
            if !self.proxy_without_login {
                this_machine::check(head)?;
            }
            return Ok(Visitor {
                owner: String::new(),
                login: Login::None,
            });
        }
        let visitor = match head.headers.get(header::AUTHORIZATION) {
            Some(value) => self.by_header(head, value).await?,
            None => self.sessions.visitor(head).await?,
        };
        visitor.ok_or_else(|| not_logged_in(head))
    }

    /// Finds out whose uploads a request may use, and checks that no other site has made it.
    pub async fn owner(&self, head: &Parts) -> Result<String, Reply> {
        let visitor = self.visitor(head).await?;
        csrf::check(&visitor, head)?;
        Ok(visitor.owner)
    }

    /// Whether this is the user's password.
    pub async fn is_password(&self, user: &str, password: &str, peer: Peer) -> Result<bool, Reply> {
        let hash = self.check_password(user, password, peer).await?;
        Ok(hash.is_some())
    }

    /// Returns the stored hash of the user's password, if this is the password.
    pub async fn check_password(
        &self,
        user: &str,
        password: &str,
        peer: Peer,
    ) -> Result<Option<String>, Reply> {
        let stored = self.users.password(user).await?;
        let checked = self.passwords.check(user, password, stored.clone(), peer);
        let is_right = checked.await?;
        if !is_right {
            self.failed_logins.inc();
            let user = excerpt(user);
            tracing::warn!(client = %peer.address, user = %user, "wrong name or password");
        }
        Ok(stored.filter(|_| is_right))
    }

    /// Finds out who the admin is that sends a request. Others are refused.
    pub async fn admin(&self, head: &Parts) -> Result<Visitor, Reply> {
        let visitor = self.visitor(head).await?;
        csrf::check(&visitor, head)?;
        match self.users.is_admin(&visitor.owner).await? {
            true => Ok(visitor),
            false => Err(Reply::refusal(
                StatusCode::FORBIDDEN,
                "this is for admins only; 'resup-receiver user admin NAME' makes a user one",
            )),
        }
    }

    /// Gives a user another password, and ends all logins. Returns its hash. The error says what is wrong with it.
    pub async fn change_password(&self, user: &str, new: &str) -> Result<String, Reply> {
        passwords::check(new).map_err(|why| Reply::bad_request(why).with_error("password"))?;
        let hash = self.passwords.hash(new.to_owned()).await?;
        match self.users.set_password(user, &hash).await? {
            true => Ok(hash),
            false => Err(Reply::refusal(
                StatusCode::FORBIDDEN,
                "this user was removed meanwhile",
            )),
        }
    }

    async fn by_header(&self, head: &Parts, value: &HeaderValue) -> Result<Option<Visitor>, Reply> {
        let value = value.to_str().unwrap_or("");
        let (scheme, value) = value.split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("bearer") {
            let owner = self.users.token_owner(value.trim()).await?;
            if owner.is_none() {
                self.failed_logins.inc();
                tracing::warn!(client = %Peer::of(head).address, "wrong token");
            }
            let login = Login::Token;
            return Ok(owner.map(|owner| Visitor { owner, login }));
        }
        let credentials = scheme
            .eq_ignore_ascii_case("basic")
            .then(|| BASE64_STANDARD.decode(value.trim()).ok())
            .flatten()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = credentials.as_deref().and_then(|text| text.split_once(':'));
        let Some((owner, password)) = pair else {
            return Ok(None);
        };
        let is_right = self.is_password(owner, password, Peer::of(head)).await?;
        Ok(is_right.then(|| Visitor {
            owner: owner.to_owned(),
            login: Login::Password,
        }))
    }
}

fn not_logged_in(head: &Parts) -> Reply {
    let message = match head.headers.contains_key(header::AUTHORIZATION) {
        true => "not logged in: the name, password or token is not right".to_owned(),
        false => format!(
            "not logged in: give a name and password (HTTP Basic), a token, or log in by the form at {}",
            url(head, "/login")
        ),
    };
    let reply = Reply::refusal(StatusCode::UNAUTHORIZED, message);
    // With this header a browser would open a window of its own and ask for a password.
    match head.headers.contains_key("sec-fetch-mode") {
        true => reply,
        false => reply.with_header(header::WWW_AUTHENTICATE, "Basic realm=\"resup\""),
    }
}
