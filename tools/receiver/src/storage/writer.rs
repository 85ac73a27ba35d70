//! The thread that writes an upload's bytes, syncs them and then saves the record.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use resup_digests::Digest;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::storage::blocks::{Filler, Taker};
use crate::storage::claims::Claim;
use crate::storage::digests::Digests;
use crate::storage::error::StorageError;
use crate::storage::failpoint;
use crate::storage::reading;
use crate::storage::record::{Prefix, Record, State};
use crate::storage::threads;
use crate::storage::uploads::Uploads;

/// The longest time between two commits while bytes arrive.
pub(super) const COMMIT_INTERVAL: Duration = Duration::from_secs(1);

/// The digests that the client sends after the file.
#[derive(Debug, Default)]
pub struct ExpectedDigests {
    /// Those of the whole file.
    pub whole: Vec<Digest>,
    /// Those of the file up to the end of this request's bytes.
    pub prefix: Vec<Digest>,
    /// That of a part's bytes.
    pub part: Option<Digest>,
    /// Whether this request's bytes are known to be wrong. There have to be some.
    pub are_damaged: bool,
}

/// The result of a request's bytes.
pub struct Outcome {
    /// The upload's state, which is durable.
    pub record: Record,
    /// Whether all digests match that the client has sent.
    pub digests_match: bool,
}

/// The thread's other end.
pub struct Writer {
    blocks: Filler<ExpectedDigests>,
    thread: JoinHandle<Result<Outcome, StorageError>>,
}

impl Writer {
    /// Starts the thread. It writes at `record.offset`, and keeps `claim` until it ends.
    pub fn start(uploads: Uploads, record: Record, commit_bytes: u64, claim: Claim) -> Self {
        let ends = uploads.blocks.ends(commit_bytes / 2);
        let runtime = Handle::current();
        Self::start_thread(ends, move |blocks| {
            let _claim = claim;
            let files = &uploads.files;
            let mut job = Job {
                // One that brings no bytes leaves the ranges.
                file: Arc::new(match record.ranges.is_empty() {
                    true => files.write_from(&record.file_name(), record.offset)?,
                    false => files.open_part(&record.file_name(), record.offset)?,
                }),
                begun: record.offset,
                commit: None,
                digests: record.digests.clone(),
                written: record.offset,
                initial: record.clone(),
                record,
                commit_bytes,
                uploads,
                runtime,
            };
            let result = job.run(blocks);
            let digests_match = result.inspect_err(|error| job.give_up(error))?;
            Ok(Outcome {
                record: job.record,
                digests_match,
            })
        })
    }

    /// Starts a thread that takes the blocks.
    pub(super) fn start_thread(
        (filler, taker): (Filler<ExpectedDigests>, Taker<ExpectedDigests>),
        work: impl FnOnce(Taker<ExpectedDigests>) -> Result<Outcome, StorageError> + Send + 'static,
    ) -> Self {
        Self {
            blocks: filler,
            thread: threads::start(move || work(taker)),
        }
    }

    /// Passes bytes to the thread; `false` when the thread has failed.
    pub async fn push(&self, bytes: &[u8]) -> bool {
        self.blocks.push(bytes).await
    }

    /// Waits until the thread has failed. Does not return if it does not fail.
    pub async fn failed(&self) {
        self.blocks.closed().await;
    }

    /// Compares the digests, when all bytes were passed, and ends the thread.
    pub async fn finish(self, expected: ExpectedDigests) -> Result<Outcome, StorageError> {
        self.blocks.end(expected);
        self.thread.await?
    }

    /// Saves the bytes that were passed, and ends the thread.
    pub async fn stop(self) -> Result<Outcome, StorageError> {
        drop(self.blocks);
        self.thread.await?
    }
}

/// A commit that is being made.
struct Commit {
    /// The upload as the database will have it.
    record: Record,
    task: JoinHandle<Result<(), StorageError>>,
}

struct Job {
    file: Arc<File>,
    /// The upload before this request.
    initial: Record,
    /// The upload as the database has it.
    record: Record,
    /// The offset of the last commit that was begun.
    begun: u64,
    commit: Option<Commit>,
    written: u64,
    /// The digests of all written bytes.
    digests: Digests,
    commit_bytes: u64,
    uploads: Uploads,
    runtime: Handle,
}

impl Job {
    /// Writes until the bytes end. Returns whether the digests match.
    fn run(&mut self, mut blocks: Taker<ExpectedDigests>) -> Result<bool, StorageError> {
        let mut due = Instant::now() + COMMIT_INTERVAL;
        loop {
            let taken = blocks.take(due);
            if !taken.bytes.is_empty() {
                self.write(taken.bytes)?;
            }
            match taken.end {
                Some(Some(expected)) => return self.finish(&expected),
                Some(None) => {
                    self.begin_commit()?;
                    self.end_commit()?;
                    return Ok(true);
                }
                None => {}
            }
            if self.written - self.begun >= self.commit_bytes || Instant::now() >= due {
                self.begin_commit()?;
                due = Instant::now() + COMMIT_INTERVAL;
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = &mut self.file;
        let mut write = || file.write_all(bytes);
        match self.uploads.blocks.are_few() {
            true => self.digests.update_beside(bytes, write)?,
            false => {
                write()?;
                self.digests.update(bytes);
            }
        }
        failpoint::hit("after-write");
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Begins to make the written bytes durable and to save their record, after the commit before. More bytes can be
    /// written meanwhile.
    fn begin_commit(&mut self) -> Result<(), StorageError> {
        self.end_commit()?;
        if self.written == self.record.offset {
            return Ok(());
        }
        let record = self.changed(State::Partial, self.written, self.digests.clone());
        let (file, store) = (self.file.clone(), self.uploads.store.clone());
        let saved = record.clone();
        let task = self.runtime.spawn(async move {
            tokio::task::spawn_blocking(move || sync(&file)).await??;
            store.save(&saved).await?;
            failpoint::hit("after-commit");
            Ok(())
        });
        self.begun = self.written;
        self.commit = Some(Commit { record, task });
        Ok(())
    }

    /// Waits for the commit that is being made.
    fn end_commit(&mut self) -> Result<(), StorageError> {
        if let Some(commit) = self.commit.take() {
            self.runtime.block_on(commit.task)??;
            self.record = commit.record;
        }
        Ok(())
    }

    /// Compares the digests and saves the result.
    fn finish(&mut self, expected: &ExpectedDigests) -> Result<bool, StorageError> {
        self.end_commit()?;
        sync(&self.file)?;
        let is_whole = self.record.ends_at(self.written);
        let mut all_match = !expected.are_damaged && self.match_all(&expected.prefix)?;
        if is_whole {
            let mut located = self.record.identity.digests();
            // To read the file again for the others would cost more than they are worth.
            located.retain(|it| self.digests.get(it.algorithm()).is_some());
            all_match &= self.match_all(&expected.whole)? && self.match_all(&located)?;
        }
        if all_match && !expected.prefix.is_empty() {
            self.record.proven = Prefix {
                offset: self.written,
                digests: self.digests.clone(),
            };
        }
        match (all_match, is_whole) {
            (true, true) => self.finish_upload()?,
            (true, false) => self.save(State::Partial, self.written, self.digests.clone())?,
            // The bytes that were there before are wrong: this request brought none.
            (false, _) if self.written == self.initial.offset => {
                self.roll_back(self.initial.safe_prefix())?;
            }
            // Those before are kept: by their digest the client sees whether they are right.
            (false, _) => self.roll_back(self.initial.prefix())?,
        }
        Ok(all_match)
    }

    /// Whether these digests are those of the written bytes. One that is not computed as they come is computed from
    /// the file.
    fn match_all(&mut self, expected: &[Digest]) -> io::Result<bool> {
        for expected in expected {
            let algorithm = expected.algorithm();
            let actual = match self.digests.get(algorithm) {
                Some(actual) => actual,
                None => reading::digest(&self.file, algorithm, 0, self.written)?.digest(),
            };
            if actual != *expected {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn finish_upload(&mut self) -> Result<(), StorageError> {
        let (uploads, runtime) = (&self.uploads, &self.runtime);
        let mut record = Record {
            digests: self.digests.clone(),
            ..self.record.clone()
        };
        let _named = match runtime.block_on(uploads.commit_finished(&mut record)) {
            // The bytes are right: they are kept until the name is free.
            Err(
                error @ (StorageError::NameTaken(_)
                | StorageError::NameTooLong(_)
                | StorageError::Busy),
            ) => {
                self.save(State::Partial, self.written, self.digests.clone())?;
                return Err(error);
            }
            other => other?,
        };
        self.record = record;
        runtime.block_on(uploads.move_to_place(&self.record))
    }

    /// Cuts off unconfirmed bytes after a failed write: on a full disk the database needs their space.
    fn give_up(&mut self, error: &StorageError) {
        // It may confirm bytes yet. If it fails too, it does not matter why.
        let _ = self.end_commit();
        if let (StorageError::File(_), true) = (error, self.record.ranges.is_empty()) {
            let _ = self.file.set_len(self.record.offset);
        }
    }

    /// Goes back to a prefix. The record is saved first: a file that is longer than its record does no harm.
    fn roll_back(&mut self, to: Prefix) -> Result<(), StorageError> {
        let mut record = self.record.clone();
        record.go_back(to);
        self.save_record(record)?;
        Ok(self.file.set_len(self.record.offset)?)
    }

    fn save(&mut self, state: State, offset: u64, digests: Digests) -> Result<(), StorageError> {
        let record = self.changed(state, offset, digests);
        self.save_record(record)
    }

    fn save_record(&mut self, record: Record) -> Result<(), StorageError> {
        self.runtime.block_on(self.uploads.store.save(&record))?;
        failpoint::hit("after-commit");
        self.record = record;
        Ok(())
    }

    fn changed(&self, state: State, offset: u64, digests: Digests) -> Record {
        Record {
            state,
            offset,
            digests,
            ..self.record.clone()
        }
    }
}

/// Makes written bytes durable. After an error the caller gives up: a later sync can succeed although
/// bytes were lost.
fn sync(file: &File) -> io::Result<()> {
    file.sync_data()?;
    failpoint::hit("after-sync");
    Ok(())
}
