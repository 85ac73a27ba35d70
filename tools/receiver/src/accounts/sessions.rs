//! Logins by the form, each known by its cookie.

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{header, HeaderMap};
use sqlx::Row;

use crate::accounts::{secret, Accounts, Proof, Visitor};
use crate::storage::changes::now;
use crate::storage::store::StoreError;

const COOKIE: &str = "resup_session";

/// How seldom a session's last use is written down, as a part of the time that it may be idle.
const NOTED: i64 = 20;

impl Accounts {
    /// Begins a session and returns its id, which only the browser keeps.
    pub async fn log_in(&self, owner: &str, old: &HeaderMap) -> Result<String, StoreError> {
        self.log_out(old).await?;
        let (idle, lifetime) = self.limits();
        sqlx::query("DELETE FROM sessions WHERE seen <= $1 OR created <= $2")
            .bind(now() - idle)
            .bind(now() - lifetime)
            .execute(&self.pool)
            .await?;
        let id = secret::random()?;
        sqlx::query("INSERT INTO sessions (hash, owner, created, seen) VALUES ($1, $2, $3, $3)")
            .bind(secret::hash(&id))
            .bind(owner)
            .bind(now())
            .execute(&self.pool)
            .await?;
        Ok(id)
    }

    /// Ends the session that the request belongs to, if any.
    pub async fn log_out(&self, headers: &HeaderMap) -> Result<(), StoreError> {
        if let Some(id) = cookie(headers) {
            let done = sqlx::query("DELETE FROM sessions WHERE hash = $1");
            done.bind(secret::hash(id)).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Who is logged in.
    pub async fn session(&self, head: &Parts) -> Result<Option<Visitor>, StoreError> {
        let Some(id) = cookie(&head.headers) else {
            return Ok(None);
        };
        let (idle, lifetime) = self.limits();
        let hash = secret::hash(id);
        let row = sqlx::query(
            "SELECT owner, seen FROM sessions WHERE hash = $1 AND seen > $2 AND created > $3",
        )
        .bind(&hash)
        .bind(now() - idle)
        .bind(now() - lifetime)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        if now() - row.try_get::<i64, _>("seen")? > idle / NOTED {
            let noted = sqlx::query("UPDATE sessions SET seen = $2 WHERE hash = $1")
                .bind(&hash)
                .bind(now())
                .execute(&self.pool)
                .await;
            // It may be the full disk that somebody comes to clear.
            if let Err(error) = noted {
                tracing::warn!("cannot note a session's use: {error}");
            }
        }
        Ok(Some(Visitor {
            owner: row.try_get("owner")?,
            by: Proof::Session { csrf: csrf(id) },
        }))
    }

    /// How long a session may be idle, and live, in milliseconds.
    fn limits(&self) -> (i64, i64) {
        let milliseconds = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        (
            milliseconds(self.config.session_idle),
            milliseconds(self.config.session_lifetime),
        )
    }
}

/// What a page's own requests carry and nobody else can know. It tells nothing of the id.
fn csrf(id: &str) -> String {
    secret::hash(&format!("csrf {id}"))
}

/// The header's value that gives a browser its session.
pub fn set_cookie(id: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax{secure}")
}

/// The header's value that takes it away.
pub fn clear_cookie(secure: bool) -> String {
    format!("{}; Max-Age=0", set_cookie("", secure))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == COOKIE && !value.is_empty()).then_some(value))
}
