//! Files that are stored as a whole, at once.

use std::io::{self, Write};

use bytes::Bytes;
use cap_std::fs::OpenOptions;

use crate::storage::changes::New;
use crate::storage::error::StorageError;
use crate::storage::failpoint;
use crate::storage::files::{sync_names, Files};
use crate::storage::objects::Objects;
use crate::storage::record::Record;
use crate::storage::threads::blocking;
use crate::storage::uploads::{Named, Uploads};

impl Uploads {
    /// Stores a whole file at once, as an upload that has no bytes yet, or as a new one.
    /// `false` when there is one by now, or its owner would have too much.
    pub async fn store_whole(
        &self,
        record: &mut Record,
        bytes: Bytes,
        new: Option<New>,
    ) -> Result<bool, StorageError> {
        if let Some(objects) = self.objects.clone() {
            return self.store_object(&objects, record, bytes, new).await;
        }
        let (files, name) = (self.files.clone(), record.withdrawn_name());
        let mut digests = record.digests.none_yet();
        record.digests = blocking(move || {
            digests.update(&bytes);
            files.write_whole(&name, &bytes).map(|()| digests)
        })
        .await?;
        let (done, _named) = self.commit_whole(record, new).await;
        let (files, finished) = (self.files.clone(), record.clone());
        match &done {
            Ok(true) => {
                let place = move || {
                    files.restore(&finished)?;
                    files.move_to_place(&finished).map(drop)
                };
                blocking(place).await?;
            }
            // If the database has it all the same, these are its bytes. Else the next start moves them aside.
            Err(error) if error.may_be_done() => {
                blocking(move || files.restore(&finished)).await?;
            }
            Ok(false) | Err(_) => {
                blocking(move || files.remove(&finished.withdrawn_name())).await?;
            }
        }
        done
    }

    /// Commits an upload whose bytes are durable. What it returns beside the result is kept until they are at their place.
    async fn commit_whole(
        &self,
        record: &mut Record,
        new: Option<New>,
    ) -> (Result<bool, StorageError>, Option<Named>) {
        let named = match self.lock_names(record).await {
            Ok(named) => named,
            Err(error) => return (Err(error), None),
        };
        let done = match named.is_some() && new.is_some() {
            // Whoever had the lock before may have stored the same file.
            true => self.try_to_finish_unknown(record, new).await,
            false => self.try_to_finish(record, new).await,
        };
        (done, named)
    }

    /// Does the same where the bytes become an object.
    async fn store_object(
        &self,
        objects: &Objects,
        record: &mut Record,
        bytes: Bytes,
        new: Option<New>,
    ) -> Result<bool, StorageError> {
        self.drop_unused(record).await?;
        let mut digests = record.digests.none_yet();
        digests.update(&bytes);
        record.digests = digests;
        let key = objects.working_key(record);
        objects.put(&key, bytes).await?;
        failpoint::hit("after-sync");
        let (done, _named) = self.commit_whole(record, new).await;
        match &done {
            Ok(true) => objects.finish(record).await?,
            // If the database has it all the same, these are its bytes.
            Err(error) if error.may_be_done() => {}
            Ok(false) | Err(_) => objects.delete(&key).await?,
        }
        done
    }

    /// Commits a finished upload as [`try_to_finish`](Self::try_to_finish) does, unless its file has a record by now.
    async fn try_to_finish_unknown(
        &self,
        record: &mut Record,
        new: Option<New>,
    ) -> Result<bool, StorageError> {
        match self.store.find_file(&record.identity).await? {
            Some(_) => Ok(false),
            None => self.try_to_finish(record, new).await,
        }
    }
}

impl Files {
    /// Writes the bytes of an upload that is about to be finished or, if there is a crash, forgotten.
    pub fn write_whole(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let written = self.partial.open_with(name, &options).and_then(|file| {
            let mut file = file.into_std();
            file.write_all(bytes)?;
            failpoint::hit("after-write");
            file.sync_data()?;
            failpoint::hit("after-sync");
            sync_names(&self.partial)
        });
        if written.is_err() {
            self.remove(name)?;
        }
        written
    }
}
