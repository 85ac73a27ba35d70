//! The records of uploads in the database.

use std::sync::Arc;

use sqlx::any::AnyRow;
use sqlx::Row;
use tokio::sync::Notify;

use crate::storage::changes::{Change, Limits, New};
use crate::storage::database::{is_storable, signed, Database, PATIENCE};
use crate::storage::digests::Digests;
use crate::storage::error::StoreError;
use crate::storage::events::{Event, Kind, Origin};
use crate::storage::object::Object;
use crate::storage::pool::Pool;
use crate::storage::queue::Changes;
use crate::storage::ranges::Ranges;
use crate::storage::record::{Concat, Identity, Prefix, Record, Renamed, State};

/// How many connections to the database are for reading.
const READERS: u32 = 4;

/// All records.
#[derive(Clone)]
pub struct Store {
    /// For all that only reads: it does not wait for a commit.
    pub(super) readers: Pool,
    /// For lists, which do not wait for the many short reads of uploads either.
    lists: Pool,
    pub(super) changes: Changes,
    /// Who makes the changes.
    pub(super) origin: Origin,
    /// What is told when there is something to tell the hook; none where there is no such hook.
    pub(super) told: Option<Arc<Notify>>,
}

impl Store {
    /// Opens the database and brings its tables up to date. Nobody else has opened it so.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        let mut writer = database.connect_alone(PATIENCE).await?;
        database.migrate(&mut writer).await?;
        Ok(Self {
            changes: Changes::start(database.clone(), writer),
            readers: database.pool(READERS).await?,
            lists: database.pool(1).await?,
            origin: Origin::default(),
            told: None,
        })
    }

    /// Makes an event of a change that is about to be made.
    pub(super) fn event(&self, kind: Kind, record: &Record) -> Event {
        Event {
            kind,
            record: record.clone(),
            origin: self.origin,
            is_told: kind == Kind::Completed && self.told.is_some(),
        }
    }

    /// Checks that the database can be read and written. What it writes is a nonce that has no use, until the next one.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.find_any(".probe").await?;
        self.add_nonce(".probe", 0).await.map(drop)
    }

    /// The connections for lists.
    pub(super) fn lists(&self) -> &Pool {
        &self.lists
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.lists.close().await;
        self.changes.close().await;
    }

    /// Finds the owner's upload with this id.
    pub async fn find(&self, owner: &str, id: &str) -> Result<Option<Record>, StoreError> {
        if !is_storable(id) {
            return Ok(None);
        }
        let row = sqlx::query("SELECT * FROM uploads WHERE owner = $1 AND id = $2")
            .bind(owner)
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// Lists the owner's finished uploads of a size.
    pub async fn finished_of_size(
        &self,
        owner: &str,
        size: u64,
    ) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM uploads WHERE owner = $1 AND size = $2 AND state = 'complete'",
        )
        .bind(owner)
        .bind(signed(size))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(record).collect()
    }

    /// Finds the upload with this id, of any owner.
    pub async fn find_any(&self, id: &str) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query("SELECT * FROM uploads WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// Finds the upload other than `id` whose finished file is at this place.
    pub async fn at(&self, place: &str, id: &str) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query("SELECT * FROM uploads WHERE place = $1 AND id <> $2")
            .bind(place)
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// Saves the time, in milliseconds since 1970, and returns the one that was saved before.
    pub async fn save_clock(&self, now: i64) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query("SELECT seen FROM clock WHERE id = 1")
            .fetch_optional(&self.readers)
            .await?;
        self.changes.make(Change::Clock(now)).await?;
        Ok(row.map(|row| row.try_get("seen")).transpose()?)
    }

    /// Counts all uploads of an owner, finished or not, but for those that are gone, and sums the sizes of their files. A sum
    /// that does not fit becomes the largest number.
    pub async fn totals(&self, owner: &str) -> Result<(u64, u64), StoreError> {
        let row = sqlx::query("SELECT records, high, low FROM totals WHERE owner = $1")
            .bind(owner)
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else {
            return Ok((0, 0));
        };
        totals(&row)
    }

    /// Sums the bytes that are there of all uploads, but for those that are behind a gap. (A number that large need not be exact.)
    pub async fn kept(&self) -> Result<f64, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COALESCE(SUM(CAST(high AS DOUBLE PRECISION) * 4294967296 + low), 0) FROM totals)
                  - (SELECT COALESCE(SUM(CAST(size AS DOUBLE PRECISION) - held), 0) FROM uploads
                     WHERE state <> 'complete') AS kept",
        )
        .fetch_one(&self.readers)
        .await?;
        // SQLite has a whole number where there are no uploads.
        let kept = row.try_get::<f64, _>("kept");
        Ok(kept.or_else(|_| row.try_get::<i64, _>("kept").map(|kept| kept as f64))?)
    }

    /// Lists unfinished uploads that have not changed since a time in milliseconds since 1970, those that have waited longest
    /// first, beginning behind one.
    pub async fn idle(
        &self,
        since: i64,
        after: Option<&Record>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let (changed, id) = after.map_or((i64::MIN, ""), |last| (last.changed, last.id.as_str()));
        let rows = sqlx::query(
            "SELECT * FROM uploads
             WHERE state <> 'complete' AND changed < $1 AND (changed, id) > ($2, $3)
             ORDER BY changed, id LIMIT $4",
        )
        .bind(since)
        .bind(changed)
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(record).collect()
    }

    /// Lists uploads that are gone, in the order of their ids, beginning behind one.
    pub async fn gone_after(&self, id: &str, limit: u32) -> Result<Vec<Record>, StoreError> {
        let query = "SELECT * FROM uploads WHERE gone > 0 AND id > $1 ORDER BY id LIMIT $2";
        let rows = sqlx::query(query)
            .bind(id)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(record).collect()
    }

    /// Notes since when, in milliseconds since 1970, finished uploads are gone; 0 for those that are there.
    pub async fn set_gone(&self, ids: Vec<String>, since: i64) -> Result<(), StoreError> {
        let change = Change::Gone(ids, since);
        self.changes.make(change).await.map(drop)
    }

    /// Deletes a record. The event says why.
    pub async fn delete(&self, record: &Record, why: Kind) -> Result<(), StoreError> {
        let change = Change::Delete(Box::new(record.clone()));
        let change = change.with(vec![self.event(why, record)]);
        self.changes.make(change).await.map(drop)
    }

    /// Saves a signed form's nonce until a time in milliseconds since 1970; `false` when it is known
    /// already.
    pub async fn add_nonce(&self, nonce: &str, expires: i64) -> Result<bool, StoreError> {
        let change = Change::Nonce(nonce.to_owned(), expires);
        self.changes.make(change).await
    }

    /// Adds a record; `false` when the file has one already, or when its owner would have more than the
    /// limits allow.
    pub async fn insert(&self, record: &Record, limits: Limits) -> Result<bool, StoreError> {
        let change = Change::Insert(Box::new(record.clone()), limits);
        let event = self.event(Kind::Created, record);
        self.changes.make(change.with(vec![event])).await
    }

    /// Saves the state of an upload.
    pub async fn save(&self, record: &Record) -> Result<(), StoreError> {
        let change = Change::Save(Box::new(record.clone()));
        self.changes.make(change).await.map(drop)
    }

    /// Saves the size of an upload that is open, and whether it stays so; `false` when its owner would have more bytes
    /// than the limits allow. The other functions here leave both as they are.
    pub async fn resize(&self, record: &Record, limits: Limits) -> Result<bool, StoreError> {
        let change = Change::Resize(Box::new(record.clone()), limits);
        self.changes.make(change).await
    }

    /// Saves digests of an upload that were computed later than its bytes came.
    pub async fn save_digests(&self, record: &Record) -> Result<(), StoreError> {
        let change = Change::Digests(Box::new(record.clone()));
        self.changes.make(change).await.map(drop)
    }

    /// Saves that an upload is finished, and deletes the record of the one that it replaces; `false`
    /// when that one has left the place, or a third one is there. If the upload is new, also `false` as with
    /// [`insert`](Self::insert), or when one of its pieces is not there.
    pub async fn finish(
        &self,
        record: &Record,
        replaced: Option<Record>,
        new: Option<New>,
    ) -> Result<bool, StoreError> {
        let mut events = vec![self.event(Kind::Completed, record)];
        if let Some(replaced) = &replaced {
            events.insert(0, self.event(Kind::Replaced, replaced));
        }
        let change = Change::Finish(Box::new(record.clone()), replaced.map(Box::new), new);
        let done = self.changes.make(change.with(events)).await?;
        if let Some(told) = self.told.as_ref().filter(|_| done) {
            told.notify_one();
        }
        Ok(done)
    }
}

/// Reads the number of an owner's uploads, and the sum of their sizes.
pub(super) fn totals(row: &AnyRow) -> Result<(u64, u64), StoreError> {
    let number = |column| row.try_get::<i64, _>(column);
    let bytes = (i128::from(number("high")?) << 32) + i128::from(number("low")?);
    let records = number("records")?.unsigned_abs();
    Ok((records, u64::try_from(bytes).unwrap_or(u64::MAX)))
}

pub(super) fn record(row: &AnyRow) -> Result<Record, StoreError> {
    let id: String = row.try_get("id")?;
    let unreadable = |column| StoreError::Unreadable {
        id: id.clone(),
        column,
    };
    let bytes =
        |column| u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| unreadable(column));
    let digests = |column| {
        let text: &str = row.try_get(column)?;
        Digests::restore(text).ok_or_else(|| unreadable(column))
    };
    let proven = match bytes("proven")? {
        0 => Prefix::default(),
        offset => Prefix {
            offset,
            digests: digests("proven_midstate")?,
        },
    };
    Ok(Record {
        identity: Identity {
            owner: row.try_get("owner")?,
            dir: row.try_get("dir")?,
            name: row.try_get("name")?,
            size: bytes("size")?,
            mtime: row.try_get("mtime")?,
            key: row.try_get("md5")?,
            sha256: row.try_get("sha256")?,
            blake3: row.try_get("blake3")?,
        },
        place: row.try_get("place")?,
        state: State::from_word(row.try_get("state")?).ok_or_else(|| unreadable("state"))?,
        offset: bytes("held")?,
        digests: digests("midstate")?,
        ranges: Ranges::restore(row.try_get("ranges")?).ok_or_else(|| unreadable("ranges"))?,
        object: Object::restore(row.try_get("object")?).ok_or_else(|| unreadable("object"))?,
        proven,
        is_open: row.try_get::<i64, _>("open")? != 0,
        concat: Concat::from_text(row.try_get("concat")?).ok_or_else(|| unreadable("concat"))?,
        epoch: row.try_get("epoch")?,
        lease: 0,
        renamed: match row.try_get("as_name")? {
            "" => None,
            name => Some(Renamed {
                dir: row.try_get("as_dir")?,
                name: name.to_owned(),
            }),
        },
        created: row.try_get("created")?,
        changed: row.try_get("changed")?,
        gone: row.try_get("gone")?,
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::bench::{insert, uploads};

    #[tokio::test]
    async fn an_upload_is_replaced_only_where_it_still_is() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = uploads(dir.path()).await;
        let store = &uploads.store;
        let finished = |record: &Record| Record {
            state: State::Complete,
            offset: 10,
            place: "joe/a".to_owned(),
            ..record.clone()
        };
        let (old, new) = (insert(&uploads, "old").await, insert(&uploads, "new").await);
        assert!(store.finish(&finished(&old), None, None).await.unwrap());
        assert!(!store.finish(&finished(&new), None, None).await.unwrap());
        // The old upload began again and has bytes of its own.
        let again = Record {
            state: State::Partial,
            offset: 5,
            ..old.clone()
        };
        store.save(&again).await.unwrap();
        let replaced = Some(finished(&old));
        assert!(!store
            .finish(&finished(&new), replaced.clone(), None)
            .await
            .unwrap());
        let kept = store.find("", &old.id).await.unwrap();
        assert_eq!(kept.map(|record| record.offset), Some(5));
        assert!(store.finish(&finished(&old), None, None).await.unwrap());
        assert!(store.finish(&finished(&new), replaced, None).await.unwrap());
        assert!(store.find("", &old.id).await.unwrap().is_none());
    }
}
