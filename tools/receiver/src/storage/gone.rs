//! Finished uploads whose files others have removed or moved away. They are noted as gone: they are in no list, and
//! count for no limit. A file may come back, so their records are kept for a while.
//!
//! Where there is another file, of another length, the upload is in no list either: it cannot be downloaded. But it counts.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::storage::claims::Claim;
use crate::storage::database::now;
use crate::storage::error::StorageError;
use crate::storage::files::Files;
use crate::storage::list::{Filter, Query};
use crate::storage::record::{Record, State};
use crate::storage::threads::blocking;
use crate::storage::unknown::{KEPT, KEPT_DAYS};
use crate::storage::uploads::Uploads;

/// How many uploads are looked at together.
const PAGE: u32 = 1000;
/// For how long a request waits until all files have been looked at.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is looked for.
#[derive(Clone, Copy)]
enum Look {
    /// A file of the upload's size.
    Whole,
    /// A file.
    There,
}

impl Uploads {
    /// Leaves out the finished uploads that have no file of their size, and notes which files are gone.
    pub async fn leave_out_gone(
        &self,
        mut records: Vec<Record>,
    ) -> Result<Vec<Record>, StorageError> {
        let suspects = self.finished_but(records.clone(), Look::Whole).await?;
        if !suspects.is_empty() {
            let missing = self.note_gone(&suspects).await?;
            records.retain(|record| !missing.contains(&record.id));
        }
        Ok(records)
    }

    /// Looks at all files of an owner, once a minute at most, and notes those that are gone. Of very many files, the search
    /// goes on after this has returned.
    pub async fn look_for_gone(&self, owner: &str) -> Result<(), StorageError> {
        if self.objects.is_some() {
            return Ok(());
        }
        let Some(turn) = self.searches.begin(owner) else {
            return Ok(());
        };
        let (this, owner) = (self.clone(), owner.to_owned());
        let search = tokio::spawn(async move {
            let _turn = turn;
            let found = this.search_for_gone(&owner).await;
            found.inspect_err(|error| {
                tracing::warn!("cannot look for files of '{owner}' that are gone: {error}");
            })
        });
        match timeout(PATIENCE, search).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    async fn search_for_gone(&self, owner: &str) -> Result<(), StorageError> {
        let query = Query::new(owner, Filter::Complete);
        let mut last = None;
        loop {
            let page = self.store.list(&query, last, PAGE, Instant::now()).await?;
            self.leave_out_gone(page.records).await?;
            last = page.next;
            if last.is_none() {
                return Ok(());
            }
        }
    }

    /// Looks again at the uploads that are noted as gone. Those whose files are back are so no more. Those that were gone
    /// for long are forgotten, if `forgets`.
    pub async fn review_gone(&self, forgets: bool) -> Result<(), StorageError> {
        let old = now().saturating_sub_unsigned(KEPT.as_millis() as u64);
        let mut last = String::new();
        loop {
            let page = self.store.gone_after(&last, PAGE).await?;
            let Some(record) = page.last() else {
                return Ok(());
            };
            last.clone_from(&record.id);
            let still = self.finished_but(page.clone(), Look::There).await?;
            let still: HashSet<_> = still.into_iter().map(|record| record.id).collect();
            let (gone, back): (Vec<_>, Vec<_>) = page
                .into_iter()
                .partition(|record| still.contains(&record.id));
            if !back.is_empty() {
                let ids = back.into_iter().map(|record| record.id).collect();
                self.store.set_gone(ids, 0).await?;
            }
            let old = gone.iter().filter(|record| forgets && record.gone < old);
            for record in old {
                let why = format!("it was gone for {KEPT_DAYS} days");
                self.forget_gone(record, &why).await?;
            }
        }
    }

    /// Finds the finished uploads, but for those that have what is looked for.
    async fn finished_but(
        &self,
        records: Vec<Record>,
        look: Look,
    ) -> Result<Vec<Record>, StorageError> {
        if let Some(objects) = &self.objects {
            let mut found = Vec::new();
            for record in records {
                let is_there = match look {
                    _ if record.state != State::Complete => true,
                    Look::Whole => objects.is_whole(&record).await?,
                    Look::There => !objects.is_gone(&record).await?,
                };
                if !is_there {
                    found.push(record);
                }
            }
            return Ok(found);
        }
        let is_there = move |files: &Files, record: &Record| match look {
            Look::Whole => files.is_whole(record),
            Look::There => files.is_gone(record).map(|gone| !gone),
        };
        let files = self.files.clone();
        blocking(move || {
            let mut found = Vec::new();
            for record in records {
                if record.state == State::Complete && !is_there(&files, &record)? {
                    found.push(record);
                }
            }
            Ok(found)
        })
        .await
    }

    /// Notes which of the uploads are gone, and returns the ids of all that have no file of their size. One that a
    /// request works on is not one of them: its file may be on the way.
    async fn note_gone(&self, suspects: &[Record]) -> Result<HashSet<String>, StorageError> {
        let mut claims: Vec<Claim> = Vec::new();
        for record in suspects {
            claims.extend(self.claim_idle(&record.id).await?);
        }
        let (mut missing, mut gone) = (HashSet::new(), Vec::new());
        for claim in &claims {
            let record = self.find_claimed(claim).await?;
            let Some(record) = record.filter(|record| record.state == State::Complete) else {
                continue;
            };
            let is_whole = match &self.objects {
                Some(objects) => objects.is_whole(&record).await?,
                None => self.on_disk(&record, Files::is_whole).await?,
            };
            if is_whole {
                continue;
            }
            if self.is_gone(&record).await? {
                tracing::info!(id = record.id, "the file '{}' is gone", record.place);
                gone.push(record.id.clone());
            }
            missing.insert(record.id);
        }
        if !gone.is_empty() {
            self.store.set_gone(gone, now()).await?;
        }
        Ok(missing)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::storage::bench::{insert, uploads};

    #[tokio::test(flavor = "multi_thread")]
    async fn records_of_files_that_are_gone_are_kept_for_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = uploads(dir.path()).await;
        let mut ids = Vec::new();
        for name in ["back", "recent", "old"] {
            let mut record = insert(&uploads, name).await;
            fs::write(dir.path().join("partial").join(&record.id), [0; 10]).unwrap();
            uploads.finish(&mut record).await.unwrap();
            ids.push(record.id);
        }
        let [back, recent, old] = &ids[..] else {
            unreachable!()
        };
        let path = |id: &str| dir.path().join("files").join(id);
        let aside = dir.path().join("aside");
        fs::rename(path(back), &aside).unwrap();
        fs::remove_file(path(recent)).unwrap();
        fs::remove_file(path(old)).unwrap();
        uploads.look_for_gone("").await.unwrap();
        assert_eq!(uploads.store.totals("").await.unwrap(), (0, 0));
        fs::rename(&aside, path(back)).unwrap();
        let long_ago = now() - KEPT.as_millis() as i64 - 1000;
        uploads
            .store
            .set_gone(vec![old.clone()], long_ago)
            .await
            .unwrap();
        for forgets in [false, true] {
            uploads.review_gone(forgets).await.unwrap();
            let mut are_gone = Vec::new();
            for id in &ids {
                let found = uploads.store.find_any(id).await.unwrap();
                are_gone.push(found.map(|record| record.gone > 0));
            }
            let last = Some(true).filter(|_| !forgets);
            assert_eq!(are_gone, [Some(false), Some(true), last]);
            assert_eq!(uploads.store.totals("").await.unwrap(), (1, 10));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_a_request_works_on_is_not_taken_for_gone() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = uploads(dir.path()).await;
        let mut record = insert(&uploads, "a").await;
        fs::write(dir.path().join("partial").join(&record.id), [0; 10]).unwrap();
        uploads.finish(&mut record).await.unwrap();
        fs::remove_file(dir.path().join("files").join(&record.id)).unwrap();
        let claim = uploads.claim_idle(&record.id).await.unwrap();
        let left = uploads.leave_out_gone(vec![record.clone()]).await.unwrap();
        assert_eq!(left.len(), 1);
        drop(claim);
        let left = uploads.leave_out_gone(vec![record]).await.unwrap();
        assert!(left.is_empty());
    }
}
