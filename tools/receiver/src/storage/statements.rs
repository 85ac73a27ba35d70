//! The statements by which [changes](super::changes) are made.

use resup_digests::Algorithm;
use sqlx::AnyConnection;

use crate::storage::changes::{Change, Limits, New};
use crate::storage::database::{now, signed};
use crate::storage::events;
use crate::storage::names::folded;
use crate::storage::object::Object;
use crate::storage::record::{Record, State};

/// Makes a change. Returns whether there was something to change.
pub(super) async fn apply(database: &mut AnyConnection, change: &Change) -> sqlx::Result<bool> {
    match change {
        Change::Insert(record, limits) => insert(database, record, *limits).await,
        Change::Save(record) => save(database, record, now()).await,
        Change::Resize(record, limits) => resize(database, record, *limits).await,
        // This is no progress.
        Change::Digests(record) => save(database, record, record.changed).await,
        Change::Finish(record, replaced, new) => {
            finish(database, record, replaced.as_deref(), new.as_ref()).await
        }
        Change::Gone(ids, since) => {
            for id in ids {
                sqlx::query("UPDATE uploads SET gone = $2 WHERE id = $1 AND state = 'complete'")
                    .bind(id)
                    .bind(since)
                    .execute(&mut *database)
                    .await?;
            }
            Ok(true)
        }
        Change::Delete(record) => {
            let done = sqlx::query("DELETE FROM uploads WHERE id = $1")
                .bind(&record.id)
                .execute(database)
                .await?;
            Ok(done.rows_affected() == 1)
        }
        Change::Nonce(nonce, expires) => {
            // Two receivers must not wait for each other.
            let old = match database.backend_name() {
                "SQLite" => "DELETE FROM nonces WHERE expires < $1",
                _ => {
                    "DELETE FROM nonces WHERE nonce IN
                       (SELECT nonce FROM nonces WHERE expires < $1 FOR UPDATE SKIP LOCKED)"
                }
            };
            sqlx::query(old).bind(now()).execute(&mut *database).await?;
            let done = sqlx::query(
                "INSERT INTO nonces (nonce, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            )
            .bind(nonce)
            .bind(expires)
            .execute(database)
            .await?;
            Ok(done.rows_affected() == 1)
        }
        Change::Clock(now) => {
            sqlx::query(
                "INSERT INTO clock (id, seen) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET seen = $1",
            )
            .bind(now)
            .execute(database)
            .await?;
            Ok(true)
        }
        Change::Logged(change, list) => {
            let done = Box::pin(apply(database, change)).await?;
            for event in list.iter().filter(|_| done) {
                events::add(database, event).await?;
            }
            Ok(done)
        }
        Change::ForgetEvents(before) => events::forget(database, *before).await,
        Change::BeginDelivery {
            event,
            was_due,
            due,
        } => {
            let done = sqlx::query(
                "UPDATE deliveries SET due = $3, attempts = attempts + 1 WHERE event = $1 AND due = $2",
            )
            .bind(event)
            .bind(was_due)
            .bind(due)
            .execute(database)
            .await?;
            Ok(done.rows_affected() == 1)
        }
        Change::EndDelivery(event, due) => {
            let query = match due {
                Some(due) => {
                    sqlx::query("UPDATE deliveries SET due = $1 WHERE event = $2").bind(due)
                }
                None => sqlx::query("DELETE FROM deliveries WHERE event = $1"),
            };
            query.bind(event).execute(database).await?;
            Ok(true)
        }
    }
}

async fn finish(
    database: &mut AnyConnection,
    record: &Record,
    replaced: Option<&Record>,
    new: Option<&New>,
) -> sqlx::Result<bool> {
    let pieces = new.map_or(&[][..], |new| &new.pieces);
    let deletes = replaced.is_some() || !pieces.is_empty();
    if deletes {
        // The deletions are undone if the other record cannot be added.
        sqlx::query("SAVEPOINT others")
            .execute(&mut *database)
            .await?;
    }
    if let Some(replaced) = replaced {
        let done = sqlx::query("DELETE FROM uploads WHERE id = $1 AND place = $2")
            .bind(&replaced.id)
            .bind(&replaced.place)
            .execute(&mut *database)
            .await?;
        // That upload has left the place. What it has now must not be deleted.
        if done.rows_affected() == 0 {
            return Ok(false);
        }
    }
    let done = match new {
        Some(new) => {
            delete_pieces(database, pieces).await? && insert(database, record, new.limits).await?
        }
        None => save(database, record, now()).await?,
    };
    if deletes && !done {
        sqlx::query("ROLLBACK TO SAVEPOINT others")
            .execute(&mut *database)
            .await?;
    }
    if deletes {
        sqlx::query("RELEASE SAVEPOINT others")
            .execute(database)
            .await?;
    }
    Ok(done)
}

/// Deletes the records of pieces; `false` when one is not there, or lacks bytes.
async fn delete_pieces(
    database: &mut AnyConnection,
    pieces: &[(String, i64)],
) -> sqlx::Result<bool> {
    for (id, _) in pieces {
        let done = sqlx::query(
            "DELETE FROM uploads WHERE id = $1 AND concat = 'partial' AND open = 0 AND held = size",
        )
        .bind(id)
        .execute(&mut *database)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn insert(
    database: &mut AnyConnection,
    record: &Record,
    limits: Limits,
) -> sqlx::Result<bool> {
    let (file, renamed) = (&record.identity, record.renamed.as_ref());
    let done = sqlx::query(
        "INSERT INTO uploads (id, owner, dir, name, size, mtime, md5, state, held, midstate,
                              content_md5, content_sha256, content_blake3, created, changed, place,
                              sha256, blake3, open, concat, folded, as_dir, as_name)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $17, $18, $19, $11, $11, $12, $15, $16, $20,
                $21, $22, $23, $24
         WHERE ($14 < 0 OR COALESCE((SELECT records FROM totals WHERE owner = $2), 0) < $14)
           AND ($13 < 0
            OR $5 + COALESCE((SELECT CAST(high AS DOUBLE PRECISION) * 4294967296 + low FROM totals
                              WHERE owner = $2), 0) <= $13)
         ON CONFLICT DO NOTHING",
    )
    .bind(&record.id)
    .bind(&file.owner)
    .bind(&file.dir)
    .bind(&file.name)
    .bind(signed(file.size))
    .bind(&file.mtime)
    .bind(&file.key)
    .bind(record.state.word())
    .bind(signed(record.offset))
    .bind(record.digests.save())
    .bind(now())
    .bind(&record.place)
    .bind(bound(limits.bytes))
    .bind(bound(limits.records))
    .bind(&file.sha256)
    .bind(&file.blake3)
    .bind(content(record, Algorithm::Md5))
    .bind(content(record, Algorithm::Sha256))
    .bind(content(record, Algorithm::Blake3))
    .bind(i64::from(record.is_open))
    .bind(record.concat.text())
    .bind(folded(record.name()))
    .bind(renamed.map_or("", |to| &to.dir))
    .bind(renamed.map_or("", |to| &to.name))
    .execute(database)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn resize(
    database: &mut AnyConnection,
    record: &Record,
    limits: Limits,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE uploads SET size = $2, open = $3
         WHERE id = $1 AND open = 1
           AND ($4 < 0 OR $2 <= size
            OR $2 - size + COALESCE((SELECT CAST(high AS DOUBLE PRECISION) * 4294967296 + low FROM totals
                                     WHERE owner = $5), 0) <= $4)",
    )
    .bind(&record.id)
    .bind(signed(record.identity.size))
    .bind(i64::from(record.is_open))
    .bind(bound(limits.bytes))
    .bind(&record.identity.owner)
    .execute(database)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a digest of a finished file for the database.
fn content(record: &Record, algorithm: Algorithm) -> String {
    match record.state {
        State::Complete => record.digests.hex(algorithm).unwrap_or_default(),
        State::New | State::Partial => String::new(),
    }
}

/// Writes a limit for the database; -1 stands for none.
fn bound(limit: Option<u64>) -> i64 {
    limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX))
}

async fn save(database: &mut AnyConnection, record: &Record, changed: i64) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE uploads
         SET state = $2, held = $3, midstate = $4, content_md5 = $5, content_sha256 = $6,
             content_blake3 = $10, md5 = $7, sha256 = $11, blake3 = $12, changed = $8, place = $9,
             proven = $13, proven_midstate = $14, ranges = $15, object = $16, epoch = $17, gone = 0
         WHERE id = $1
           AND NOT EXISTS (SELECT 1 FROM uploads WHERE place = $9 AND id <> $1)",
    )
    .bind(&record.id)
    .bind(record.state.word())
    .bind(signed(record.offset))
    .bind(record.digests.save())
    .bind(content(record, Algorithm::Md5))
    .bind(content(record, Algorithm::Sha256))
    .bind(&record.identity.key)
    .bind(changed)
    .bind(&record.place)
    .bind(content(record, Algorithm::Blake3))
    .bind(&record.identity.sha256)
    .bind(&record.identity.blake3)
    .bind(signed(record.proven.offset))
    .bind(match record.proven.offset {
        0 => String::new(),
        _ => record.proven.digests.save(),
    })
    .bind(record.ranges.save())
    .bind(Object::save(record.object.as_ref()))
    .bind(record.epoch)
    .execute(database)
    .await?;
    Ok(done.rows_affected() == 1)
}
