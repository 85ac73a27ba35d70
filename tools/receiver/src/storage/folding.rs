//! Names in lower case of uploads that are older than lists by name.

use sqlx::{AnyConnection, Row};

use crate::storage::names::folded;

/// How many names are written in one transaction.
const AT_ONCE: i64 = 1000;

/// Writes those that are missing. The database's own lower case would not be that of a search: SQLite's knows ASCII only, and
/// PostgreSQL's depends on a locale.
pub async fn fold_names(database: &mut AnyConnection) -> sqlx::Result<()> {
    loop {
        let found = sqlx::query(
            "SELECT id, CASE WHEN as_name = '' THEN name ELSE as_name END AS name FROM uploads
             WHERE folded = '' ORDER BY id LIMIT $1",
        )
        .bind(AT_ONCE)
        .fetch_all(&mut *database)
        .await?;
        if found.is_empty() {
            return Ok(());
        }
        sqlx::query("BEGIN").execute(&mut *database).await?;
        for row in &found {
            let (id, name): (String, String) = (row.try_get("id")?, row.try_get("name")?);
            sqlx::query("UPDATE uploads SET folded = $2 WHERE id = $1")
                .bind(id)
                .bind(folded(&name))
                .execute(&mut *database)
                .await?;
        }
        sqlx::query("COMMIT").execute(&mut *database).await?;
    }
}
