//! Connections to the database, and numbers and times as it takes them.

use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::AnyPool;

/// Connects to a database; with at most `limit` connections if it is SQLite.
pub async fn connect(url: &str, limit: u32) -> sqlx::Result<AnyPool> {
    sqlx::any::install_default_drivers();
    let options = AnyConnectOptions::from_str(url)?;
    let pool = if url.starts_with("sqlite:") {
        // Connections stay open: only the one that wrote to SQLite's log knows which part of it is durable.
        // All are opened now, since none can be opened on a full disk.
        let pool = AnyPoolOptions::new()
            .min_connections(limit)
            .max_connections(limit)
            .idle_timeout(None)
            .max_lifetime(None)
            // A connection to a file cannot be lost. The test is one more way to its thread and back.
            .test_before_acquire(false);
        pool.after_connect(|connection, _| {
            Box::pin(async move {
                // FULL, so that a confirmed offset survives a power cut. The checkpoint makes durable what an
                // earlier process left in the log, before any client is told of it.
                for pragma in [
                    "PRAGMA busy_timeout = 10000",
                    "PRAGMA journal_mode = WAL",
                    "PRAGMA synchronous = FULL",
                    "PRAGMA wal_checkpoint(TRUNCATE)",
                ] {
                    sqlx::query(pragma).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
    } else {
        AnyPoolOptions::new()
    };
    pool.connect_with(options).await
}

/// Converts a number of bytes to what the database takes.
pub fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).expect("sizes are checked when they arrive")
}

/// Returns the time in milliseconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}
