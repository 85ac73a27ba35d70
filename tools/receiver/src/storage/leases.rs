//! Leases: the right of one of several receivers to work on an upload, in the table `leases` of their database.
//!
//! A receiver says every second that it lives. When it has not done so for some seconds, others may take its leases: perhaps
//! it is dead, perhaps it only stands still, and goes on later. So a lease has a number, a new one for each holder, and
//! a change of an upload is made only while its lease has the number under which the change began. This is checked in the
//! change's own transaction, with the lease's row locked against a takeover.
//!
//! For the bytes there is no such check, since the other one may have the file open. But each receiver has a locked file in
//! the directory `receivers`, which the system unlocks when the process has ended, so others can tell whether it is dead.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::Row;

use crate::storage::database::Database;
use crate::storage::error::{StorageError, StoreError};
use crate::storage::pool::Pool;

/// How long a receiver is taken for alive after it has said so.
const LIFE: Duration = Duration::from_secs(5);
/// For how long a wish counts. Who waits repeats it.
const WISH: Duration = Duration::from_secs(1);
/// How many connections leases have.
const CONNECTIONS: u32 = 4;
/// How many leases of dead receivers are looked at together.
const PAGE: i64 = 100;

/// All leases.
#[derive(Clone)]
pub struct Leases {
    pool: Pool,
    /// This receiver's own id, which is another one at each start.
    receiver: Arc<str>,
    /// The directory with a file for each receiver.
    lives: Arc<Path>,
    /// The one of this receiver. It is locked as long as this is open.
    _life: Arc<File>,
}

/// The right to change an upload, until it is dropped or another receiver takes it.
pub struct Lease {
    leases: Leases,
    /// The number under which changes are made.
    pub number: i64,
    /// The receivers that had it before and did not give it back: what they left has to be put right.
    pub before: Vec<String>,
}

impl Leases {
    /// Begins the life of a receiver with a data directory and a database whose tables are there.
    pub async fn begin(database: &Database, data: &Path) -> Result<Self, StorageError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(StoreError::from)?;
        let receiver = hex::encode(id);
        let lives = data.join("receivers");
        fs::create_dir_all(&lives)?;
        let life = open_life(&lives.join(&receiver), true)?;
        life.try_lock().map_err(io::Error::from)?;
        let leases = Self {
            pool: database.pool(CONNECTIONS).await.map_err(StoreError::from)?,
            receiver: receiver.into(),
            lives: lives.into(),
            _life: Arc::new(life),
        };
        leases.renew().await?;
        // Where the directory is this receiver's own, nobody else asks for those that were killed.
        for entry in fs::read_dir(&leases.lives)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            leases.are_dead(&[name])?;
        }
        Ok(leases)
    }

    /// Says that this receiver lives.
    pub async fn renew(&self) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO receivers (id, expires)
             VALUES ($1, $2 + CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT))
             ON CONFLICT (id) DO UPDATE SET expires = excluded.expires",
        )
        .bind(&*self.receiver)
        .bind(LIFE.as_millis() as i64)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes the lease of an upload; `None` while a receiver has it that is alive. Only one request of this receiver asks
    /// for an upload's lease at a time.
    pub async fn acquire(&self, id: &str) -> Result<Option<Lease>, StoreError> {
        let row = sqlx::query(
            "INSERT INTO leases (id, number, receiver) VALUES ($1, nextval('lease_numbers'), $2)
             ON CONFLICT (id) DO UPDATE
             SET number = excluded.number, receiver = excluded.receiver, wanted = 0,
                 before = CASE WHEN leases.receiver = excluded.receiver THEN leases.before
                          ELSE TRIM(leases.before || ' ' || leases.receiver) END
             WHERE leases.receiver = excluded.receiver
                OR NOT EXISTS (SELECT 1 FROM receivers
                               WHERE receivers.id = leases.receiver
                                 AND expires > EXTRACT(EPOCH FROM clock_timestamp()) * 1000)
             RETURNING number, before",
        )
        .bind(id)
        .bind(&*self.receiver)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let before: &str = row.try_get("before")?;
        Ok(Some(Lease {
            leases: self.clone(),
            number: row.try_get("number")?,
            before: before.split_whitespace().map(str::to_owned).collect(),
        }))
    }

    /// Makes sure that the lease with this number has not gone to another receiver.
    pub async fn make_sure(&self, number: i64) -> Result<(), StoreError> {
        let found = sqlx::query("SELECT 1 FROM leases WHERE number = $1")
            .bind(number)
            .fetch_optional(&self.pool)
            .await?;
        found.map(drop).ok_or(StoreError::Lost)
    }

    /// Tells the receiver that has the lease that a request waits for it here.
    pub async fn want(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE leases SET wanted = $2 + CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)
             WHERE id = $1",
        )
        .bind(id)
        .bind(WISH.as_millis() as i64)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Lists the leases of this receiver that others wait for: the uploads, and the numbers.
    pub async fn wanted(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, number FROM leases
             WHERE receiver = $1 AND wanted > EXTRACT(EPOCH FROM clock_timestamp()) * 1000",
        )
        .bind(&*self.receiver)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("id")?, row.try_get("number")?)))
            .collect()
    }

    /// Lists those of the uploads on which living receivers work.
    pub async fn held(&self, ids: &[&str]) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT leases.id FROM leases JOIN receivers ON receivers.id = leases.receiver
             WHERE expires > EXTRACT(EPOCH FROM clock_timestamp()) * 1000
               AND leases.id = ANY (string_to_array($1, ' '))",
        )
        .bind(ids.join(" "))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Lists uploads on which living receivers work, at most `limit`.
    pub async fn all_held(&self, limit: usize) -> Result<Vec<String>, StoreError> {
        // The others are of owners, whose places are chosen.
        let rows = sqlx::query(
            "SELECT leases.id FROM leases
             JOIN receivers ON receivers.id = leases.receiver
             JOIN uploads ON uploads.id = leases.id
             WHERE expires > EXTRACT(EPOCH FROM clock_timestamp()) * 1000
             ORDER BY leases.id LIMIT $1",
        )
        .bind(limit as i64)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Whether all of these receivers have ended, so that none of them will ever write again. Blocks.
    pub fn are_dead(&self, receivers: &[String]) -> io::Result<bool> {
        for receiver in receivers {
            let path: PathBuf = self.lives.join(receiver);
            match open_life(&path, false) {
                Ok(life) => match life.try_lock() {
                    Ok(()) => fs::remove_file(path).or_else(unless_missing)?,
                    Err(TryLockError::WouldBlock) => return Ok(false),
                    Err(TryLockError::Error(error)) => return Err(error),
                },
                Err(error) => unless_missing(error)?,
            }
        }
        Ok(true)
    }

    /// Lists uploads whose leases receivers have that do not live, and these, in the order of the uploads' ids, beginning
    /// behind one.
    pub async fn orphans(&self, after: &str) -> Result<Vec<(String, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, TRIM(before || ' ' || receiver) AS had FROM leases
             WHERE id > $1
               AND NOT EXISTS (SELECT 1 FROM receivers
                               WHERE receivers.id = leases.receiver
                                 AND expires > EXTRACT(EPOCH FROM clock_timestamp()) * 1000)
             ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(PAGE)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("id")?, row.try_get("had")?)))
            .collect()
    }

    /// Forgets receivers that have no leases and did not say for a day that they live, and wrong passwords that are as old.
    pub async fn forget_old(&self) -> Result<(), StoreError> {
        for statement in [
            "DELETE FROM receivers WHERE id IN (
               SELECT id FROM receivers
               WHERE expires < (EXTRACT(EPOCH FROM clock_timestamp()) - 86400) * 1000
                 AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.receiver = receivers.id)
               FOR UPDATE SKIP LOCKED)",
            "DELETE FROM failures WHERE hash IN (
               SELECT hash FROM failures
               WHERE last < (EXTRACT(EPOCH FROM clock_timestamp()) - 86400) * 1000
               FOR UPDATE SKIP LOCKED)",
        ] {
            sqlx::query(statement).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Gives a lease back. One whose former holders' doings were not put right stays, and nobody has it.
    pub async fn release(&self, number: i64) -> Result<(), StoreError> {
        for statement in [
            "DELETE FROM leases WHERE number = $1 AND before = ''",
            "UPDATE leases SET receiver = '' WHERE number = $1 AND before <> ''",
        ] {
            let done = sqlx::query(statement).bind(number).execute(&self.pool);
            if done.await?.rows_affected() > 0 {
                break;
            }
        }
        Ok(())
    }

    /// Ends the life of this receiver: it has no claim any more.
    pub async fn end(&self) {
        for statement in [
            "DELETE FROM leases WHERE receiver = $1 AND before = ''",
            "DELETE FROM receivers WHERE id = $1",
        ] {
            let done = sqlx::query(statement).bind(&*self.receiver);
            if let Err(error) = done.execute(&self.pool).await {
                tracing::warn!("cannot give leases back: they end in a few seconds: {error}");
            }
        }
        self.pool.close().await;
        let _ = fs::remove_file(self.lives.join(&*self.receiver));
    }
}

/// Opens the file of a receiver, also for writing: file systems of a network need that for a lock.
fn open_life(path: &Path, is_new: bool) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(is_new).open(path)
}

fn unless_missing(error: io::Error) -> io::Result<()> {
    match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

impl Lease {
    /// Notes that what former holders left is put right.
    pub async fn settle(&mut self) -> Result<(), StoreError> {
        sqlx::query("UPDATE leases SET before = '' WHERE number = $1")
            .bind(self.number)
            .execute(&self.leases.pool)
            .await?;
        self.before.clear();
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (leases, number) = (self.leases.clone(), self.number);
        // Claims are dropped on threads of the runtime, and on those that block. If it fails, a request that waits for the
        // lease has it given back.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = leases.release(number).await {
                tracing::warn!("cannot give a lease back yet: {error}");
            }
        });
    }
}
