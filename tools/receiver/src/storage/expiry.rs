//! Removal of uploads that nobody finishes.

use std::time::Duration;

use tokio::time::sleep;

use crate::storage::database::now;
use crate::storage::error::StorageError;
use crate::storage::record::{Record, State};
use crate::storage::uploads::Uploads;

/// The longest time between two searches.
const MAX_INTERVAL: Duration = Duration::from_secs(3600);

/// Deletes unfinished uploads that have made no progress for `age`. Never returns.
pub async fn run(uploads: Uploads, age: Duration) {
    loop {
        if let Err(error) = delete_expired(&uploads, age).await {
            tracing::error!("cannot remove expired uploads: {error}");
        }
        sleep(MAX_INTERVAL.min(age / 10)).await;
    }
}

async fn delete_expired(uploads: &Uploads, age: Duration) -> Result<(), StorageError> {
    let since = now().saturating_sub_unsigned(age.as_millis() as u64);
    for found in uploads.store.idle(since).await? {
        // An upload that a request works on is not idle.
        let Some(_claim) = uploads.claims.claim_idle(&found.id) else {
            continue;
        };
        let record = uploads.store.find_any(&found.id).await?;
        let idle = |record: &Record| record.state != State::Complete && record.changed < since;
        if let Some(record) = record.filter(idle) {
            tracing::info!(
                id = record.id,
                "expired with {} of {} bytes",
                record.offset,
                record.identity.size
            );
            uploads.delete(&record).await?;
        }
    }
    Ok(())
}
