//! Changes of the records: all that wait while one is being made durable go together into the
//! next transaction.

use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{AnyConnection, AnyPool};
use tokio::sync::{mpsc, oneshot};

use crate::storage::failpoint;
use crate::storage::record::{Record, State};
use crate::storage::store::{signed, StoreError};

/// The most changes in one transaction.
const GROUP: usize = 256;

/// A change.
pub enum Change {
    /// A new upload, unless the same file has one or the owner would go over this quota.
    Insert(Box<Record>, Option<u64>),
    /// How far an upload is.
    Save(Box<Record>),
    /// The end of an upload, unless another one has its place; the upload with this id gives it up, unless it
    /// has left it already.
    Finish(Box<Record>, Option<String>),
    /// An upload goes.
    Delete(String),
    /// A signed form's number, until then, unless it was seen before.
    Nonce(String, i64),
}

/// Where changes are made.
#[derive(Clone)]
pub struct Changes {
    queue: mpsc::Sender<Waiting>,
}

struct Waiting {
    change: Change,
    done: oneshot::Sender<Result<bool, StoreError>>,
}

impl Changes {
    /// Starts the task that makes them.
    pub fn start(pool: AnyPool) -> Self {
        let (queue, waiting) = mpsc::channel(GROUP);
        tokio::spawn(work(pool, waiting));
        Self { queue }
    }

    /// Makes a change, durably; says whether there was something to change.
    pub async fn make(&self, change: Change) -> Result<bool, StoreError> {
        let (done, made) = oneshot::channel();
        let waiting = Waiting { change, done };
        // The task ends with the last of its clients only.
        self.queue
            .send(waiting)
            .await
            .map_err(|_| sqlx::Error::PoolClosed)?;
        made.await.map_err(|_| sqlx::Error::PoolClosed)?
    }
}

async fn work(pool: AnyPool, mut queue: mpsc::Receiver<Waiting>) {
    let (mut changes, mut transactions) = (0, 0);
    let mut group = Vec::new();
    while queue.recv_many(&mut group, GROUP).await > 0 {
        changes += group.len();
        transactions += 1;
        tracing::debug!("{changes} changes in {transactions} transactions");
        match together(&pool, &group).await {
            Ok(made) => {
                for (waiting, made) in group.drain(..).zip(made) {
                    let _ = waiting.done.send(Ok(made));
                }
            }
            Err(error) => {
                let error = StoreError::from(error);
                for waiting in group.drain(..) {
                    let _ = waiting.done.send(Err(error.clone()));
                }
            }
        }
    }
}

/// Makes all of the changes, or none.
///
/// Not by sqlx's transactions: when a commit fails, SQLite has left the transaction, which sqlx does
/// not see. It counts on, and makes of the next ones savepoints inside one that nobody commits.
async fn together(pool: &AnyPool, group: &[Waiting]) -> sqlx::Result<Vec<bool>> {
    let mut connection = pool.acquire().await?;
    let made = transact(&mut connection, group).await;
    if made.is_err() {
        // Fails where SQLite has done it already.
        let _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
    }
    made
}

async fn transact(database: &mut AnyConnection, group: &[Waiting]) -> sqlx::Result<Vec<bool>> {
    sqlx::query("BEGIN").execute(&mut *database).await?;
    let mut made = Vec::with_capacity(group.len());
    for waiting in group {
        made.push(make(database, &waiting.change).await?);
    }
    failpoint::hit("before-commit");
    sqlx::query("COMMIT").execute(database).await?;
    failpoint::hit("after-group");
    Ok(made)
}

async fn make(database: &mut AnyConnection, change: &Change) -> sqlx::Result<bool> {
    match change {
        Change::Insert(record, quota) => insert(database, record, *quota).await,
        Change::Save(record) => save(database, record).await,
        Change::Finish(record, replaced) => {
            if let Some(replaced) = replaced {
                let done = sqlx::query("DELETE FROM uploads WHERE id = $1 AND place = $2")
                    .bind(replaced)
                    .bind(&record.place)
                    .execute(&mut *database)
                    .await?;
                // It has left the place, and what it holds by now is not to go.
                if done.rows_affected() == 0 {
                    return Ok(false);
                }
            }
            save(database, record).await
        }
        Change::Delete(id) => {
            let done = sqlx::query("DELETE FROM uploads WHERE id = $1")
                .bind(id)
                .execute(database)
                .await?;
            Ok(done.rows_affected() == 1)
        }
        Change::Nonce(nonce, expires) => {
            sqlx::query("DELETE FROM nonces WHERE expires < $1")
                .bind(now())
                .execute(&mut *database)
                .await?;
            let done = sqlx::query(
                "INSERT INTO nonces (nonce, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            )
            .bind(nonce)
            .bind(expires)
            .execute(database)
            .await?;
            Ok(done.rows_affected() == 1)
        }
    }
}

async fn insert(
    database: &mut AnyConnection,
    record: &Record,
    quota: Option<u64>,
) -> sqlx::Result<bool> {
    let file = &record.identity;
    let done = sqlx::query(
        "INSERT INTO uploads (id, owner, dir, name, size, mtime, md5, state, held, midstate,
                              content_md5, content_sha256, created, changed, place)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '', $11, $11, $12
         WHERE $13 < 0
            OR $5 + (SELECT COALESCE(SUM(CAST(size AS REAL)), 0) FROM uploads WHERE owner = $2) <= $13
         ON CONFLICT DO NOTHING",
    )
    .bind(&record.id)
    .bind(&file.owner)
    .bind(&file.dir)
    .bind(&file.name)
    .bind(signed(file.size))
    .bind(&file.mtime)
    .bind(&file.md5)
    .bind(record.state.word())
    .bind(signed(record.held))
    .bind(record.digests.save())
    .bind(now())
    .bind(&record.place)
    .bind(quota.map_or(-1, |quota| i64::try_from(quota).unwrap_or(i64::MAX)))
    .execute(database)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn save(database: &mut AnyConnection, record: &Record) -> sqlx::Result<bool> {
    let (content_md5, content_sha256) = match record.state {
        State::Complete => (record.digests.md5(), record.digests.sha256()),
        State::New | State::Partial => Default::default(),
    };
    let done = sqlx::query(
        "UPDATE uploads
         SET state = $2, held = $3, midstate = $4, content_md5 = $5, content_sha256 = $6,
             md5 = $7, changed = $8, place = $9
         WHERE id = $1
           AND NOT EXISTS (SELECT 1 FROM uploads WHERE place = $9 AND id <> $1)",
    )
    .bind(&record.id)
    .bind(record.state.word())
    .bind(signed(record.held))
    .bind(record.digests.save())
    .bind(content_md5)
    .bind(content_sha256)
    .bind(&record.identity.md5)
    .bind(now())
    .bind(&record.place)
    .execute(database)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}
