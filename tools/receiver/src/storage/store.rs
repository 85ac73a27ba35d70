//! The upload records in the database.

use std::str::FromStr;
use std::sync::Arc;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{AnyPool, Row};

use crate::storage::changes::{Change, Changes};
use crate::storage::digests::Digests;
use crate::storage::record::{Identity, Record, State};

/// Why the database could not help.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It refused or could not be reached.
    #[error("database: {0}")]
    Database(Arc<sqlx::Error>),
    /// Its tables could not be brought up to date.
    #[error("database migration: {0}")]
    Migration(Arc<sqlx::migrate::MigrateError>),
    /// The system has no random numbers.
    #[error("random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// A row holds what this program never writes.
    #[error("database: upload {id} has an unreadable {column}")]
    Unreadable {
        /// The upload.
        id: String,
        /// The column.
        column: &'static str,
    },
}

impl StoreError {
    /// Whether the database's disk is full.
    pub fn no_room(&self) -> bool {
        const SQLITE_FULL: &str = "13";
        match self {
            Self::Database(error) => match &**error {
                sqlx::Error::Database(error) => {
                    error.code().is_some_and(|code| code == SQLITE_FULL)
                }
                _ => false,
            },
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

/// Which uploads a list has.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    /// All of them.
    All,
    /// The finished ones.
    Complete,
    /// The others.
    Unfinished,
}

/// The records.
#[derive(Clone)]
pub struct Store {
    pool: AnyPool,
    changes: Changes,
}

impl Store {
    /// Opens the database and brings its tables up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        // SQLite has one writer at a time: one connection queues here and not in busy loops.
        let pool = connect(url, 1).await?;
        let migrated = sqlx::migrate!().run(&pool).await;
        migrated.map_err(|error| StoreError::Migration(Arc::new(error)))?;
        Ok(Self {
            changes: Changes::start(pool.clone()),
            pool,
        })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes the database in good order.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The owner's upload with this id.
    pub async fn find(&self, owner: &str, id: &str) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query("SELECT * FROM uploads WHERE owner = $1 AND id = $2")
            .bind(owner)
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// The upload of this file: by MD5 where the client gave one, else by modification time.
    ///
    /// A client may learn the MD5 only after its first visit: an unfinished upload without one
    /// and with the same modification time is the same file.
    pub async fn find_file(&self, file: &Identity) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM uploads
             WHERE owner = $1 AND dir = $2 AND name = $3 AND size = $4
               AND (($5 = '' AND mtime = $6)
                 OR ($5 <> '' AND (md5 = $5
                   OR (state = 'complete' AND content_md5 = $5)
                   OR (state <> 'complete' AND md5 = '' AND mtime = $6))))
             ORDER BY CASE WHEN $5 <> '' AND state = 'complete' THEN 0 ELSE 1 END,
                      CASE WHEN md5 = $5 THEN 0 ELSE 1 END,
                      changed DESC
             LIMIT 1",
        )
        .bind(&file.owner)
        .bind(&file.dir)
        .bind(&file.name)
        .bind(signed(file.size))
        .bind(&file.md5)
        .bind(&file.mtime)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(record).transpose()
    }

    /// A finished upload of the same owner with the same content.
    pub async fn find_content(&self, file: &Identity) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM uploads
             WHERE owner = $1 AND size = $2 AND content_md5 = $3 AND state = 'complete'
             LIMIT 1",
        )
        .bind(&file.owner)
        .bind(signed(file.size))
        .bind(&file.md5)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(record).transpose()
    }

    /// The owner's uploads, last changed first, from the one behind `after`.
    pub async fn list(
        &self,
        owner: &str,
        which: Which,
        after: Option<&Record>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let (changed, id) = after.map_or((i64::MAX, ""), |last| (last.changed, last.id.as_str()));
        let rows = sqlx::query(
            "SELECT * FROM uploads
             WHERE owner = $1 AND ($2 = 'all' OR ($2 = 'complete') = (state = 'complete'))
               AND (changed < $3 OR (changed = $3 AND id < $4))
             ORDER BY changed DESC, id DESC
             LIMIT $5",
        )
        .bind(owner)
        .bind(match which {
            Which::All => "all",
            Which::Complete => "complete",
            Which::Unfinished => "unfinished",
        })
        .bind(changed)
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(record).collect()
    }

    /// The upload with this id, whoever's it is.
    pub async fn find_any(&self, id: &str) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query("SELECT * FROM uploads WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// The id of another upload than `id` whose finished file has this place.
    pub async fn holder(&self, place: &str, id: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT id FROM uploads WHERE place = $1 AND id <> $2")
            .bind(place)
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get("id")).transpose()?)
    }

    /// The bytes that all files of an owner have, or are going to have.
    pub async fn taken(&self, owner: &str) -> Result<i64, StoreError> {
        let row =
            sqlx::query("SELECT SUM(CAST(size AS REAL)) AS taken FROM uploads WHERE owner = $1")
                .bind(owner)
                .fetch_one(&self.pool)
                .await?;
        // More than fits is the most.
        Ok(row.try_get::<Option<f64>, _>("taken")?.unwrap_or(0.0) as i64)
    }

    /// Unfinished uploads that have not changed since a time in milliseconds since 1970.
    pub async fn idle(&self, since: i64) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query("SELECT * FROM uploads WHERE state <> 'complete' AND changed < $1")
            .bind(since)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(record).collect()
    }

    /// Forgets an upload.
    pub async fn delete(&self, id: &str) -> Result<(), StoreError> {
        let change = Change::Delete(id.to_owned());
        self.changes.make(change).await.map(drop)
    }

    /// Takes note of a signed form's number until a time in milliseconds since 1970; `false` when it was
    /// seen before.
    pub async fn is_new(&self, nonce: &str, expires: i64) -> Result<bool, StoreError> {
        let change = Change::Nonce(nonce.to_owned(), expires);
        self.changes.make(change).await
    }

    /// Adds an upload; `false` when the same file has one already, or when its owner would have more bytes
    /// than the quota.
    pub async fn insert(&self, record: &Record, quota: Option<u64>) -> Result<bool, StoreError> {
        let change = Change::Insert(Box::new(record.clone()), quota);
        self.changes.make(change).await
    }

    /// Writes how far an upload is.
    pub async fn save(&self, record: &Record) -> Result<(), StoreError> {
        let change = Change::Save(Box::new(record.clone()));
        self.changes.make(change).await.map(drop)
    }

    /// Writes that an upload is finished, and forgets the one whose place it takes; `false`
    /// when that one has left the place, or a third one has it.
    pub async fn finish(
        &self,
        record: &Record,
        replaced: Option<String>,
    ) -> Result<bool, StoreError> {
        let change = Change::Finish(Box::new(record.clone()), replaced);
        self.changes.make(change).await
    }
}

/// Connects to a database; to SQLite with at most so many connections.
pub async fn connect(url: &str, most: u32) -> Result<AnyPool, StoreError> {
    sqlx::any::install_default_drivers();
    let options = AnyConnectOptions::from_str(url)?;
    let pool = if url.starts_with("sqlite:") {
        // They stay: only who has written SQLite's log knows which part of it is durable. All are opened now, since
        // on a full disk none can be.
        let pool = AnyPoolOptions::new()
            .min_connections(most)
            .max_connections(most)
            .idle_timeout(None)
            .max_lifetime(None);
        pool.after_connect(|connection, _| {
            Box::pin(async move {
                // FULL, so that an answered offset outlives a power cut. What is in the log
                // from before is made durable elsewhere before anyone is told of it.
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
    Ok(pool.connect_with(options).await?)
}

fn record(row: &AnyRow) -> Result<Record, StoreError> {
    let id: String = row.try_get("id")?;
    let unreadable = |column| StoreError::Unreadable {
        id: id.clone(),
        column,
    };
    let bytes =
        |column| u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| unreadable(column));
    Ok(Record {
        identity: Identity {
            owner: row.try_get("owner")?,
            dir: row.try_get("dir")?,
            name: row.try_get("name")?,
            size: bytes("size")?,
            mtime: row.try_get("mtime")?,
            md5: row.try_get("md5")?,
        },
        place: row.try_get("place")?,
        state: State::from_word(row.try_get("state")?).ok_or_else(|| unreadable("state"))?,
        held: bytes("held")?,
        digests: Digests::restore(row.try_get("midstate")?)
            .ok_or_else(|| unreadable("midstate"))?,
        created: row.try_get("created")?,
        changed: row.try_get("changed")?,
        id,
    })
}

/// A number of bytes as the database takes it.
pub fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).expect("sizes are checked when they come in")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_upload_is_replaced_only_where_it_still_is() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/records?mode=rwc", dir.path().display());
        let store = Store::open(&url).await.unwrap();
        let upload = |name: &str| {
            let identity = Identity {
                owner: "joe".to_owned(),
                dir: String::new(),
                name: name.to_owned(),
                size: 10,
                mtime: "1".to_owned(),
                md5: String::new(),
            };
            Record::new(identity).unwrap()
        };
        let finished = |record: &Record| Record {
            state: State::Complete,
            held: 10,
            place: "joe/a".to_owned(),
            ..record.clone()
        };
        let (old, new) = (upload("old"), upload("new"));
        for record in [&old, &new] {
            assert!(store.insert(record, None).await.unwrap());
        }
        assert!(store.finish(&finished(&old), None).await.unwrap());
        assert!(!store.finish(&finished(&new), None).await.unwrap());
        // It has begun afresh, and holds bytes of its own again.
        let again = Record {
            state: State::Partial,
            held: 5,
            ..old.clone()
        };
        store.save(&again).await.unwrap();
        let holder = Some(old.id.clone());
        assert!(!store.finish(&finished(&new), holder.clone()).await.unwrap());
        let kept = store.find("joe", &old.id).await.unwrap();
        assert_eq!(kept.map(|record| record.held), Some(5));
        assert!(store.finish(&finished(&old), None).await.unwrap());
        assert!(store.finish(&finished(&new), holder).await.unwrap());
        assert!(store.find("joe", &old.id).await.unwrap().is_none());
    }
}
