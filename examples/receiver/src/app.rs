//! What all requests share.

use std::sync::Arc;

use crate::config::Config;
use crate::storage::digests::Digests;
use crate::storage::files::Files;
use crate::storage::record::{Record, State};
use crate::storage::store::{Store, StoreError};
use crate::wire::active::{Active, Claim};
use crate::wire::answer::Answer;

/// The receiver behind the endpoint.
#[derive(Clone)]
pub struct App {
    /// Its settings.
    pub config: Arc<Config>,
    /// The upload records.
    pub store: Store,
    /// The stored files.
    pub files: Files,
    /// The uploads under way.
    pub active: Arc<Active>,
}

impl App {
    /// The most file bytes that one send may carry.
    pub fn max_segment(&self) -> Option<u64> {
        self.config.max_segment.map(Into::into)
    }

    /// The owner's upload, looked up again under its claim and compared with the disk.
    pub async fn current(&self, owner: &str, claim: &Claim) -> Result<Option<Record>, Answer> {
        let Some(mut record) = self.store.find(owner, claim.id()).await? else {
            return Ok(None);
        };
        let length = self.files.length(&record.id).await;
        let length = length.map_err(Answer::internal)?;
        if length < record.held {
            tracing::error!(
                id = record.id,
                "the file has {length} of {} confirmed bytes: the upload starts afresh",
                record.held
            );
            self.reset(&mut record).await?;
        }
        Ok(Some(record))
    }

    /// Forgets an upload, record and bytes; whoever calls has the claim.
    pub async fn forget(&self, record: &Record) -> Result<(), StoreError> {
        self.store.delete(&record.id).await?;
        // Bytes without a record are nobody's.
        if let Err(error) = self.files.remove(&record.id).await {
            tracing::warn!(id = record.id, "cannot remove the file: {error}");
        }
        Ok(())
    }

    /// Forgets all bytes of an upload.
    pub async fn reset(&self, record: &mut Record) -> Result<(), StoreError> {
        record.state = State::Partial;
        record.held = 0;
        record.digests = Digests::default();
        self.store.save(record).await
    }
}

impl From<StoreError> for Answer {
    fn from(error: StoreError) -> Self {
        if error.no_room() {
            Answer::no_room(error)
        } else {
            Answer::internal(error)
        }
    }
}
