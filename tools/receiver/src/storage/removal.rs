//! Removal of uploads, and of bytes that are dropped.

use std::io::{self, ErrorKind};

use crate::storage::error::{StorageError, StoreError};
use crate::storage::events::Kind;
use crate::storage::files::{sync_names, Files};
use crate::storage::record::{Prefix, Record, State};
use crate::storage::uploads::Uploads;

impl Uploads {
    /// Drops all bytes of an upload. The caller has the claim, here and in the functions below.
    pub async fn reset(&self, record: &mut Record) -> Result<(), StorageError> {
        let was = record.clone();
        match &self.objects {
            Some(objects) => {
                self.make_sure(record).await?;
                objects.drop_bytes(record).await?;
                record.object = None;
                record.renew_name();
            }
            None if was.state == State::Complete => {
                self.make_sure(record).await?;
                self.on_disk(record, Files::move_back).await?;
            }
            None => {}
        }
        record.go_back(Prefix::default());
        record.place = record.id.clone();
        let saved = match was.state {
            State::Complete => self.store.restart(record, &was).await,
            State::New | State::Partial => self.store.save(record).await,
        };
        if let (Err(StoreError::Lost), None) = (&saved, &self.objects) {
            self.on_disk(&was, Files::put_back).await?;
        }
        Ok(saved?)
    }

    /// Drops the bytes of an upload that are not the client's. An unfinished one keeps those that a digest has proven.
    pub async fn drop_wrong(&self, record: &mut Record) -> Result<(), StorageError> {
        let safe = record.safe_prefix();
        if record.state == State::Complete || safe.offset == 0 {
            return self.reset(record).await;
        }
        record.go_back(safe);
        Ok(self.store.save(record).await?)
    }

    /// Deletes an upload, record and file.
    pub async fn delete(&self, record: &Record) -> Result<(), StorageError> {
        let why = match record.state {
            State::Complete => Kind::Deleted,
            State::New | State::Partial => Kind::Discarded,
        };
        self.delete_as(record, why).await
    }

    /// Deletes an upload, record and file, and says why.
    pub async fn delete_as(&self, record: &Record, why: Kind) -> Result<(), StorageError> {
        self.make_sure(record).await?;
        if let Some(objects) = &self.objects {
            // A crash in between leaves a record without bytes, and never bytes without a record.
            objects.drop_bytes(record).await?;
            return Ok(self.store.delete(record, why).await?);
        }
        self.on_disk(record, Files::withdraw).await?;
        if let Err(error) = self.store.delete(record, why).await {
            let is_lost = matches!(error, StoreError::Lost);
            let restore = move |files: &Files, record: &Record| {
                files.restore(record)?;
                match is_lost {
                    true => files.put_back(record),
                    false => Ok(()),
                }
            };
            self.on_disk(record, restore).await?;
            return Err(error.into());
        }
        let remove = |files: &Files, record: &Record| files.remove(&record.withdrawn_name());
        if let Err(error) = self.on_disk(record, remove).await {
            // The next start removes it.
            tracing::warn!(id = record.id, "cannot remove the file: {error}");
        }
        Ok(())
    }

    /// Makes sure that no other receiver has taken the upload over by now.
    pub(super) async fn make_sure(&self, record: &Record) -> Result<(), StorageError> {
        match &self.leases {
            Some(leases) => Ok(leases.make_sure(record.lease).await?),
            None => Ok(()),
        }
    }
}

impl Files {
    /// Puts a finished file that was moved to `partial` back where it was, unless there is another one by now. It may be the file
    /// of another upload, which came there after another receiver had taken this one over.
    fn put_back(&self, record: &Record) -> io::Result<()> {
        let name = record.file_name();
        if record.state != State::Complete || self.partial_length(&name).is_err() {
            return Ok(());
        }
        let linked = self.link_to_place(record);
        match linked {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                self.remove(&name)?;
                sync_names(&self.partial)
            }
        }
    }
}
