//! Removal of uploads that nobody finishes.

use std::time::Duration;

use tokio::time::{sleep, Instant};

use crate::storage::database::now;
use crate::storage::error::StorageError;
use crate::storage::record::{Record, State};
use crate::storage::uploads::Uploads;

/// The longest time between two searches.
const MAX_INTERVAL: Duration = Duration::from_secs(3600);
/// The time for which nothing is deleted after the clock has moved on while nobody saw it: the receiver was not
/// running, or the clock is wrong.
const MAX_GRACE: Duration = Duration::from_secs(24 * 3600);

/// Deletes unfinished uploads that have made no progress for `age`. Never returns.
pub async fn run(uploads: Uploads, age: Duration) {
    let interval = MAX_INTERVAL.min(age / 10);
    let grace = MAX_GRACE.min(age);
    let mut last = Instant::now();
    let mut trusted = last;
    loop {
        let ran = last.elapsed();
        last = Instant::now();
        match jump(&uploads, ran).await {
            Ok(jump) if jump > age / 10 => {
                trusted = last + grace;
                tracing::warn!(
                    "the clock has moved on by {} s while the receiver did not run: no upload expires in the next {} s",
                    jump.as_secs(),
                    grace.as_secs()
                );
            }
            Ok(_) if last < trusted => {}
            Ok(_) => {
                if let Err(error) = delete_expired(&uploads, age).await {
                    tracing::error!("cannot remove expired uploads: {error}");
                }
            }
            Err(error) => tracing::error!("cannot save the time: {error}"),
        }
        sleep(interval).await;
    }
}

/// Returns how much further the clock has gone since the last search than this process has run.
async fn jump(uploads: &Uploads, ran: Duration) -> Result<Duration, StorageError> {
    let now = now();
    let before = uploads.store.save_clock(now).await?.unwrap_or(now);
    let passed = Duration::from_millis(u64::try_from(now - before).unwrap_or(0));
    Ok(passed.saturating_sub(ran))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::{Conflict, Layout};
    use crate::storage::changes::Limits;
    use crate::storage::claims::Claims;
    use crate::storage::files::Files;
    use crate::storage::record::Identity;
    use crate::storage::store::Store;
    use crate::storage::uploads::Naming;

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_expires_right_after_the_clock_has_jumped() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/records?mode=rwc", dir.path().display());
        let uploads = Uploads {
            store: Store::open(&url).await.unwrap(),
            files: Files::open(dir.path()).unwrap(),
            claims: Arc::new(Claims::new(10, None)),
            naming: Naming::default(),
            layout: Layout::Id,
            conflict: Conflict::Rename,
        };
        let identity = Identity {
            owner: String::new(),
            dir: String::new(),
            name: "a".to_owned(),
            size: 10,
            mtime: String::new(),
            md5: String::new(),
        };
        let record = Record::new(identity).unwrap();
        let store = &uploads.store;
        assert!(store.insert(&record, Limits::default()).await.unwrap());
        store.save_clock(now() - 400 * 86_400_000).await.unwrap();
        let age = Duration::from_secs(2);
        sleep(age + Duration::from_millis(100)).await;
        let task = tokio::spawn(run(uploads.clone(), age));
        sleep(Duration::from_millis(700)).await;
        assert!(store.find_any(&record.id).await.unwrap().is_some());
        for _ in 0..100 {
            sleep(Duration::from_millis(100)).await;
            if store.find_any(&record.id).await.unwrap().is_none() {
                task.abort();
                return;
            }
        }
        panic!("it never expires");
    }
}
