//! The thread that writes one upload's bytes, and what it decides when they end.

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
use crate::storage::record::{Record, State};
use crate::storage::uploads::Shelf;

/// The longest that received bytes stay unconfirmed while more come.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);
/// Chunks on their way to the thread: few, since many uploads may be under way at once.
const QUEUE: usize = 2;

/// The digests that the client sends after its bytes; empty where it does not.
#[derive(Debug, Default)]
pub struct Tail {
    /// MD5 of the whole file.
    pub md5: String,
    /// SHA-256 of the whole file.
    pub sha256: String,
    /// MD5 of everything up to the end of this request.
    pub prefix_md5: String,
}

/// How a request's bytes ended.
pub struct Ending {
    /// The upload as it stands now, durably.
    pub record: Record,
    /// Whether the digests agreed, as far as any were given.
    pub agreed: bool,
}

/// Where chunks go.
pub struct Writer {
    queue: mpsc::Sender<Message>,
    thread: JoinHandle<Result<Ending, StorageError>>,
}

enum Message {
    Chunk(Bytes),
    Finish(Tail),
}

impl Writer {
    /// Starts the thread. It writes at `record.held`, and keeps `claim` until it has ended.
    pub fn start(shelf: Shelf, record: Record, commit_bytes: u64, claim: Claim) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let runtime = Handle::current();
        let thread = tokio::task::spawn_blocking(move || {
            let _claim = claim;
            let mut job = Job {
                file: shelf.files.write_from(&record.id, record.held)?,
                digests: record.digests.clone(),
                written: record.held,
                begin: record.clone(),
                record,
                commit_bytes,
                shelf,
                runtime,
            };
            let agreed = job.run(messages).inspect_err(|error| job.give_way(error))?;
            Ok(Ending {
                record: job.record,
                agreed,
            })
        });
        Self { queue, thread }
    }

    /// Passes a chunk on; `false` when the thread has given up.
    pub async fn push(&self, chunk: Bytes) -> bool {
        chunk.is_empty() || self.queue.send(Message::Chunk(chunk)).await.is_ok()
    }

    /// Waits until the thread has given up, if it does.
    pub async fn given_up(&self) {
        self.queue.closed().await;
    }

    /// All has come: judge it.
    pub async fn finish(self, tail: Tail) -> Result<Ending, StorageError> {
        // A thread that has given up says why below.
        let _ = self.queue.send(Message::Finish(tail)).await;
        self.abandon().await
    }

    /// No more will come: keep what came.
    pub async fn abandon(self) -> Result<Ending, StorageError> {
        drop(self.queue);
        self.thread.await?
    }
}

struct Job {
    file: File,
    /// The upload as this request found it.
    begin: Record,
    /// The upload as the database has it.
    record: Record,
    written: u64,
    /// Of everything written.
    digests: Digests,
    commit_bytes: u64,
    shelf: Shelf,
    runtime: Handle,
}

impl Job {
    /// Writes until the messages end, and says whether the digests agreed.
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
                Ok(Some(Message::Finish(tail))) => return self.judge(&tail),
                Ok(None) => {
                    self.commit()?;
                    return Ok(true);
                }
                Err(_) => {}
            }
            if self.written - self.record.held >= self.commit_bytes || Instant::now() >= due {
                self.commit()?;
                due = Instant::now() + COMMIT_INTERVAL;
            }
        }
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        if self.written == self.record.held {
            return Ok(());
        }
        self.sync()?;
        self.save(State::Partial, self.written, self.digests.clone())
    }

    fn judge(&mut self, tail: &Tail) -> Result<bool, StorageError> {
        self.sync()?;
        let file = &self.record.identity;
        let whole = self.written == file.size;
        let md5 = self.digests.md5();
        let same = |said: &str, found: &str| said.is_empty() || said == found;
        let mut agreed = same(&tail.prefix_md5, &md5);
        if whole {
            agreed &= same(&tail.md5, &md5) && same(&file.md5, &md5);
            agreed &= tail.sha256.is_empty() || tail.sha256 == self.digests.sha256();
        }
        match (agreed, whole) {
            (true, true) => self.finish()?,
            (true, false) => self.save(State::Partial, self.written, self.digests.clone())?,
            // Nobody knows which of the bytes are wrong.
            (false, true) => self.fall_back(0, Digests::default())?,
            (false, false) => self.fall_back(self.begin.held, self.begin.digests.clone())?,
        }
        Ok(agreed)
    }

    fn finish(&mut self) -> Result<(), StorageError> {
        let (shelf, runtime) = (&self.shelf, &self.runtime);
        let mut record = Record {
            digests: self.digests.clone(),
            ..self.record.clone()
        };
        match runtime.block_on(shelf.commit_finished(&mut record)) {
            // The bytes are right: they wait until the name is free.
            Err(error @ (StorageError::Taken(_) | StorageError::Busy)) => {
                self.save(State::Partial, self.written, self.digests.clone())?;
                return Err(error);
            }
            other => other?,
        }
        self.record = record;
        runtime.block_on(shelf.settle(&self.record))
    }

    /// After a failed write: a full disk needs the unconfirmed bytes' room, the database first of all.
    fn give_way(&self, error: &StorageError) {
        if let StorageError::File(_) = error {
            let _ = self.file.set_len(self.record.held);
        }
    }

    /// The record first: a file that is longer than its record is harmless.
    fn fall_back(&mut self, offset: u64, digests: Digests) -> Result<(), StorageError> {
        self.save(State::Partial, offset, digests)?;
        Ok(self.file.set_len(offset)?)
    }

    /// A sync that has failed once says nothing when it succeeds later: the caller gives up.
    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()?;
        failpoint::hit("after-sync");
        Ok(())
    }

    fn save(&mut self, state: State, held: u64, digests: Digests) -> Result<(), StorageError> {
        let record = Record {
            state,
            held,
            digests,
            ..self.record.clone()
        };
        self.runtime.block_on(self.shelf.store.save(&record))?;
        failpoint::hit("after-commit");
        self.record = record;
        Ok(())
    }
}
