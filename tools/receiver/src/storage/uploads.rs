//! Records and bytes together, so that no crash can part them.
//!
//! The order is always the same. Bytes are durable before their record says so. A finished file's
//! record is durable before the file goes to its place, and its bytes leave that place before the record
//! does: what a crash leaves behind in `partial` tells what was about to happen.

use std::io;
use std::sync::Arc;

use crate::config::{Conflict, Layout};
use crate::storage::claims::{Active, Claim};
use crate::storage::digests::Digests;
use crate::storage::error::StorageError;
use crate::storage::failpoint;
use crate::storage::files::{Files, Found};
use crate::storage::names;
use crate::storage::record::{Record, State};
use crate::storage::store::{Store, StoreError};

/// Namesakes of one file in one directory.
const MAX_NAMESAKES: u32 = 1000;
/// How often the place of a finished file is chosen anew because another one has just got it.
const ATTEMPTS: u32 = 20;

/// What is kept.
#[derive(Clone)]
pub struct Shelf {
    /// The records.
    pub store: Store,
    /// The bytes.
    pub files: Files,
    /// Who works on what.
    pub active: Arc<Active>,
    /// Where finished files go.
    pub layout: Layout,
    /// What happens when another one is there.
    pub conflict: Conflict,
}

impl Shelf {
    /// The owner's upload, looked up again under its claim and compared with the disk.
    pub async fn current(
        &self,
        owner: &str,
        claim: &Claim,
    ) -> Result<Option<Record>, StorageError> {
        let Some(mut record) = self.store.find(owner, claim.id()).await? else {
            return Ok(None);
        };
        let length = self.on_disk(&record, Files::settle).await?;
        // What lies behind an unfinished upload's confirmed bytes goes with the next send.
        let finished = record.state == State::Complete;
        if length < record.held || (finished && length != record.held) {
            tracing::error!(
                id = record.id,
                "the file has {length} bytes, not the {} confirmed ones: the upload starts afresh",
                record.held
            );
            self.reset(&mut record).await?;
        }
        Ok(Some(record))
    }

    /// Forgets all bytes of an upload. Whoever calls this, or what follows, has the claim.
    pub async fn reset(&self, record: &mut Record) -> Result<(), StorageError> {
        self.withdraw(record).await?;
        record.state = State::Partial;
        record.held = 0;
        record.digests = Digests::default();
        record.place = record.id.clone();
        Ok(self.store.save(record).await?)
    }

    /// Forgets an upload, record and bytes.
    pub async fn forget(&self, record: &Record) -> Result<(), StorageError> {
        self.withdraw(record).await?;
        self.store.delete(&record.id).await?;
        let remove = |files: &Files, record: &Record| files.remove(&record.id);
        if let Err(error) = self.on_disk(record, remove).await {
            // It goes at the next start.
            tracing::warn!(id = record.id, "cannot remove the file: {error}");
        }
        Ok(())
    }

    async fn withdraw(&self, record: &Record) -> Result<(), StorageError> {
        if record.state == State::Complete {
            self.on_disk(record, Files::withdraw).await?;
        }
        Ok(())
    }

    /// Makes an upload a finished one; all its bytes are durable in `partial`.
    pub async fn finish(&self, record: &mut Record) -> Result<(), StorageError> {
        self.commit_finished(record).await?;
        self.settle(record).await
    }

    /// The second half of [`finish`](Self::finish).
    pub async fn settle(&self, record: &Record) -> Result<(), StorageError> {
        self.on_disk(record, Files::settle).await.map(drop)
    }

    /// The first half of [`finish`](Self::finish): without the second one the file is finished too, and
    /// goes to its place at the next occasion.
    pub async fn commit_finished(&self, record: &mut Record) -> Result<(), StorageError> {
        for _ in 0..ATTEMPTS {
            let (place, holder) = self.choose(record).await?;
            // Nobody else puts a file there, or asks for the one that is there, meanwhile.
            let _claim = match &holder {
                Some(id) => Some(
                    self.active
                        .claim(id)
                        .await
                        .map_err(|_| StorageError::Busy)?,
                ),
                None => None,
            };
            let finished = Record {
                state: State::Complete,
                held: record.identity.size,
                place,
                ..record.clone()
            };
            let make_way = |files: &Files, record: &Record| files.make_way(&record.place);
            self.on_disk(&finished, make_way).await?;
            if self.store.finish(&finished, holder.clone()).await? {
                failpoint::hit("after-finish");
                *record = finished;
                if let Some(id) = holder {
                    let files = self.files.clone();
                    blocking(move || files.remove(&id)).await?;
                }
                return Ok(());
            }
        }
        Err(StorageError::Busy)
    }

    /// Where the file would go if it were finished now, and the upload whose file it replaces.
    pub async fn choose(&self, record: &Record) -> Result<(String, Option<String>), StorageError> {
        let file = &record.identity;
        if self.layout == Layout::Id {
            return Ok((record.id.clone(), None));
        }
        let most = match self.conflict {
            Conflict::Rename => MAX_NAMESAKES,
            Conflict::Replace | Conflict::Refuse => 1,
        };
        let taken = |why: &str| {
            let path = format!("{}/{}", file.dir, file.name);
            let path = path.trim_start_matches('/').escape_debug();
            StorageError::Taken(format!("'{path}' {why}"))
        };
        for number in 1..=most {
            let place = names::tree(&file.owner, &file.dir, &file.name, number);
            let holder = self.store.holder(&place, &record.id).await?;
            let (files, looked) = (self.files.clone(), place.clone());
            match blocking(move || files.look(&looked)).await? {
                Found::NoWay => return Err(taken("cannot be: a directory in it is a file")),
                Found::Nothing if holder.is_none() => return Ok((place, None)),
                Found::Nothing | Found::File if self.conflict == Conflict::Replace => {
                    return Ok((place, holder))
                }
                Found::Directory if self.conflict == Conflict::Replace => {
                    return Err(taken("is a directory"))
                }
                _ => {}
            }
        }
        Err(taken(
            "is there already: choose another name, or delete it first",
        ))
    }

    /// Finishes an upload with the bytes of another one of the same owner that has the same
    /// content, by its MD5 and, where it is known, its SHA-256; `false` when there is none.
    pub async fn finish_instantly(
        &self,
        record: &mut Record,
        sha256: &str,
    ) -> Result<bool, StorageError> {
        let Some(twin) = self.store.find_content(&record.identity).await? else {
            return Ok(false);
        };
        if !sha256.is_empty() && sha256 != twin.digests.sha256() {
            return Ok(false);
        }
        let id = record.id.clone();
        let link = move |files: &Files, twin: &Record| files.link(twin, &id);
        if let Err(error) = self.on_disk(&twin, link).await {
            tracing::warn!(
                id = twin.id,
                "cannot link the file, it has to come again: {error}"
            );
            return Ok(false);
        }
        if !self.still(&twin).await? {
            return Ok(false);
        }
        record.digests = twin.digests;
        self.finish(record).await?;
        Ok(true)
    }

    /// Opens a finished upload's file; `None` when it is gone or has become another one.
    pub async fn read(&self, record: &Record) -> Result<Option<tokio::fs::File>, StorageError> {
        let file = self.on_disk(record, Files::read).await;
        if !self.still(record).await? {
            return Ok(None);
        }
        Ok(Some(tokio::fs::File::from_std(file?)))
    }

    /// Whether what was found on the disk was the file of this finished upload, of which nobody has the claim: other
    /// bytes come there only when the record is another one.
    async fn still(&self, record: &Record) -> Result<bool, StoreError> {
        let now = self.store.find(&record.identity.owner, &record.id).await?;
        Ok(now.is_some_and(|now| {
            now.state == State::Complete
                && now.place == record.place
                && now.digests.sha256() == record.digests.sha256()
        }))
    }

    /// After a crash: takes finished files to their places and removes bytes that are nobody's.
    pub async fn mend(&self) -> Result<(), StorageError> {
        let files = self.files.clone();
        for id in blocking(move || files.partial_ids()).await? {
            match self.store.find_any(&id).await? {
                Some(record) => {
                    if let Err(error) = self.on_disk(&record, Files::settle).await {
                        tracing::error!(id, "cannot put the finished file into its place: {error}");
                    }
                }
                None => {
                    let (files, orphan) = (self.files.clone(), id.clone());
                    match blocking(move || files.remove(&orphan)).await {
                        Ok(()) => tracing::info!(id, "removed bytes that no record is of"),
                        Err(error) => tracing::warn!(id, "cannot remove from 'partial': {error}"),
                    }
                }
            }
        }
        Ok(())
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        record: &Record,
        work: impl FnOnce(&Files, &Record) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (files, record) = (self.files.clone(), record.clone());
        blocking(move || work(&files, &record)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StorageError> {
    Ok(tokio::task::spawn_blocking(work).await??)
}
