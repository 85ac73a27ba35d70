//! The audit trail: what happened to uploads, an event a row. An event is saved together with the change that it is about.
//!
//! Its line, in JSON, never changes. The hook that is told of finished files gets the same line.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use resup_digests::{Algorithm, Digest};
use serde::Serialize;
use sqlx::{AnyConnection, Row};

use crate::config::times;
use crate::storage::database::now;
use crate::storage::error::StoreError;
use crate::storage::record::{Record, State};

/// How many events are forgotten in one transaction.
const FORGOTTEN: i64 = 1000;
/// Tells the events of one millisecond apart, in their order.
static NUMBER: AtomicU16 = AtomicU16::new(0);

/// Where a change comes from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin {
    /// The address of the client; none where the receiver itself made the change.
    pub peer: Option<IpAddr>,
    /// The protocol that the client spoke: `form`, `tus`, `ietf`, or `list` for the list of uploads.
    pub protocol: Option<&'static str>,
}

/// What happened to an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A request made it, and did not bring all of the file.
    Created,
    /// The file is there, and its digest is right.
    Completed,
    /// All bytes were dropped of one that was complete. It begins again.
    Restarted,
    /// It was deleted before it was complete.
    Discarded,
    /// It was deleted with its file.
    Deleted,
    /// It made no progress for too long.
    Expired,
    /// Another file took its place.
    Replaced,
    /// Somebody has removed its file, so it was forgotten.
    Gone,
}

/// An event that is about to be saved.
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// The upload; of one that is deleted, as it was.
    pub record: Record,
    /// Who made the change.
    pub origin: Origin,
    /// Whether the hook is to be told.
    pub is_told: bool,
}

/// The JSON of an event.
#[derive(Serialize)]
struct Line<'e> {
    id: &'e str,
    time: String,
    event: Kind,
    upload: &'e str,
    user: Option<&'e str>,
    peer: Option<IpAddr>,
    protocol: Option<&'static str>,
    name: &'e str,
    dir: &'e str,
    /// The client's own, where a hook has given others.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_dir: Option<&'e str>,
    /// `None` until the client has told it.
    size: Option<u64>,
    /// How many bytes from the start were there.
    offset: u64,
    mtime: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
    /// Where the finished file is, below `files`.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'e str>,
}

impl Event {
    fn line(&self, id: &str, time: i64) -> String {
        let (record, file) = (&self.record, &self.record.identity);
        let is_complete = record.state == State::Complete;
        let is_renamed = record.renamed.is_some();
        let given = file.digests();
        let digest = |algorithm| match is_complete {
            true => record.digests.hex(algorithm),
            false => {
                let given = given.iter().find(|it| it.algorithm() == algorithm);
                given.map(Digest::hex)
            }
        };
        let line = Line {
            id,
            time: times::text(time),
            event: self.kind,
            upload: &record.id,
            user: Some(&*file.owner).filter(|owner| !owner.is_empty()),
            peer: self.origin.peer,
            protocol: self.origin.protocol,
            name: record.name(),
            dir: record.dir(),
            client_name: is_renamed.then_some(&file.name),
            client_dir: is_renamed.then_some(&file.dir),
            size: (!record.is_open).then_some(file.size),
            offset: record.offset,
            mtime: file.mtime.parse().ok(),
            md5: digest(Algorithm::Md5),
            sha256: digest(Algorithm::Sha256),
            blake3: digest(Algorithm::Blake3),
            place: is_complete.then_some(&record.place),
        };
        serde_json::to_string(&line).expect("text and numbers become JSON")
    }
}

/// Makes the id of an event at a time. It is in the order of the events, as long as the clock goes on.
fn id(time: i64) -> Result<String, getrandom::Error> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Ok(format!(
        "{}{number:04x}{}",
        first(time),
        hex::encode(random)
    ))
}

/// The beginning of the ids from a time on.
fn first(time: i64) -> String {
    format!("{:012x}", time.max(0))
}

/// The time in the id of an event.
pub(super) fn time_of(id: &str) -> i64 {
    let time = id.get(..12).unwrap_or("");
    i64::from_str_radix(time, 16).unwrap_or(0)
}

/// Saves an event, in the transaction of its change.
pub(super) async fn add(database: &mut AnyConnection, event: &Event) -> sqlx::Result<()> {
    let time = now();
    let id = id(time).map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?;
    sqlx::query("INSERT INTO events (id, line) VALUES ($1, $2)")
        .bind(&id)
        .bind(event.line(&id, time))
        .execute(&mut *database)
        .await?;
    if event.is_told {
        sqlx::query("INSERT INTO deliveries (event, due, attempts) VALUES ($1, $2, 0)")
            .bind(&id)
            .bind(time)
            .execute(database)
            .await?;
    }
    Ok(())
}

/// Forgets some of the events before a time, but for those that the hook is still to be told of. Returns whether there
/// were any.
pub(super) async fn forget(database: &mut AnyConnection, before: i64) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "DELETE FROM events WHERE id IN
           (SELECT id FROM events
            WHERE id < $1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = events.id)
            ORDER BY id LIMIT $2)",
    )
    .bind(first(before))
    .bind(FORGOTTEN)
    .execute(database)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Reads the events of a time in their order, some at a time.
pub struct Export {
    /// The last id that was read, or what is before the first one.
    last: String,
    /// What is behind the last one.
    end: String,
}

impl Export {
    /// Begins with the events from `since` on, and before `until`, in milliseconds since 1970.
    pub fn new(since: Option<i64>, until: Option<i64>) -> Self {
        Self {
            last: first(since.unwrap_or(0)),
            // Behind all hexadecimal digits.
            end: until.map_or_else(|| "g".to_owned(), first),
        }
    }

    /// Returns the next lines; none at the end.
    pub async fn next(
        &mut self,
        database: &mut AnyConnection,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, line FROM events WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3",
        )
        .bind(&self.last)
        .bind(&self.end)
        .bind(i64::from(limit))
        .fetch_all(database)
        .await?;
        if let Some(row) = rows.last() {
            self.last = row.try_get("id")?;
        }
        let line = |row: &sqlx::any::AnyRow| Ok(row.try_get("line")?);
        rows.iter().map(line).collect()
    }
}

/// Returns the time before which events are forgotten that are kept for so long.
pub fn oldest(kept: Duration) -> i64 {
    now().saturating_sub_unsigned(kept.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_the_order_of_the_times() {
        let ids: Vec<_> = [0, 1, 1, 0xffff, 1_796_000_000_000, i64::MAX >> 16]
            .map(|time| (first(time), id(time).unwrap()))
            .into();
        for pair in ids.windows(2) {
            assert!(pair[0].1 < pair[1].1, "{pair:?}");
        }
        for (first, id) in ids {
            assert!(
                id.starts_with(&first) && id.len() == 32 && *id < *"g",
                "{id}"
            );
            assert_eq!(super::first(time_of(&id)), first);
        }
    }
}
