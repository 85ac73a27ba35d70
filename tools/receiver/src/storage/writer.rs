//! The thread that writes an upload's bytes, syncs them and then saves the record.

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{timeout_at, Instant};

use crate::storage::claims::Claim;
use crate::storage::digests::Digests;
use crate::storage::error::StorageError;
use crate::storage::failpoint;
use crate::storage::record::{Prefix, Record, State};
use crate::storage::uploads::Uploads;

/// The longest time between two commits while bytes arrive.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);
/// How many chunks wait for the thread. Few, since many uploads may be active at once.
const QUEUE: usize = 2;

/// The digests that the client sends after the file; each one is empty if it is not sent.
#[derive(Debug, Default)]
pub struct ExpectedDigests {
    /// MD5 of the whole file.
    pub md5: String,
    /// SHA-256 of the whole file.
    pub sha256: String,
    /// MD5 of the file up to the end of this request's bytes.
    pub prefix_md5: String,
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
    queue: mpsc::Sender<Message>,
    thread: JoinHandle<Result<Outcome, StorageError>>,
}

enum Message {
    Chunk(Bytes),
    Finish(ExpectedDigests),
}

impl Writer {
    /// Starts the thread. It writes at `record.offset`, and keeps `claim` until it ends.
    pub fn start(uploads: Uploads, record: Record, commit_bytes: u64, claim: Claim) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let runtime = Handle::current();
        let thread = tokio::task::spawn_blocking(move || {
            let _claim = claim;
            let mut job = Job {
                file: uploads.files.write_from(&record.id, record.offset)?,
                digests: record.digests.clone(),
                written: record.offset,
                initial: record.clone(),
                record,
                commit_bytes,
                uploads,
                runtime,
            };
            let result = job.run(messages);
            let digests_match = result.inspect_err(|error| job.free_space(error))?;
            Ok(Outcome {
                record: job.record,
                digests_match,
            })
        });
        Self { queue, thread }
    }

    /// Passes a chunk to the thread; `false` when the thread has failed.
    pub async fn push(&self, chunk: Bytes) -> bool {
        chunk.is_empty() || self.queue.send(Message::Chunk(chunk)).await.is_ok()
    }

    /// Waits until the thread has failed. Does not return if it does not fail.
    pub async fn failed(&self) {
        self.queue.closed().await;
    }

    /// Compares the digests, when all bytes were passed, and ends the thread.
    pub async fn finish(self, expected: ExpectedDigests) -> Result<Outcome, StorageError> {
        // If the thread has failed, the call below returns its error.
        let _ = self.queue.send(Message::Finish(expected)).await;
        self.stop().await
    }

    /// Saves the bytes that were passed, and ends the thread.
    pub async fn stop(self) -> Result<Outcome, StorageError> {
        drop(self.queue);
        self.thread.await?
    }
}

struct Job {
    file: File,
    /// The upload before this request.
    initial: Record,
    /// The upload as the database has it.
    record: Record,
    written: u64,
    /// The digests of all written bytes.
    digests: Digests,
    commit_bytes: u64,
    uploads: Uploads,
    runtime: Handle,
}

impl Job {
    /// Writes until the messages end. Returns whether the digests match.
    fn run(&mut self, mut messages: mpsc::Receiver<Message>) -> Result<bool, StorageError> {
        let mut due = Instant::now() + COMMIT_INTERVAL;
        loop {
            let next = async { timeout_at(due, messages.recv()).await };
            match self.runtime.block_on(next) {
                Ok(Some(Message::Chunk(chunk))) => {
                    self.file.write_all(&chunk)?;
                    failpoint::hit("after-write");
                    self.digests.update(&chunk);
                    self.written += chunk.len() as u64;
                }
                Ok(Some(Message::Finish(expected))) => return self.finish(&expected),
                Ok(None) => {
                    self.commit()?;
                    return Ok(true);
                }
                Err(_) => {}
            }
            if self.written - self.record.offset >= self.commit_bytes || Instant::now() >= due {
                self.commit()?;
                due = Instant::now() + COMMIT_INTERVAL;
            }
        }
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        if self.written == self.record.offset {
            return Ok(());
        }
        self.sync()?;
        self.save(State::Partial, self.written, self.digests.clone())
    }

    /// Compares the digests and saves the result.
    fn finish(&mut self, expected: &ExpectedDigests) -> Result<bool, StorageError> {
        self.sync()?;
        let file = &self.record.identity;
        let is_whole = self.written == file.size;
        let md5 = self.digests.md5();
        let matches = |expected: &str, actual: &str| expected.is_empty() || expected == actual;
        let mut all_match = matches(&expected.prefix_md5, &md5);
        if is_whole {
            all_match &= matches(&expected.md5, &md5) && matches(&file.md5, &md5);
            all_match &= expected.sha256.is_empty() || expected.sha256 == self.digests.sha256();
        }
        if all_match && !expected.prefix_md5.is_empty() {
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
    fn free_space(&self, error: &StorageError) {
        if let StorageError::File(_) = error {
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

    /// Makes written bytes durable. After an error the caller gives up: a later sync can succeed although
    /// bytes were lost.
    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()?;
        failpoint::hit("after-sync");
        Ok(())
    }

    fn save(&mut self, state: State, offset: u64, digests: Digests) -> Result<(), StorageError> {
        let record = Record {
            state,
            offset,
            digests,
            ..self.record.clone()
        };
        self.save_record(record)
    }

    fn save_record(&mut self, record: Record) -> Result<(), StorageError> {
        self.runtime.block_on(self.uploads.store.save(&record))?;
        failpoint::hit("after-commit");
        self.record = record;
        Ok(())
    }
}
