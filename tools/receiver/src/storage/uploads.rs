//! Records and files together, changed in an order that no crash can break.
//!
//! The order is always the same. Bytes are durable before their record says so. The record of a finished
//! file is durable before the file is moved to its place, and the file leaves its place before the record
//! is deleted. So the bytes that a crash leaves in `partial` show what was about to happen.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::config::{Conflict, Layout};
use crate::storage::blocks::Blocks;
use crate::storage::changes::New;
use crate::storage::claims::{Claim, Claims};
use crate::storage::error::StorageError;
use crate::storage::events::Kind;
use crate::storage::failpoint;
use crate::storage::files::{Entry, Files};
use crate::storage::leases::Leases;
use crate::storage::names;
use crate::storage::object_files::place_key;
use crate::storage::objects::Objects;
use crate::storage::pace::Pace;
use crate::storage::record::{Prefix, Record, State};
use crate::storage::store::Store;
use crate::storage::threads::blocking;

/// The largest number of files in one directory that differ only in the number added to their name.
const MAX_NAMESAKES: u32 = 1000;
/// How often a place is chosen again because another upload has just taken it.
const ATTEMPTS: u32 = 20;

/// All uploads: records, files, and the claims of those who work on them.
#[derive(Clone)]
pub struct Uploads {
    /// The records.
    pub store: Store,
    /// The files.
    pub files: Files,
    /// The object store that has the files in place of the directory.
    pub objects: Option<Objects>,
    /// The claims.
    pub claims: Arc<Claims>,
    /// The claims of other receivers with the same database and directory, where there may be some.
    pub leases: Option<Leases>,
    /// How often an owner's files are searched for those that are gone.
    pub searches: Pace,
    /// The bytes on their way to the files.
    pub blocks: Blocks,
    /// The right to give a file of an owner its place.
    pub naming: Naming,
    /// Where finished files go.
    pub layout: Layout,
    /// What happens when another file is there.
    pub conflict: Conflict,
}

/// Locks for the choice of places: of two files of one owner, the second one sees where the first one went, although
/// the file system may equate names with different texts.
#[derive(Clone, Default)]
pub struct Naming(Arc<[Arc<Mutex<()>>; 32]>);

/// Such a lock, and the one among several receivers.
pub struct Named {
    _own: OwnedMutexGuard<()>,
    _claim: Option<Claim>,
}

impl Naming {
    async fn lock(&self, owner: &str) -> OwnedMutexGuard<()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(owner);
        self.0[(hash % self.0.len() as u64) as usize]
            .clone()
            .lock_owned()
            .await
    }
}

impl Uploads {
    /// Loads the owner's upload again, under its claim, and compares the record with the file.
    pub async fn load(&self, owner: &str, claim: &Claim) -> Result<Option<Record>, StorageError> {
        let Some(mut record) = self.store.find(owner, claim.id()).await? else {
            return Ok(None);
        };
        record.lease = claim.lease();
        let length = self.put_in_place(&record).await?;
        // Bytes behind the offset of an unfinished upload are cut off by the next send.
        let finished = record.state == State::Complete;
        if length < record.offset || (finished && length != record.offset) {
            tracing::error!(
                id = record.id,
                "the file has {length} bytes, but {} were confirmed: the upload begins again",
                record.offset
            );
            self.reset(&mut record).await?;
        } else if record.ranges.clip(length) {
            tracing::error!(
                id = record.id,
                "the file has {length} bytes: ranges are lost"
            );
            self.store.save(&record).await?;
        } else if record.gone > 0 {
            self.store.set_gone(vec![record.id.clone()], 0).await?;
        }
        Ok(Some(record))
    }

    /// Finishes an upload whose bytes are all durable in `partial`. The caller has the claim, here and in the functions below.
    pub async fn finish(&self, record: &mut Record) -> Result<(), StorageError> {
        let _named = self.commit_finished(record).await?;
        self.move_to_place(record).await
    }

    /// Does the second half of [`finish`](Self::finish).
    pub async fn move_to_place(&self, record: &Record) -> Result<(), StorageError> {
        self.put_in_place(record).await.map(drop)
    }

    /// Moves a finished file to its place, if it is not there yet. Returns how many bytes of the upload there are.
    async fn put_in_place(&self, record: &Record) -> Result<u64, StorageError> {
        match &self.objects {
            Some(objects) => Ok(objects.move_to_place(record).await?),
            None => self.on_disk(record, Files::move_to_place).await,
        }
    }

    /// Does the first half of [`finish`](Self::finish). After that the upload is finished, even if the second
    /// half fails: the file is moved to its place at the next opportunity. What it returns is kept until then.
    pub async fn commit_finished(
        &self,
        record: &mut Record,
    ) -> Result<Option<Named>, StorageError> {
        self.commit_new(record, None).await
    }

    /// As [`commit_finished`](Self::commit_finished), for an upload that may be new.
    pub(super) async fn commit_new(
        &self,
        record: &mut Record,
        new: Option<New>,
    ) -> Result<Option<Named>, StorageError> {
        let named = self.lock_names(record).await?;
        for _ in 0..ATTEMPTS {
            if self.try_to_finish(record, new.clone()).await? {
                return Ok(named);
            }
        }
        Err(StorageError::Busy)
    }

    /// Commits a finished upload at a place; `false` when another upload has just taken it. If it is new, also `false`
    /// when its file has a record by now, or its owner would have too much.
    pub(super) async fn try_to_finish(
        &self,
        record: &mut Record,
        new: Option<New>,
    ) -> Result<bool, StorageError> {
        let (place, mut replaced) = self.choose_place(record).await?;
        // While this is claimed, no other request puts a file there or reads the one that is there.
        let _claim = match &mut replaced {
            Some(old) => {
                let claim = self.claim(&old.id).await;
                let claim = claim.map_err(|_| StorageError::Busy)?;
                old.lease = claim.lease();
                Some(claim)
            }
            None => None,
        };
        let finished = Record {
            state: State::Complete,
            offset: record.identity.size,
            // The digest of the whole file has proven all.
            proven: Prefix::default(),
            object: None,
            place,
            ..record.clone()
        };
        if self.objects.is_none() {
            let make_dirs = |files: &Files, record: &Record| files.make_dirs(&record.place);
            self.on_disk(&finished, make_dirs).await?;
        }
        let done = self.store.finish(&finished, replaced.clone(), new).await?;
        if done {
            failpoint::hit("after-finish");
            *record = finished;
            if let Some(old) = replaced.filter(|_| self.objects.is_none()) {
                let remove = |files: &Files, old: &Record| files.remove(&old.file_name());
                if let Err(error) = self.on_disk(&old, remove).await {
                    // The next start moves it aside.
                    tracing::warn!(id = old.id, "cannot remove the file: {error}");
                }
            }
        }
        Ok(done)
    }

    pub(super) async fn lock_names(&self, record: &Record) -> Result<Option<Named>, StorageError> {
        if self.layout == Layout::Id {
            return Ok(None);
        }
        let owner = &record.identity.owner;
        let own = self.naming.lock(owner).await;
        let mut claim = None;
        if self.leases.is_some() {
            let id = format!(":names {}", hex::encode(owner));
            claim = Some(self.claim(&id).await.map_err(|_| StorageError::Busy)?);
        }
        Ok(Some(Named {
            _own: own,
            _claim: claim,
        }))
    }

    /// Chooses the place where the file would go if it were finished now. Returns it, and the upload whose file it
    /// would replace.
    pub async fn choose_place(
        &self,
        record: &Record,
    ) -> Result<(String, Option<Record>), StorageError> {
        let file = &record.identity;
        if self.layout == Layout::Id {
            return Ok((record.id.clone(), None));
        }
        let last = match self.conflict {
            Conflict::Rename => MAX_NAMESAKES,
            Conflict::Replace | Conflict::Refuse => 1,
        };
        let taken = |why: &str| {
            let full = format!("{}/{}", record.dir(), record.name());
            let path = full.trim_start_matches('/').escape_debug();
            StorageError::NameTaken(format!("'{path}' {why}"))
        };
        for number in 1..=last {
            let place = names::tree(&file.owner, record.dir(), record.name(), number);
            names::check_place(&place).map_err(StorageError::NameTooLong)?;
            let mut other = self.store.at(&place, &record.id).await?;
            let entry = self.entry_at(&place).await?;
            if let (Entry::None, Some(old)) = (entry, &other) {
                if self.forget_gone(old, "its name is wanted").await? {
                    other = None;
                }
            }
            if let (Entry::File, None, Conflict::Replace) = (entry, &other, self.conflict) {
                other = self.find_alias(&file.owner, &place).await?;
            }
            match entry {
                Entry::BelowFile => return Err(taken("cannot be: a directory in it is a file")),
                Entry::None if other.is_none() => return Ok((place, None)),
                Entry::None | Entry::File if self.conflict == Conflict::Replace => {
                    return Ok((place, other))
                }
                Entry::Directory if self.conflict == Conflict::Replace => {
                    return Err(taken("is a directory"))
                }
                _ => {}
            }
        }
        Err(taken(
            "is there already: choose another name, or delete it first",
        ))
    }

    async fn entry_at(&self, place: &str) -> Result<Entry, StorageError> {
        if let Some(objects) = &self.objects {
            let length = objects.length(&place_key(place)).await?;
            return Ok(length.map_or(Entry::None, |_| Entry::File));
        }
        let (files, path) = (self.files.clone(), place.to_owned());
        blocking(move || files.entry_at(&path)).await
    }

    /// Whether a finished upload's file is nowhere.
    pub(super) async fn is_gone(&self, record: &Record) -> Result<bool, StorageError> {
        match &self.objects {
            Some(objects) => Ok(objects.is_gone(record).await?),
            None => self.on_disk(record, Files::is_gone).await,
        }
    }

    /// Deletes the record of a finished upload whose file is gone; `false` when the file is not gone, or a request works
    /// on it. `why` is for the log.
    pub async fn forget_gone(&self, old: &Record, why: &str) -> Result<bool, StorageError> {
        let Some(claim) = self.claim_idle(&old.id).await? else {
            return Ok(false);
        };
        let now = self.find_claimed(&claim).await?;
        let Some(old) = now.filter(|now| now.state == State::Complete && now.place == old.place)
        else {
            return Ok(false);
        };
        let gone = self.is_gone(&old).await?;
        if gone {
            tracing::warn!(
                id = old.id,
                "the file '{}' is gone, and {why}: the upload is forgotten",
                old.place
            );
            self.store.delete(&old, Kind::Gone).await?;
        }
        Ok(gone)
    }

    /// Finds the finished upload whose file is at a place that has another text.
    async fn find_alias(&self, owner: &str, place: &str) -> Result<Option<Record>, StorageError> {
        if self.objects.is_some() {
            return Ok(None);
        }
        let (files, path) = (self.files.clone(), place.to_owned());
        let size = blocking(move || files.length_at(&path)).await?;
        let candidates = self.store.finished_of_size(owner, size).await?;
        let (files, path) = (self.files.clone(), place.to_owned());
        blocking(move || {
            for record in candidates {
                if files.is_alias(&path, &record.place)? {
                    return Ok(Some(record));
                }
            }
            Ok(None)
        })
        .await
    }

    pub(super) async fn on_disk<T: Send + 'static>(
        &self,
        record: &Record,
        work: impl FnOnce(&Files, &Record) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (files, record) = (self.files.clone(), record.clone());
        blocking(move || work(&files, &record)).await
    }
}
