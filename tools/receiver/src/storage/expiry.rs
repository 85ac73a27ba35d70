//! Unfinished uploads do not stay for ever.

use std::time::Duration;

use tokio::time::sleep;

use crate::storage::changes::now;
use crate::storage::error::StorageError;
use crate::storage::record::{Record, State};
use crate::storage::uploads::Shelf;

/// The longest time between two looks.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Forgets, again and again, unfinished uploads that have not got on for `age`.
pub async fn run(shelf: Shelf, age: Duration) {
    loop {
        if let Err(error) = sweep(&shelf, age).await {
            tracing::error!("cannot remove expired uploads: {error}");
        }
        sleep(INTERVAL.min(age / 10)).await;
    }
}

async fn sweep(shelf: &Shelf, age: Duration) -> Result<(), StorageError> {
    let since = now().saturating_sub_unsigned(age.as_millis() as u64);
    for found in shelf.store.idle(since).await? {
        // One that is being worked on is not idle.
        let Some(_claim) = shelf.active.claim_idle(&found.id) else {
            continue;
        };
        let record = shelf.store.find_any(&found.id).await?;
        let idle = |record: &Record| record.state != State::Complete && record.changed < since;
        if let Some(record) = record.filter(idle) {
            tracing::info!(
                id = record.id,
                "expired with {} of {} bytes",
                record.held,
                record.identity.size
            );
            shelf.forget(&record).await?;
        }
    }
    Ok(())
}
