//! Logins by the form, each with a cookie.

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{header, HeaderMap};
use sqlx::Row;

use crate::accounts::secret;
use crate::accounts::visitor::{Login, Visitor};
use crate::storage::database::now;
use crate::storage::error::StoreError;
use crate::storage::pool::{begin_alone, Pool};

const COOKIE: &str = "resup_session";

/// A session's last use is saved when it is older than this part of the idle time.
const SAVE_PART: i64 = 20;

/// The sessions in the database.
#[derive(Clone)]
pub struct Sessions {
    pool: Pool,
    /// The longest time without a request, in milliseconds.
    idle: i64,
    /// The longest time in all, in milliseconds.
    lifetime: i64,
}

impl Sessions {
    /// Uses the sessions in a database. They end after `idle` without a request, and after `lifetime`.
    pub fn new(pool: Pool, idle: Duration, lifetime: Duration) -> Self {
        let milliseconds = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Self {
            pool,
            idle: milliseconds(idle),
            lifetime: milliseconds(lifetime),
        }
    }

    /// Begins a session in place of the request's old one. Returns its id, which only the browser keeps; `None` when the
    /// user has another password by now than the one with this hash, or was removed.
    pub async fn begin(
        &self,
        owner: &str,
        password: &str,
        old: &HeaderMap,
    ) -> Result<Option<String>, StoreError> {
        self.end(old).await?;
        sqlx::query("DELETE FROM sessions WHERE seen <= $1 OR created <= $2")
            .bind(now() - self.idle)
            .bind(now() - self.lifetime)
            .execute(&self.pool)
            .await?;
        let id = secret::random()?;
        // The password is not being changed meanwhile, which would end all sessions but this one.
        let mut transaction = begin_alone(&self.pool).await?;
        let done = sqlx::query(
            "INSERT INTO sessions (hash, owner, created, seen)
             SELECT $1, name, $3, $3 FROM users WHERE name = $2 AND password = $4",
        )
        .bind(secret::hash(&id))
        .bind(owner)
        .bind(now())
        .bind(password)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok((done.rows_affected() == 1).then_some(id))
    }

    /// Ends the session of a request, if it has one.
    pub async fn end(&self, headers: &HeaderMap) -> Result<(), StoreError> {
        if let Some(id) = cookie(headers) {
            let query = sqlx::query("DELETE FROM sessions WHERE hash = $1");
            query.bind(secret::hash(id)).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Finds the user whose session a request belongs to.
    pub async fn visitor(&self, head: &Parts) -> Result<Option<Visitor>, StoreError> {
        let Some(id) = cookie(&head.headers) else {
            return Ok(None);
        };
        let hash = secret::hash(id);
        let row = sqlx::query(
            "SELECT owner, seen FROM sessions WHERE hash = $1 AND seen > $2 AND created > $3",
        )
        .bind(&hash)
        .bind(now() - self.idle)
        .bind(now() - self.lifetime)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        if now() - row.try_get::<i64, _>("seen")? > self.idle / SAVE_PART {
            let saved = sqlx::query("UPDATE sessions SET seen = $2 WHERE hash = $1")
                .bind(&hash)
                .bind(now())
                .execute(&self.pool)
                .await;
            // The login works all the same: the disk may be full, and the user may come to delete files.
            if let Err(error) = saved {
                tracing::warn!("cannot save the time of a session's last use: {error}");
            }
        }
        Ok(Some(Visitor {
            owner: row.try_get("owner")?,
            login: Login::Session { csrf: csrf(id) },
        }))
    }
}

/// Makes a session's CSRF token from its id. The id cannot be computed from it.
fn csrf(id: &str) -> String {
    secret::hash(&format!("csrf {id}"))
}

/// Writes the `Set-Cookie` value that gives a browser its session. `headers` are those of the login. Without a path,
/// the cookie is for the directory of the login's URL, as the browser sees it.
pub fn set_cookie(headers: &HeaderMap, id: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!(
        "{}={id}; HttpOnly; SameSite=Lax{secure}",
        cookie_name(headers)
    )
}

/// Writes the `Set-Cookie` value that removes the session's cookie.
pub fn clear_cookie(headers: &HeaderMap, secure: bool) -> String {
    format!("{}; Max-Age=0", set_cookie(headers, "", secure))
}

/// Returns the cookie's name. A browser gives the same cookies to all ports of a host, where other receivers may be:
/// the name has the port.
fn cookie_name(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or("");
    match host
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse::<u16>().ok())
    {
        // Not of a bracketed address, whose last part ends with the bracket.
        Some(port) => format!("{COOKIE}_{port}"),
        None => COOKIE.to_owned(),
    }
}

/// Finds the session's cookie. Browsers send first the one with the longest path, which is this receiver's.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let own = cookie_name(headers);
    let lines = headers.get_all(header::COOKIE).iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == own && !value.is_empty()).then_some(value))
}
