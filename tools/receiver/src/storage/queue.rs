//! The queue of the changes. Those that arrive while a transaction is being made durable go together into the next one.
//!
//! Where several receivers share the database, a change is made only under the lease with which it began, and the others of
//! its owner are locked while it depends on them.
//!
//! All are made through one connection, one transaction after the other. A connection that is lost, to PostgreSQL, is
//! replaced by a new one; whoever waits for a change meanwhile gets an error, and asks again.

use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, Connection, Row};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{timeout, Instant};

use crate::storage::changes::Change;
use crate::storage::database::{Database, Kind, LIMIT, PATIENCE};
use crate::storage::error::StoreError;
use crate::storage::failpoint;
use crate::storage::statements::apply;

/// The largest number of changes in one transaction.
const MAX_GROUP: usize = 256;
/// How often changes are made again that were in a circle.
const ATTEMPTS: u32 = 5;
/// The first number of the locks that owners have in PostgreSQL. It has no meaning.
const OWNERS: i32 = 0x7265_7375;
/// A connection that was not used for so long is tested before it is.
const IDLE: Duration = Duration::from_secs(1);

/// The queue.
#[derive(Clone)]
pub struct Changes {
    queue: mpsc::Sender<Request>,
}

/// What somebody waits for.
enum Request {
    Change(Change, oneshot::Sender<Result<bool, StoreError>>),
    /// Close the connection.
    Close(oneshot::Sender<()>),
}

impl Changes {
    /// Starts the task that makes the changes.
    pub fn start(database: Database, connection: AnyConnection) -> Self {
        let (queue, requests) = mpsc::channel(MAX_GROUP);
        let maker = Maker {
            database,
            connection: Some(connection),
            used: Instant::now(),
            was_reached: true,
        };
        tokio::spawn(maker.run(requests));
        Self { queue }
    }

    /// Makes a change durable. Returns whether there was something to change.
    pub async fn make(&self, change: Change) -> Result<bool, StoreError> {
        let (reply, result) = oneshot::channel();
        // The task runs until it is closed.
        let sent = self.queue.send(Request::Change(change, reply)).await;
        sent.map_err(|_| sqlx::Error::PoolClosed)?;
        result.await.map_err(|_| sqlx::Error::PoolClosed)?
    }

    /// Closes the connection, after the changes that wait.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.queue.send(Request::Close(reply)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

/// Who makes the changes.
struct Maker {
    database: Database,
    /// The connection; none while it is lost.
    connection: Option<AnyConnection>,
    /// When it was used last.
    used: Instant,
    /// Whether the database was there when it was asked last.
    was_reached: bool,
}

impl Maker {
    async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let (mut total, mut transactions) = (0, 0);
        let mut group = Vec::new();
        while queue.recv_many(&mut group, MAX_GROUP).await > 0 {
            let (mut changes, mut replies, mut closings) = (Vec::new(), Vec::new(), Vec::new());
            for request in group.drain(..) {
                match request {
                    Request::Change(change, reply) => {
                        changes.push(change);
                        replies.push(reply);
                    }
                    Request::Close(reply) => closings.push(reply),
                }
            }
            if !changes.is_empty() {
                total += changes.len();
                transactions += 1;
                tracing::debug!("{total} changes in {transactions} transactions");
                let results = self.commit(&changes).await;
                for (index, reply) in replies.into_iter().enumerate() {
                    let _ = reply.send(match &results {
                        Ok(results) => results[index].ok_or(StoreError::Lost),
                        Err(error) => Err(error.clone()),
                    });
                }
            }
            if !closings.is_empty() {
                if let Some(connection) = self.connection.take() {
                    let _ = connection.close().await;
                }
                return;
            }
        }
    }

    /// Makes all of the changes, or none. One that lost its lease is left out: `None`. Those that waited for
    /// another receiver, which waited for them, are made again.
    async fn commit(&mut self, changes: &[Change]) -> Result<Vec<Option<bool>>, StoreError> {
        for _ in 1..ATTEMPTS {
            match self.try_to_commit(changes).await {
                Err(error) if error.is_deadlock() => tracing::debug!("{error}: once more"),
                done => return done,
            }
        }
        self.try_to_commit(changes).await
    }

    /// Tries once. When the connection is lost during the commit, nobody knows which.
    ///
    /// This does not use sqlx's transactions. When a commit fails, SQLite has left the transaction, but sqlx does
    /// not notice: it would make the next transactions savepoints inside one that nobody commits.
    async fn try_to_commit(&mut self, changes: &[Change]) -> Result<Vec<Option<bool>>, StoreError> {
        let is_shared = self.database.is_shared();
        let mut connection = self.connection().await?;
        let results = match self.database.kind() {
            Kind::Sqlite => Ok(transact(&mut connection, changes, false).await),
            Kind::Postgres => timeout(LIMIT, transact(&mut connection, changes, is_shared)).await,
        };
        let results = match results {
            Ok(results) => results.map_err(StoreError::from),
            Err(_) => Err(StoreError::Silent),
        };
        if results.is_err() {
            // Fails when SQLite has rolled back already.
            let rolled_back = sqlx::query("ROLLBACK").execute(&mut connection);
            let is_sound = match (self.database.kind(), &results) {
                (Kind::Sqlite, _) => {
                    let _ = rolled_back.await;
                    true
                }
                (Kind::Postgres, Err(error)) if error.is_from_statement() => {
                    matches!(timeout(PATIENCE, rolled_back).await, Ok(Ok(_)))
                }
                (Kind::Postgres, _) => false,
            };
            if !is_sound {
                self.was_reached = false;
                return results;
            }
        }
        self.used = Instant::now();
        self.connection = Some(connection);
        results
    }

    /// Takes the connection, or opens a new one in place of one that is lost.
    async fn connection(&mut self) -> Result<AnyConnection, StoreError> {
        if let Some(mut connection) = self.connection.take() {
            if self.database.kind() == Kind::Sqlite || self.used.elapsed() < IDLE {
                return Ok(connection);
            }
            if let Ok(Ok(())) = timeout(PATIENCE, connection.ping()).await {
                return Ok(connection);
            }
        }
        // Those who come while the database is known to be away do not wait for it.
        let patience = match self.was_reached {
            true => PATIENCE,
            false => Duration::ZERO,
        };
        let opened = self.database.connect_alone(patience).await;
        if let (Ok(_), false) = (&opened, self.was_reached) {
            tracing::info!("the database {} is there again", self.database.name());
        }
        self.was_reached = opened.is_ok();
        opened
    }
}

async fn transact(
    database: &mut AnyConnection,
    changes: &[Change],
    is_shared: bool,
) -> sqlx::Result<Vec<Option<bool>>> {
    // The clock is no record, and nobody waits for it.
    let has_records = changes.iter().any(|it| !matches!(it, Change::Clock(_)));
    let hit = |name: &str| {
        if has_records {
            failpoint::hit(name);
        }
    };
    // One statement is a transaction by itself. Each more is another way to the thread of the database and back.
    if let [change] = changes {
        if change.is_one_statement() && !is_shared {
            hit("before-commit");
            let result = apply(database, change).await?;
            hit("after-group");
            return Ok(vec![Some(result)]);
        }
    }
    sqlx::query("BEGIN").execute(&mut *database).await?;
    let held = match is_shared {
        true => {
            lock_owners(database, changes).await?;
            lock_leases(database, changes).await?
        }
        false => Vec::new(),
    };
    let mut results = Vec::with_capacity(changes.len());
    for change in changes {
        let is_held = |lease: &i64| held.contains(lease);
        results.push(match !is_shared || change.leases().iter().all(is_held) {
            true => Some(apply(database, change).await?),
            false => None,
        });
    }
    hit("before-commit");
    sqlx::query("COMMIT").execute(database).await?;
    hit("after-group");
    Ok(results)
}

/// Keeps other receivers from changes that depend on the same owners' uploads, to the end of the transaction: all take the
/// locks in one order.
async fn lock_owners(database: &mut AnyConnection, changes: &[Change]) -> sqlx::Result<()> {
    let key = |owner: &str| {
        let digest = Sha256::digest(owner);
        i32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    };
    let mut keys: Vec<_> = changes.iter().filter_map(Change::owner).map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "SELECT COUNT(pg_advisory_xact_lock($1, key)) AS locks
         FROM unnest(CAST(string_to_array($2, ',') AS INTEGER[])) AS key",
    )
    .bind(OWNERS)
    .bind(list(keys))
    .execute(database)
    .await?;
    Ok(())
}

/// Keeps other receivers from taking the leases of changes, to the end of the transaction. Returns those that are held.
async fn lock_leases(database: &mut AnyConnection, changes: &[Change]) -> sqlx::Result<Vec<i64>> {
    let numbers: Vec<_> = changes.iter().flat_map(Change::leases).collect();
    if numbers.is_empty() {
        return Ok(numbers);
    }
    let rows = sqlx::query(
        "SELECT number FROM leases
         WHERE number = ANY (CAST(string_to_array($1, ',') AS BIGINT[])) FOR SHARE",
    )
    .bind(list(numbers))
    .fetch_all(database)
    .await?;
    rows.iter().map(|row| row.try_get("number")).collect()
}

fn list(numbers: Vec<impl ToString>) -> String {
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    numbers.join(",")
}
