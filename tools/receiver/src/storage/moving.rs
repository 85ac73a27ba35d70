//! The move of all records from one database to another one.
//!
//! The rows are copied in one transaction and read again before it is committed. The source is read in one transaction, too,
//! and stays as it is. Leases and counts of wrong passwords of several receivers are not copied: no receiver runs, and the counts
//! are forgotten in half an hour.

use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::{AnyConnection, AssertSqlSafe, Column, Connection, Row};

use crate::storage::database::{Database, Kind, PATIENCE};
use crate::storage::error::StoreError;

/// The tables, with the column that orders their rows, and what a row is called: one, several.
const TABLES: [(&str, &str, &str, &str); 8] = [
    ("uploads", "id", "upload", "uploads"),
    ("users", "name", "user", "users"),
    ("tokens", "id", "token", "tokens"),
    ("sessions", "hash", "login", "logins"),
    ("nonces", "nonce", "form's nonce", "forms' nonces"),
    ("events", "id", "event", "events"),
    (
        "deliveries",
        "event",
        "delivery to a hook",
        "deliveries to a hook",
    ),
    (CLOCK, "id", "time of the last search", "times"),
];
/// The table that a receiver fills without any request.
const CLOCK: &str = "clock";

/// A reason why the records were not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A database failed.
    #[error("the database {0}: {1}")]
    Store(String, StoreError),
    /// The target is not empty.
    #[error("the database {0} has records already, in its table '{1}': give an empty one; nothing was moved")]
    NotEmpty(String, &'static str),
    /// The copy is not the same.
    #[error("the rows of '{0}' are not the same in both databases: nothing was moved")]
    Different(&'static str),
    /// Both are one.
    #[error("--from and --to are the same database")]
    Same,
}

/// How many rows there are, and their digest.
#[derive(Default)]
struct Rows {
    count: u64,
    digest: Sha256,
}

/// The database that failed.
enum Side {
    Source,
    Target,
}

/// A value of a column.
enum Value {
    Text(String),
    Number(i64),
}

/// Moves all records. Returns what it has moved, in words.
pub async fn run(from: &Database, to: &Database) -> Result<String, MoveError> {
    if from.name() == to.name() {
        return Err(MoveError::Same);
    }
    let failed = |database: &Database| {
        let name = database.name().to_owned();
        move |error: StoreError| MoveError::Store(name, error)
    };
    let mut source = open(from).await.map_err(failed(from))?;
    let mut target = open(to).await.map_err(failed(to))?;
    // Of all tables as they are at one time.
    let begin = match from.kind() {
        Kind::Sqlite => "BEGIN",
        Kind::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ",
    };
    execute(&mut source, begin).await.map_err(failed(from))?;
    execute(&mut target, "BEGIN").await.map_err(failed(to))?;
    for (table, ..) in TABLES.iter().filter(|(table, ..)| *table != CLOCK) {
        let query = format!("SELECT 1 FROM {table} LIMIT 1");
        let found = sqlx::query(AssertSqlSafe(query))
            .fetch_optional(&mut target)
            .await;
        if found.map_err(|error| failed(to)(error.into()))?.is_some() {
            return Err(MoveError::NotEmpty(to.name().to_owned(), table));
        }
    }
    let delete = "DELETE FROM clock";
    execute(&mut target, delete).await.map_err(failed(to))?;
    for statement in before_copy(to.kind()) {
        execute(&mut target, statement).await.map_err(failed(to))?;
    }
    let mut moved = Vec::new();
    for (table, key, one, several) in TABLES {
        let copied = copy(&mut source, &mut target, (table, key)).await;
        let copied = copied.map_err(|(side, error)| match side {
            Side::Source => failed(from)(error),
            Side::Target => failed(to)(error),
        })?;
        let there = read(&mut target, table, key).await.map_err(failed(to))?;
        if !copied.are(&there) {
            return Err(MoveError::Different(table));
        }
        if table != CLOCK {
            let name = if copied.count == 1 { one } else { several };
            moved.push(format!("{} {name}", copied.count));
        }
    }
    for statement in after_copy(to.kind()) {
        execute(&mut target, statement).await.map_err(failed(to))?;
    }
    execute(&mut target, "COMMIT").await.map_err(failed(to))?;
    for connection in [source, target] {
        let _ = connection.close().await;
    }
    Ok(format!(
        "moved {} from {from} to {to}; counts and digests of the rows are the same\n\
         the old records are still in {from}, which no receiver may use with this data directory any more; start it with \
         --database {to}\n",
        moved.join(", "),
        from = from.name(),
        to = to.name()
    ))
}

/// In PostgreSQL each row would leave a version of its owner's total, and the next row would go through all of them: totals are
/// made when all rows are there.
fn before_copy(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Sqlite => &[],
        Kind::Postgres => &["ALTER TABLE uploads DISABLE TRIGGER uploads_counted"],
    }
}

fn after_copy(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Sqlite => &[],
        Kind::Postgres => &[
            "DELETE FROM totals",
            "INSERT INTO totals (owner, records, high, low)
             SELECT owner, COUNT(*), SUM(size >> 32), SUM(size & 4294967295) FROM uploads WHERE gone = 0 GROUP BY owner",
            "ALTER TABLE uploads ENABLE TRIGGER uploads_counted",
            // Else the first requests would search without an index, until PostgreSQL has counted by itself.
            "ANALYZE",
        ],
    }
}

/// Opens a database that no receiver uses.
async fn open(database: &Database) -> Result<AnyConnection, StoreError> {
    let mut connection = database.connect_alone(PATIENCE).await?;
    database.migrate(&mut connection).await?;
    if database.kind() == Kind::Sqlite {
        // Nothing else tells that a receiver with another data directory has it. This needs the file for itself, and then a
        // receiver that is started meanwhile fails in the same way. The next start sets WAL again.
        let query = sqlx::query("PRAGMA journal_mode = DELETE");
        let is_alone = match query.fetch_one(&mut connection).await {
            Ok(row) => row.try_get::<String, _>(0)? == "delete",
            Err(error) => {
                let error = StoreError::from(error);
                if !error.is_busy() {
                    return Err(error);
                }
                false
            }
        };
        if !is_alone {
            return Err(StoreError::InUse(database.name().to_owned()));
        }
    }
    Ok(connection)
}

async fn execute(
    connection: &mut AnyConnection,
    statement: &'static str,
) -> Result<(), StoreError> {
    sqlx::query(statement).execute(connection).await?;
    Ok(())
}

/// Copies the rows of a table. Returns those that were read, or which database failed.
async fn copy(
    source: &mut AnyConnection,
    target: &mut AnyConnection,
    (table, key): (&str, &str),
) -> Result<Rows, (Side, StoreError)> {
    let mut rows = Rows::default();
    let query = format!("SELECT * FROM {table} ORDER BY {key}");
    let mut found = sqlx::query(AssertSqlSafe(query)).fetch(source);
    let from = |error: sqlx::Error| (Side::Source, error.into());
    let to = |error: sqlx::Error| (Side::Target, error.into());
    while let Some(row) = found.try_next().await.map_err(from)? {
        let values = values(&row).map_err(from)?;
        rows.add(&values);
        let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
        let places: Vec<_> = (1..=names.len())
            .map(|number| format!("${number}"))
            .collect();
        let (names, places) = (names.join(", "), places.join(", "));
        let insert = format!("INSERT INTO {table} ({names}) VALUES ({places})");
        let mut insert = sqlx::query(AssertSqlSafe(insert));
        for (_, value) in values {
            insert = match value {
                Value::Text(text) => insert.bind(text),
                Value::Number(number) => insert.bind(number),
            };
        }
        insert.execute(&mut *target).await.map_err(to)?;
    }
    Ok(rows)
}

/// Reads the rows of a table.
async fn read(database: &mut AnyConnection, table: &str, key: &str) -> Result<Rows, StoreError> {
    let mut rows = Rows::default();
    let query = format!("SELECT * FROM {table} ORDER BY {key}");
    let mut found = sqlx::query(AssertSqlSafe(query)).fetch(database);
    while let Some(row) = found.try_next().await? {
        rows.add(&values(&row)?);
    }
    Ok(rows)
}

/// Gives the values of a row, in the order of their columns' names.
fn values(row: &AnyRow) -> sqlx::Result<Vec<(&str, Value)>> {
    let mut values = Vec::new();
    for column in row.columns() {
        let at = column.ordinal();
        let value = match column.type_info().kind() {
            AnyTypeInfoKind::Text => Value::Text(row.try_get(at)?),
            _ => Value::Number(row.try_get(at)?),
        };
        values.push((column.name(), value));
    }
    values.sort_by_key(|(name, _)| *name);
    Ok(values)
}

impl Rows {
    fn add(&mut self, values: &[(&str, Value)]) {
        self.count += 1;
        for (name, value) in values {
            let (kind, value) = match value {
                Value::Text(text) => ("text", text.clone()),
                Value::Number(number) => ("number", number.to_string()),
            };
            for part in [name, kind, &*value] {
                self.digest.update((part.len() as u64).to_le_bytes());
                self.digest.update(part);
            }
        }
    }

    fn are(&self, others: &Self) -> bool {
        let digest = |rows: &Self| rows.digest.clone().finalize();
        self.count == others.count && digest(self) == digest(others)
    }
}
