//! What a start does with the bytes that are in `partial`.

use std::io;

use crate::storage::error::StorageError;
use crate::storage::files::{Files, PROBE};
use crate::storage::record::{Record, State, WITHDRAWN};
use crate::storage::threads::blocking;
use crate::storage::unknown::KEPT_DAYS;
use crate::storage::uploads::Uploads;

/// How many files, with how many bytes.
#[derive(Default)]
struct Count {
    files: u64,
    bytes: u64,
}

impl Count {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

impl Uploads {
    /// Repairs what a crash has left: moves finished files to their places, and ends deletions. Bytes of uploads that
    /// have no record are moved aside, since it may be the database that is wrong, and back when there is a record.
    pub async fn recover(&self) -> Result<(), StorageError> {
        self.bring_back().await?;
        let mut unknown = Count::default();
        let files = self.files.clone();
        for name in blocking(move || files.partial_names()).await? {
            match self.repair(&name, &mut unknown).await {
                // It is begun again when the database is there.
                Err(error) if error.is_unreachable() => return Err(error),
                Err(error) => tracing::error!("cannot put '{name}' in 'partial' right: {error}"),
                Ok(()) => {}
            }
        }
        if unknown.files > 0 {
            tracing::warn!(
                "{} files with {} bytes of uploads that are not in the database are now in 'partial.unknown': is it \
                 the right one? With the right one they come back at the next start; after {KEPT_DAYS} days they are \
                 deleted. The command 'unknown' lists and removes them",
                unknown.files,
                unknown.bytes
            );
        }
        self.sweep_objects(false).await
    }

    async fn repair(&self, name: &str, unknown: &mut Count) -> Result<(), StorageError> {
        // Behind a dot is the number of the file, or what happens to it.
        let id = name.split('.').next().filter(|id| !id.is_empty());
        let id = id.unwrap_or(name);
        let found = self.store.find_any(id).await?;
        let is_usual = |it: &Record| it.state != State::Complete && it.file_name() == name;
        if found.as_ref().is_some_and(is_usual) {
            return Ok(());
        }
        // At another receiver a request may work on it.
        let Some(claim) = self.claim_idle(id).await? else {
            return Ok(());
        };
        let record = self.find_claimed(&claim).await?;
        let withdrawn = name.strip_suffix(WITHDRAWN);
        let (files, name) = (self.files.clone(), name.to_owned());
        match (record, withdrawn) {
            (Some(record), Some(_)) if record.withdrawn_name() == name => {
                self.on_disk(&record, Files::restore).await?;
                self.move_to_place(&record).await
            }
            (Some(record), None) if record.file_name() == name => self.move_to_place(&record).await,
            // An older file, whose bytes were copied.
            (Some(_), _) => blocking(move || files.remove(&name)).await,
            (None, Some(_)) => blocking(move || files.remove(&name)).await,
            (None, None) if name == PROBE => blocking(move || files.remove(&name)).await,
            (None, None) => {
                unknown.add(blocking(move || files.set_aside(&name)).await?);
                Ok(())
            }
        }
    }

    /// Moves bytes back that were moved aside, where the database knows their upload and has not gone on without them.
    async fn bring_back(&self) -> Result<(), StorageError> {
        let mut back = Count::default();
        let files = self.files.clone();
        for found in blocking(move || files.unknown()).await? {
            let id = found.name.split('.').next().unwrap_or(&found.name);
            if self.store.find_any(id).await?.is_none() {
                continue;
            }
            let Some(claim) = self.claim_idle(id).await? else {
                continue;
            };
            let record = self.find_claimed(&claim).await?;
            let Some(record) = record.filter(|record| record.file_name() == found.name) else {
                continue;
            };
            let bytes = found.bytes;
            let moved = self.on_disk(&record, move |files: &Files, record: &Record| {
                let fits = is_missing(files, record, bytes)?;
                if fits {
                    files.bring_back(&record.file_name())?;
                }
                Ok(fits)
            });
            match moved.await {
                Ok(true) => back.add(bytes),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(id = record.id, "cannot bring its bytes back: {error}")
                }
            }
        }
        if back.files > 0 {
            tracing::info!(
                "{} files with {} bytes have come back from 'partial.unknown': their uploads are in the database",
                back.files,
                back.bytes
            );
        }
        Ok(())
    }
}

/// Whether an upload lacks its bytes, and can have these.
fn is_missing(files: &Files, record: &Record, bytes: u64) -> io::Result<bool> {
    let held = match record.state {
        State::Complete if !files.is_gone(record)? => return Ok(false),
        State::Complete => bytes == record.offset,
        State::New | State::Partial => {
            let held = record.offset.max(record.ranges.end());
            files.partial_length(&record.file_name())? == 0 && bytes >= held
        }
    };
    Ok(held && (record.offset > 0 || !record.ranges.is_empty()))
}
