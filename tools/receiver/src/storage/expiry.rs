//! Removal of what nobody needs any more: uploads that nobody finishes, bytes that the database does not know, and
//! records of files that are gone.

use std::time::Duration;

use tokio::time::{sleep, Instant};

use crate::storage::database::now;
use crate::storage::error::StorageError;
use crate::storage::events::{self, Kind};
use crate::storage::record::{Record, State};
use crate::storage::threads::blocking;
use crate::storage::unknown::KEPT;
use crate::storage::uploads::Uploads;

/// How many uploads are looked at together.
const PAGE: u32 = 100;
/// The longest time between two searches.
const MAX_INTERVAL: Duration = Duration::from_secs(3600);
/// The time for which nothing is deleted after the clock has moved on while nobody saw it: the receiver was not
/// running, or the clock is wrong.
const MAX_GRACE: Duration = Duration::from_secs(24 * 3600);

/// Deletes what is old, again and again. Unfinished uploads are that when they have made no progress for `age`, or never.
/// Events are that after `events`, or never. Does not return.
pub async fn run(uploads: Uploads, age: Option<Duration>, events: Option<Duration>) {
    let shortest = [age, events]
        .into_iter()
        .flatten()
        .fold(KEPT, Duration::min);
    let interval = MAX_INTERVAL.min(shortest / 10);
    let grace = MAX_GRACE.min(shortest);
    let mut last = Instant::now();
    let mut trusted = last;
    loop {
        let ran = last.elapsed();
        last = Instant::now();
        let trusts = match jump(&uploads, ran).await {
            Ok(Some(jump)) if jump > shortest / 10 => {
                trusted = last + grace;
                tracing::warn!(
                    "the clock has moved on by {} s while the receiver did not run: nothing expires in the next {} s",
                    jump.as_secs(),
                    grace.as_secs()
                );
                false
            }
            // The database is new, and may be the wrong one.
            Ok(None) => {
                trusted = last + grace;
                false
            }
            Ok(Some(_)) => last >= trusted,
            Err(error) => {
                tracing::error!("cannot save the time: {error}");
                false
            }
        };
        if let Err(error) = sweep(&uploads, age, events, trusts).await {
            tracing::error!("cannot remove what has expired: {error}");
        }
        sleep(interval).await;
    }
}

/// Returns how much further the clock has gone since the last search than this process has run; `None` at the first
/// search with this database.
async fn jump(uploads: &Uploads, ran: Duration) -> Result<Option<Duration>, StorageError> {
    let now = now();
    let before = uploads.store.save_clock(now).await?;
    Ok(before.map(|before| {
        let passed = Duration::from_millis(u64::try_from(now - before).unwrap_or(0));
        passed.saturating_sub(ran)
    }))
}

/// Looks once, unless another receiver does. Deletes nothing unless it trusts the clock.
async fn sweep(
    uploads: &Uploads,
    age: Option<Duration>,
    events: Option<Duration>,
    trusts: bool,
) -> Result<(), StorageError> {
    let Some(_claim) = uploads.claim_idle(":expiry").await? else {
        return Ok(());
    };
    if trusts {
        if let Some(kept) = events {
            uploads.store.forget_events(events::oldest(kept)).await?;
        }
        if let Some(age) = age {
            delete_expired(uploads, age).await?;
        }
        let files = uploads.files.clone();
        blocking(move || files.remove_old_unknown()).await?;
    }
    uploads.sweep_objects(trusts).await?;
    uploads.review_gone(trusts).await
}

async fn delete_expired(uploads: &Uploads, age: Duration) -> Result<(), StorageError> {
    let since = now().saturating_sub_unsigned(age.as_millis() as u64);
    let mut last = None;
    loop {
        let page = uploads.store.idle(since, last.as_ref(), PAGE).await?;
        for found in &page {
            match delete_idle(uploads, &found.id, since).await {
                Err(error) if !error.is_unreachable() => {
                    tracing::error!(id = found.id, "cannot delete what has expired: {error}");
                }
                done => done?,
            }
        }
        last = page.into_iter().last();
        if last.is_none() {
            return Ok(());
        }
    }
}

async fn delete_idle(uploads: &Uploads, id: &str, since: i64) -> Result<(), StorageError> {
    // An upload that a request works on is not idle.
    let Some(claim) = uploads.claim_idle(id).await? else {
        return Ok(());
    };
    let record = uploads.find_claimed(&claim).await?;
    let idle = |record: &Record| record.state != State::Complete && record.changed < since;
    if let Some(record) = record.filter(idle) {
        tracing::info!(
            id = record.id,
            "expired with {} of {} bytes",
            record.offset,
            record.identity.size
        );
        uploads.delete_as(&record, Kind::Expired).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;
    use std::time::SystemTime;

    use super::*;
    use crate::storage::bench::{insert, uploads};

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_expires_right_after_the_clock_has_jumped() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = uploads(dir.path()).await;
        let record = insert(&uploads, "a").await;
        let unknown = aside(dir.path(), "old", KEPT + MAX_GRACE);
        let store = &uploads.store;
        store.save_clock(now() - 400 * 86_400_000).await.unwrap();
        let age = Duration::from_secs(2);
        sleep(age + Duration::from_millis(100)).await;
        let task = tokio::spawn(run(uploads.clone(), Some(age), None));
        sleep(Duration::from_millis(700)).await;
        assert!(store.find_any(&record.id).await.unwrap().is_some() && unknown.exists());
        for _ in 0..100 {
            sleep(Duration::from_millis(100)).await;
            if store.find_any(&record.id).await.unwrap().is_none() && !unknown.exists() {
                task.abort();
                return;
            }
        }
        panic!("it never expires");
    }

    /// Makes a file that was moved aside so long ago.
    fn aside(data: &Path, name: &str, ago: Duration) -> std::path::PathBuf {
        let path = data.join("partial.unknown").join(name);
        fs::write(&path, "bytes").unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - ago).unwrap();
        path
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn unknown_bytes_are_deleted_when_they_are_old_and_not_with_a_new_database() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = uploads(dir.path()).await;
        let old = aside(dir.path(), "old", KEPT + MAX_GRACE);
        let young = aside(dir.path(), "young", KEPT - MAX_GRACE);
        for is_new in [true, false] {
            let task = tokio::spawn(run(uploads.clone(), None, None));
            for _ in 0..50 {
                sleep(Duration::from_millis(10)).await;
                if !old.exists() {
                    break;
                }
            }
            task.abort();
            assert_eq!(old.exists(), is_new);
        }
        assert!(young.exists());
    }
}
