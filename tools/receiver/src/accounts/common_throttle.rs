//! The [limit for wrong passwords](super::throttle) where several receivers have one: the counts are in their database.

use std::net::IpAddr;
use std::time::Duration;

use sqlx::{Any, Row, Transaction};

use crate::accounts::secret;
use crate::accounts::throttle::{network, wait, FORGET_AFTER};
use crate::storage::error::StoreError;
use crate::storage::pool::Pool;

/// The counts of wrong passwords.
pub struct CommonThrottle {
    pool: Pool,
}

/// The keys that an attempt is counted under: for the user's name, and for the address unless many people share it.
#[derive(Debug, Clone)]
pub struct Attempt(Vec<String>);

impl CommonThrottle {
    /// Uses the counts in a database.
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Counts an attempt as a failure, as [`Throttle`](super::throttle::Throttle) does. The error inside is the time to wait.
    pub async fn begin(
        &self,
        user: &str,
        peer: Option<IpAddr>,
    ) -> Result<Result<Attempt, Duration>, StoreError> {
        let mut keys = vec![secret::hash(&format!("user {user}"))];
        keys.extend(peer.map(|peer| secret::hash(&format!("network {}", network(peer)))));
        let mut transaction = self.pool.begin().await?;
        let mut longest = Duration::ZERO;
        for (kind, key) in keys.iter().enumerate() {
            let (failures, age) = count(&mut transaction, key).await?;
            longest = longest.max(wait(kind, failures, age));
        }
        if !longest.is_zero() {
            transaction.rollback().await?;
            return Ok(Err(longest));
        }
        transaction.commit().await?;
        Ok(Ok(Attempt(keys)))
    }

    /// Takes an attempt back, because the password was `right` or was not checked.
    pub async fn take_back(&self, attempt: Attempt, right: bool) -> Result<(), StoreError> {
        for (kind, key) in attempt.0.into_iter().enumerate() {
            // The address's other failures stay: a user could try the passwords of others.
            let taken = match right && kind == 0 {
                true => i64::from(u32::MAX),
                false => 1,
            };
            sqlx::query("UPDATE failures SET count = GREATEST(count - $2, 0) WHERE hash = $1")
                .bind(key)
                .bind(taken)
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }
}

/// Counts a failure. Returns how many there were before, and how long ago the last one was. The row stays locked to the end of
/// the transaction, so that attempts at once do not get around the limit.
async fn count(
    transaction: &mut Transaction<'static, Any>,
    key: &str,
) -> Result<(u32, Duration), StoreError> {
    let row = sqlx::query(
        "INSERT INTO failures (hash, count, last) VALUES ($1, 0, 0)
         ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash
         RETURNING count, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now, last",
    )
    .bind(key)
    .fetch_one(&mut **transaction)
    .await?;
    let (count, now): (i64, i64) = (row.try_get("count")?, row.try_get("now")?);
    let age =
        Duration::from_millis(u64::try_from(now - row.try_get::<i64, _>("last")?).unwrap_or(0));
    let failures = match age < FORGET_AFTER {
        true => u32::try_from(count).unwrap_or(u32::MAX),
        false => 0,
    };
    sqlx::query("UPDATE failures SET count = $2, last = $3 WHERE hash = $1")
        .bind(key)
        .bind(i64::from(failures) + 1)
        .bind(now)
        .execute(&mut **transaction)
        .await?;
    Ok((failures, age))
}
