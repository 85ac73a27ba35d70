//! Parts: several requests that write one upload at the same time. Each writes its bytes to their place in the file, and
//! adds them to the record as a range when all are there. A range that touches the offset goes into the digests of the
//! first bytes.

use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use resup_digests::{Algorithm, State as DigestState};
use tokio::runtime::Handle;

use crate::storage::blocks::Taker;
use crate::storage::claims::Claim;
use crate::storage::error::StorageError;
use crate::storage::failpoint;
use crate::storage::ranges::{Range, MOST};
use crate::storage::reading;
use crate::storage::record::{Record, State};
use crate::storage::threads::blocking;
use crate::storage::uploads::Uploads;
use crate::storage::writer::{ExpectedDigests, Outcome, Writer};

/// How long the thread of a part sleeps at most while nothing comes.
const PATIENCE: Duration = Duration::from_secs(3600);
/// The largest rest of a range that is kept when a part replaces some of its bytes: the rest has to be read again.
const LARGEST_REST: u64 = 16 * 1024 * 1024;

impl Uploads {
    /// Opens an upload for a run of parts. The caller has its first claim, here and below.
    pub async fn begin_run(&self, record: &Record) -> Result<(), StorageError> {
        if record.ranges.is_empty() {
            let (files, name, offset) = (self.files.clone(), record.file_name(), record.offset);
            blocking(move || files.write_from(&name, offset)).await?;
        }
        Ok(())
    }

    /// Makes room for the bytes `from..to` of a part. Of ranges that have some of them, the others stay if they are few.
    pub async fn begin_part(
        &self,
        record: &mut Record,
        algorithm: Algorithm,
        from: u64,
        to: u64,
    ) -> Result<(), StorageError> {
        let mut changed = record.clone();
        let rests = changed.ranges.cut(from, to);
        if changed.ranges == record.ranges {
            return Ok(());
        }
        let files = self.files.clone();
        let changed = blocking(move || {
            let file = files.read_partial(&changed.file_name())?;
            for (from, to) in rests {
                if to - from > LARGEST_REST {
                    continue;
                }
                let digest = reading::digest(&file, algorithm, from, to)?.digest();
                let is_proven = false;
                changed.ranges.add(Range {
                    from,
                    to,
                    digest,
                    is_proven,
                });
            }
            Ok(changed)
        });
        // Before the first byte is written over them.
        *record = changed.await?;
        Ok(self.store.save(record).await?)
    }
}

/// Adds the ranges that touch the offset to the first bytes.
fn join(file: &File, record: &mut Record) -> io::Result<()> {
    while let Some(range) = record.ranges.take_first(record.offset) {
        let digests = &mut record.digests;
        reading::read(file, range.from, range.to, |bytes| digests.update(bytes))?;
        let is_proven = range.is_proven && record.proven.offset == record.offset;
        record.offset = range.to;
        if is_proven {
            record.proven = record.prefix();
        }
    }
    Ok(())
}

impl Writer {
    /// Starts the thread of a part that begins at `from` of the file with this name. It keeps `claim`, which is one of a run, until it ends.
    pub fn start_part(
        uploads: Uploads,
        claim: Claim,
        name: String,
        (algorithm, from): (Algorithm, u64),
    ) -> Self {
        let runtime = Handle::current();
        let ends = uploads.blocks.ends(u64::MAX);
        Self::start_thread(ends, move |blocks| {
            let part = Part {
                file: uploads.files.open_part(&name, from)?,
                from,
                written: from,
                digest: DigestState::new(algorithm),
                claim,
                uploads,
                runtime,
            };
            part.run(blocks)
        })
    }
}

struct Part {
    file: File,
    from: u64,
    written: u64,
    /// The digest of the bytes `from..written`.
    digest: DigestState,
    claim: Claim,
    uploads: Uploads,
    runtime: Handle,
}

impl Part {
    /// Writes until the bytes end, and saves what came.
    fn run(mut self, mut blocks: Taker<ExpectedDigests>) -> Result<Outcome, StorageError> {
        let result = self.receive(&mut blocks);
        let result = result.and_then(|digests_match| {
            let record = self.save(digests_match)?;
            Ok(Outcome {
                record,
                digests_match: digests_match.unwrap_or(true),
            })
        });
        // After another error of the database they may be in the record. On a full disk it needs their space.
        let are_lost =
            |error: &StorageError| matches!(error, StorageError::File(_)) || error.is_full();
        if result.as_ref().is_err_and(are_lost) {
            self.drop_bytes();
        }
        result
    }

    /// Returns whether the digests match; `None` when the client has sent none, since the part is broken.
    fn receive(
        &mut self,
        blocks: &mut Taker<ExpectedDigests>,
    ) -> Result<Option<bool>, StorageError> {
        loop {
            let taken = blocks.take(Instant::now() + PATIENCE);
            self.write(taken.bytes)?;
            if let Some(end) = taken.end {
                let actual = self.digest.digest();
                return Ok(end.map(|expected| expected.part == Some(actual)));
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.file.write_all(bytes)?;
        failpoint::hit("after-write");
        self.digest.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Makes the part's bytes durable, unless they are wrong. Returns the upload as it is then.
    fn save(&mut self, digests_match: Option<bool>) -> Result<Record, StorageError> {
        // What comes again must not be in the way.
        let is_right = digests_match.unwrap_or(!self.claim.slot().is_replaced());
        let is_right = is_right && self.written > self.from;
        if is_right {
            self.file.sync_data()?;
            failpoint::hit("after-sync");
        }
        let shared = self.claim.shared();
        let mut shared = shared.blocking_lock();
        let record = shared.as_mut().expect("the run has a record");
        let touches = self.from == record.offset;
        if !is_right || !(touches || record.ranges.len() < MOST) {
            self.drop_bytes();
            return Ok(record.clone());
        }
        let mut changed = record.clone();
        changed.state = State::Partial;
        changed.ranges.add(Range {
            from: self.from,
            to: self.written,
            digest: self.digest.digest(),
            is_proven: digests_match.is_some(),
        });
        join(&self.file, &mut changed)?;
        self.runtime.block_on(self.uploads.store.save(&changed))?;
        failpoint::hit("after-commit");
        *record = changed;
        Ok(record.clone())
    }

    /// Gives the space of bytes back that do not count. If it fails, other bytes will be written over them.
    fn drop_bytes(&self) {
        #[cfg(target_os = "linux")]
        if self.written > self.from {
            use rustix::fs::{fallocate, FallocateFlags};
            let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _ = fallocate(&self.file, hole, self.from, self.written - self.from);
        }
    }
}
