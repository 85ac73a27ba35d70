//! Claims among several receivers: the claim of this process, and then the lease among all. What a receiver has left that did
//! not give a lease back is put right before another one works on the upload.
//!
//! A receiver that has ended left its bytes as after a crash. One that only stands still may go on and write, by the
//! files that it has open and by their names. So the upload gets a new file with another name, with a copy of what was
//! confirmed: the other one has the old file, and its changes of the record are refused.
//!
//! In an object store nothing is copied. Whatever the other one still puts there has a key, or a number of a part, that the
//! upload does not use any more. So nobody needs to know whether it is dead.

use std::collections::HashSet;
use std::fs::File;
use std::future::Future;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::Duration;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::OpenOptions;
use tokio::time::{sleep, Instant};

use crate::storage::claims::{Claim, CLAIM_TIMEOUT};
use crate::storage::error::{ClaimError, StorageError, StoreError};
use crate::storage::files::{sync_names, unless_missing, Files};
use crate::storage::leases::Leases;
use crate::storage::record::{Record, State, WITHDRAWN};
use crate::storage::threads::blocking;
use crate::storage::uploads::Uploads;

/// The first time between two attempts to get a lease, and the last.
const PAUSES: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(100)];
/// The time after which a receiver says again that it lives.
const RENEWAL: Duration = Duration::from_secs(1);
/// The time after which it looks again for requests at others that wait for its leases.
const WISHES: Duration = Duration::from_millis(200);
/// The time after which it looks again for what dead ones have left.
const ORPHANS: Duration = Duration::from_secs(2);
/// The time after which it looks again for rows that nobody needs.
const OLD: Duration = Duration::from_secs(600);

impl Uploads {
    /// Claims an upload. Waits a short time for another request that has the claim.
    pub async fn claim(&self, id: &str) -> Result<Claim, ClaimError> {
        let until = Instant::now() + CLAIM_TIMEOUT;
        let claim = self.claims.claim(id).await?;
        self.lease(claim, until).await
    }

    /// Claims an upload for a part of a run, as [`Claims`](crate::storage::claims::Claims) do.
    pub async fn claim_part(
        &self,
        id: &str,
        run: &str,
        bytes: Range<u64>,
        most: usize,
    ) -> Result<Claim, ClaimError> {
        let until = Instant::now() + CLAIM_TIMEOUT;
        let claim = self.claims.claim_part(id, run, bytes, most).await?;
        self.lease(claim, until).await
    }

    /// Claims an upload if no other request has the claim.
    pub async fn claim_idle(&self, id: &str) -> Result<Option<Claim>, StorageError> {
        let Some(mut claim) = self.claims.claim_idle(id) else {
            return Ok(None);
        };
        if let Some(leases) = &self.leases {
            let Some(lease) = leases.acquire(id).await? else {
                return Ok(None);
            };
            claim.set_lease(lease);
            self.take_over(leases, &mut claim).await?;
        }
        Ok(Some(claim))
    }

    /// Finds the upload of a claim, of any owner.
    pub async fn find_claimed(&self, claim: &Claim) -> Result<Option<Record>, StorageError> {
        let found = self.store.find_any(claim.id()).await?;
        Ok(found.map(|record| Record {
            lease: claim.lease(),
            ..record
        }))
    }

    /// Finds out on which of the uploads requests work now, at all receivers.
    pub async fn active(&self, records: &[Record]) -> Result<HashSet<String>, StoreError> {
        let ids = records.iter().map(|record| record.id.as_str());
        Ok(match &self.leases {
            Some(leases) => leases
                .held(&Vec::from_iter(ids))
                .await?
                .into_iter()
                .collect(),
            None => ids
                .filter(|id| self.claims.has(id))
                .map(str::to_owned)
                .collect(),
        })
    }

    /// Lists uploads on which requests work now, at all receivers, at most `limit`.
    pub async fn running(&self, limit: usize) -> Result<Vec<String>, StoreError> {
        match &self.leases {
            Some(leases) => leases.all_held(limit).await,
            None => Ok(self.claims.ids().into_iter().take(limit).collect()),
        }
    }

    /// Adds the lease to a claim, where there are other receivers.
    async fn lease(&self, mut claim: Claim, until: Instant) -> Result<Claim, ClaimError> {
        let Some(leases) = &self.leases else {
            return Ok(claim);
        };
        let [mut pause, longest] = PAUSES;
        loop {
            let lease = leases.acquire(claim.id()).await;
            if let Some(lease) = lease.map_err(StorageError::from)? {
                claim.set_lease(lease);
                self.take_over(leases, &mut claim).await?;
                return Ok(claim);
            }
            if Instant::now() >= until {
                return Err(ClaimError::Held);
            }
            let wish = leases.want(claim.id()).await;
            wish.map_err(StorageError::from)?;
            sleep(pause).await;
            pause = longest.min(2 * pause);
        }
    }

    /// Puts right what former holders of a lease left.
    async fn take_over(&self, leases: &Leases, claim: &mut Claim) -> Result<(), StorageError> {
        let before = claim.lease_mut().map(|lease| lease.before.clone());
        let Some(before) = before.filter(|before| !before.is_empty()) else {
            return Ok(());
        };
        if self.objects.is_some() {
            tracing::info!(
                id = claim.id(),
                "taken over from receivers that did not give it back: {}",
                before.join(" ")
            );
            if let Some(record) = self.find_claimed(claim).await? {
                self.separate_object(record).await?;
            }
            return settle(claim).await;
        }
        let (leases, names) = (leases.clone(), before.join(" "));
        let are_dead = blocking(move || leases.are_dead(&before)).await?;
        tracing::info!(
            id = claim.id(),
            are_dead,
            "taken over from receivers that did not give it back: {names}"
        );
        if let Some(record) = self.find_claimed(claim).await? {
            match are_dead {
                true => {
                    self.on_disk(&record, Files::restore).await?;
                    self.move_to_place(&record).await?;
                }
                false => self.separate(record).await?,
            }
        } else if are_dead {
            let name = claim.id().to_owned() + WITHDRAWN;
            let files = self.files.clone();
            blocking(move || files.remove(&name)).await?;
        }
        settle(claim).await
    }

    /// Keeps what former holders still put into the object store away from an upload.
    async fn separate_object(&self, record: Record) -> Result<(), StorageError> {
        if record.state == State::Complete {
            return self.move_to_place(&record).await;
        }
        let mut next = record.clone();
        match &mut next.object {
            // The other one puts no whole object again.
            Some(object) if object.is_whole && object.upload.is_none() => {}
            Some(object) if object.upload.is_some() => object.leave_out(),
            object => {
                next.epoch = record.lease;
                // The tail, which has a key of its own, stays.
                if let (Some(object), Some(objects)) = (object, &self.objects) {
                    object.key = objects.working_key(&Record {
                        object: None,
                        epoch: record.lease,
                        ..record
                    });
                }
            }
        }
        Ok(self.store.save_digests(&next).await?)
    }

    /// Gives an upload a file of its own, which no former holder has or knows.
    async fn separate(&self, record: Record) -> Result<(), StorageError> {
        let next = Record {
            epoch: record.lease,
            ..record.clone()
        };
        let (files, from, to) = (self.files.clone(), record.clone(), next.clone());
        blocking(move || {
            let copied = files.copy(&from, &to);
            if copied.is_err() {
                files.remove(&to.file_name())?;
            }
            copied
        })
        .await?;
        self.store.save_digests(&next).await?;
        let epoch = next.epoch;
        self.on_disk(&record, move |files, old| files.remove_former(old, epoch))
            .await?;
        self.move_to_place(&next).await
    }
}

/// Notes that what former holders left is put right.
async fn settle(claim: &mut Claim) -> Result<(), StorageError> {
    match claim.lease_mut() {
        Some(lease) => Ok(lease.settle().await?),
        None => Ok(()),
    }
}

impl Files {
    /// Copies what is confirmed of an upload to a file with the next name. The bytes of a finished one do not change: it gets
    /// a second name.
    fn copy(&self, from: &Record, to: &Record) -> io::Result<()> {
        self.remove(&to.file_name())?;
        let name = match self.read_partial(&from.file_name()) {
            Err(error) if error.kind() == ErrorKind::NotFound => from.withdrawn_name(),
            _ => from.file_name(),
        };
        if from.state == State::Complete {
            let linked = self.partial.hard_link(name, &self.partial, to.file_name());
            unless_missing(linked)?;
            return sync_names(&self.partial);
        }
        let Some(source) = unless_missing(self.read_partial(&name))? else {
            return Ok(());
        };
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .follow(FollowSymlinks::No);
        let target = self.partial.open_with(to.file_name(), &options)?.into_std();
        copy_range(&source, &target, 0..from.offset)?;
        for range in from.ranges.iter() {
            copy_range(&source, &target, range.from..range.to)?;
        }
        target.sync_data()?;
        sync_names(&self.partial)
    }
}

impl Files {
    /// Removes the files that an upload had under former leases, and copies that were not used.
    fn remove_former(&self, record: &Record, epoch: i64) -> io::Result<()> {
        for name in self.partial_names()? {
            let rest = name.strip_prefix(&record.id);
            let rest = rest.map(|rest| rest.strip_suffix(WITHDRAWN).unwrap_or(rest));
            let is_former = match rest {
                None => false,
                Some("") => true,
                Some(rest) => {
                    let number = rest.strip_prefix('.').and_then(|it| it.parse().ok());
                    number.is_some_and(|number: i64| number < epoch)
                }
            };
            if is_former {
                self.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// Copies some bytes to the same place in another file. Linux does that without reading them, where the file system can.
fn copy_range(mut source: &File, mut target: &File, bytes: Range<u64>) -> io::Result<()> {
    source.seek(SeekFrom::Start(bytes.start))?;
    target.seek(SeekFrom::Start(bytes.start))?;
    io::copy(&mut source.take(bytes.end - bytes.start), &mut target)?;
    Ok(())
}

/// Does what a receiver owes the others: it says that it lives, ends silent requests whose uploads are wanted elsewhere, and
/// puts right what dead ones left. Does not return, unless there are no others.
pub async fn keep(uploads: Uploads) {
    if let Some(leases) = &uploads.leases {
        tokio::join!(
            repeat(RENEWAL, || leases.renew()),
            repeat(WISHES, || grant_wishes(&uploads, leases)),
            repeat(ORPHANS, || adopt(&uploads, leases)),
            repeat(OLD, || leases.forget_old()),
        );
    }
}

/// Does something again and again.
async fn repeat<F, E: std::fmt::Display>(interval: Duration, work: impl Fn() -> F)
where
    F: Future<Output = Result<(), E>>,
{
    loop {
        sleep(interval).await;
        if let Err(error) = work().await {
            tracing::warn!("the other receivers: {error}");
        }
    }
}

async fn grant_wishes(uploads: &Uploads, leases: &Leases) -> Result<(), StorageError> {
    for (id, number) in leases.wanted().await? {
        // Without a request, it could not be given back.
        if !uploads.claims.end_silent(&id) {
            leases.release(number).await?;
        }
    }
    Ok(())
}

/// Puts right what dead receivers left, so that no request has to wait for it. One receiver at a time does that.
async fn adopt(uploads: &Uploads, leases: &Leases) -> Result<(), StorageError> {
    let Some(_claim) = uploads.claim_idle(":orphans").await? else {
        return Ok(());
    };
    let mut last = String::new();
    loop {
        let orphans = leases.orphans(&last).await?;
        let Some((id, _)) = orphans.last() else {
            return Ok(());
        };
        last.clone_from(id);
        for (id, had) in orphans {
            let had: Vec<_> = had.split_whitespace().map(str::to_owned).collect();
            let leases = leases.clone();
            if uploads.objects.is_some() || blocking(move || leases.are_dead(&had)).await? {
                match uploads.claim_idle(&id).await {
                    Err(error) if error.is_unreachable() => return Err(error),
                    Err(error) => {
                        tracing::error!(id, "cannot put right what a dead receiver left: {error}");
                    }
                    Ok(_) => {}
                }
            }
        }
    }
}
