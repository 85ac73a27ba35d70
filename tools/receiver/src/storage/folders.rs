//! The directories that an owner has uploaded to, and how much each owner has.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use crate::storage::error::StoreError;
use crate::storage::list::DIR;
use crate::storage::store::{totals, Store};

/// How much an owner has.
pub struct Usage {
    /// The owner.
    pub owner: String,
    /// The number of uploads, finished or not.
    pub files: u64,
    /// The sum of their sizes.
    pub bytes: u64,
}

impl Store {
    /// Lists directories of an owner's uploads in the order of their bytes, at most `limit`. It reads one row of each, whatever is in
    /// it.
    pub async fn folders(&self, owner: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "WITH RECURSIVE found(path, number) AS (
               SELECT (SELECT {DIR} FROM uploads WHERE owner = $1 ORDER BY {DIR} LIMIT 1), CAST(1 AS BIGINT)
               UNION ALL
               SELECT (SELECT {DIR} FROM uploads WHERE owner = $1 AND {DIR} > found.path ORDER BY {DIR} LIMIT 1),
                      number + 1
               FROM found WHERE found.path IS NOT NULL AND number <= $2
             )
             SELECT path AS dir FROM found WHERE path <> '' ORDER BY number"
        )))
        .bind(owner)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        let dir = |row: &AnyRow| Ok(row.try_get("dir")?);
        rows.iter().map(dir).collect()
    }

    /// Tells what each owner has, but for what is gone.
    pub async fn usage(&self) -> Result<Vec<Usage>, StoreError> {
        let rows = sqlx::query("SELECT owner, records, high, low FROM totals")
            .fetch_all(&self.readers)
            .await?;
        let usage = |row: &AnyRow| {
            let (files, bytes) = totals(row)?;
            let owner = row.try_get("owner")?;
            Ok(Usage {
                owner,
                files,
                bytes,
            })
        };
        rows.iter().map(usage).collect()
    }
}
