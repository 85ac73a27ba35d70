//! Files that are stored as a whole, at once.

use crate::storage::changes::Limits;
use crate::storage::error::StorageError;
use crate::storage::files::WITHDRAWN;
use crate::storage::record::Record;
use crate::storage::uploads::{blocking, Uploads};

impl Uploads {
    /// Stores a whole file at once, as an upload that has no bytes yet; with limits, as one that has no record yet.
    /// `false` when there is one by now, or its owner would have too much.
    pub async fn store_whole(
        &self,
        record: &mut Record,
        bytes: Vec<u8>,
        new: Option<Limits>,
    ) -> Result<bool, StorageError> {
        let (files, id) = (self.files.clone(), record.id.clone());
        let mut digests = record.digests.none_yet();
        record.digests = blocking(move || {
            digests.update(&bytes);
            files.write_whole(&id, &bytes).map(|()| digests)
        })
        .await?;
        let _named = self.lock_names(record).await;
        let done = self.try_to_finish(record, new).await;
        let (files, finished) = (self.files.clone(), record.clone());
        match &done {
            Ok(true) => {
                let place = move || {
                    files.restore(&finished.id)?;
                    files.move_to_place(&finished).map(drop)
                };
                blocking(place).await?;
            }
            Ok(false) | Err(_) => {
                blocking(move || files.remove(&(finished.id + WITHDRAWN))).await?;
            }
        }
        done
    }
}
