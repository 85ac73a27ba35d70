//! The thread that puts an upload's bytes into an object store, part by part, and saves the record after each.

use bytes::Bytes;
use resup_digests::{Algorithm, Digest};
use tokio::runtime::Handle;

use crate::storage::blocks::Taker;
use crate::storage::claims::Claim;
use crate::storage::digests::Digests;
use crate::storage::error::{Fault, StorageError, StoreError};
use crate::storage::failpoint;
use crate::storage::object::{Object, Tail, MOST_PARTS};
use crate::storage::object_files::tail_key;
use crate::storage::objects::{mark, Objects};
use crate::storage::record::{Prefix, Record, State};
use crate::storage::uploads::Uploads;
use crate::storage::writer::{ExpectedDigests, Outcome, Writer, COMMIT_INTERVAL};

impl Writer {
    /// Starts the thread that takes a request's bytes. They go behind those that the upload has; it keeps `claim` until it
    /// ends.
    pub fn begin(uploads: Uploads, record: Record, commit_bytes: u64, claim: Claim) -> Self {
        let Some(objects) = uploads.objects.clone() else {
            return Self::start(uploads, record, commit_bytes, claim);
        };
        let ends = uploads.blocks.ends(commit_bytes / 2);
        let runtime = Handle::current();
        Self::start_thread(ends, move |blocks| {
            let _claim = claim;
            let mut job = Job::new(uploads, objects, record, runtime);
            let done = job.open().and_then(|()| job.run(blocks));
            let digests_match = done.inspect_err(|error| job.give_up(error))?;
            Ok(Outcome {
                record: job.record,
                digests_match,
            })
        })
    }
}

struct Job {
    uploads: Uploads,
    objects: Objects,
    runtime: Handle,
    /// The upload before this request.
    initial: Record,
    /// The upload as the database has it.
    record: Record,
    /// What the store has.
    object: Object,
    /// The bytes behind the parts, in memory.
    buffer: Vec<u8>,
    written: u64,
    /// The digests of all written bytes.
    digests: Digests,
}

impl Job {
    fn new(uploads: Uploads, objects: Objects, record: Record, runtime: Handle) -> Self {
        let mut object = record.object.clone();
        if let Some(object) = object
            .as_mut()
            .filter(|it| it.upload.is_none() && !it.is_whole)
        {
            // The settings may have changed.
            object.key = objects.working_key(&record);
        }
        let begun = || Object::new(objects.working_key(&record), record.identity.size);
        Self {
            object: object.unwrap_or_else(begun),
            buffer: Vec::new(),
            written: record.offset,
            digests: record.digests.clone(),
            initial: record.clone(),
            record,
            uploads,
            objects,
            runtime,
        }
    }

    /// Reads the bytes behind the parts.
    fn open(&mut self) -> Result<(), StorageError> {
        let rest = match self.object.is_whole {
            true => 0,
            false => self.written.saturating_sub(self.object.in_parts()),
        };
        if rest > 0 {
            let bytes = self.read_tail(rest)?;
            self.take_room();
            self.buffer.extend_from_slice(&bytes);
        }
        Ok(())
    }

    /// Reads the first bytes of the tail. Where it is not as it was confirmed, the error says that it is lost.
    fn read_tail(&self, count: u64) -> Result<Bytes, StorageError> {
        let tail = &self.object.tail;
        let key = tail_key(&self.record.id, tail);
        let read = self.runtime.block_on(self.objects.get(&key, 0, count));
        if read.is_err() {
            let length = self.runtime.block_on(self.objects.length(&key))?;
            if length != Some(tail.length) {
                let (was, is) = (tail.length, length.unwrap_or(0));
                let why = format!("it has {is} bytes, but {was} were confirmed");
                let work = format!("read '{key}'");
                return Err(self.objects.error(work, why, Fault::Lost).into());
            }
        }
        Ok(read?)
    }

    /// Makes room for a part, and no more: a growing block would take twice as much.
    fn take_room(&mut self) {
        if self.buffer.capacity() == 0 {
            let left = match self.record.is_open {
                true => u64::MAX,
                false => (self.record.identity.size).saturating_sub(self.object.in_parts()),
            };
            self.buffer = Vec::with_capacity(left.min(self.object.size) as usize);
        }
    }

    /// Takes bytes until they end. Returns whether the digests match.
    fn run(&mut self, mut blocks: Taker<ExpectedDigests>) -> Result<bool, StorageError> {
        loop {
            let taken = blocks.take(std::time::Instant::now() + COMMIT_INTERVAL);
            self.write(taken.bytes)?;
            match taken.end {
                Some(Some(expected)) => return self.finish(&expected),
                Some(None) => {
                    self.keep()?;
                    return Ok(true);
                }
                None => {}
            }
        }
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), StorageError> {
        while !bytes.is_empty() {
            if self.buffer.len() as u64 == self.object.size {
                self.put_part()?;
            }
            self.take_room();
            let room = self.object.size as usize - self.buffer.len();
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.buffer.extend_from_slice(now);
            self.digests.update(now);
            self.written += now.len() as u64;
            bytes = later;
        }
        failpoint::hit("after-write");
        Ok(())
    }

    /// Puts the bytes in memory as the next part, and saves the record.
    fn put_part(&mut self) -> Result<(), StorageError> {
        let number = self.object.parts.len();
        if number as u64 >= MOST_PARTS {
            // Of a file whose length is known, so many are used only where numbers were left out.
            let (fault, way_out) = match self.record.is_open {
                true => (Fault::Wrong, "begin again, and tell the file's length"),
                false => (Fault::Lost, "the upload begins again"),
            };
            let why = format!("all {MOST_PARTS} numbers of parts are used: {way_out}");
            let work = format!("put more into '{}'", self.object.key);
            return Err(self.objects.error(work, why, fault).into());
        }
        let upload = self.begin()?;
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        let put = self
            .objects
            .put_part(&self.object.key, &upload, number, bytes);
        let part = self.runtime.block_on(put)?;
        failpoint::hit("after-sync");
        self.object.parts.push(part);
        self.save(State::Partial, self.written, self.digests.clone())
    }

    /// Begins the multipart upload, if there is none. Its id is saved before it has a part.
    fn begin(&mut self) -> Result<String, StorageError> {
        if let Some(upload) = &self.object.upload {
            return Ok(upload.clone());
        }
        let begun = self.objects.begin(&self.object.key);
        let upload = self.runtime.block_on(begun)?;
        failpoint::hit("after-begin");
        self.object.upload = Some(upload.clone());
        self.save_record(self.record.clone())?;
        Ok(upload)
    }

    /// Makes all written bytes durable, those behind the parts as the tail.
    fn keep(&mut self) -> Result<(), StorageError> {
        if self.written == self.record.offset {
            return Ok(());
        }
        if self.buffer.len() as u64 == self.object.size {
            return self.put_part();
        }
        let old = self.object.tail.clone();
        if !self.buffer.is_empty() {
            let tail = Tail {
                behind: self.object.count(),
                length: self.buffer.len() as u64,
                mark: mark().map_err(StoreError::from)?,
            };
            let bytes = Bytes::from(std::mem::take(&mut self.buffer));
            let key = tail_key(&self.record.id, &tail);
            self.runtime.block_on(self.objects.put(&key, bytes))?;
            failpoint::hit("after-sync");
            self.object.tail = tail;
        }
        self.save(State::Partial, self.written, self.digests.clone())?;
        if old != self.object.tail {
            self.drop_tail(&old);
        }
        Ok(())
    }

    /// Drops a tail that the record does not need any more; if it fails, a search for what is left over does so.
    fn drop_tail(&self, tail: &Tail) {
        let id = &self.record.id;
        if let Err(error) = self.runtime.block_on(self.objects.drop_tail(id, tail)) {
            tracing::warn!(id, "{error}");
        }
    }

    /// Compares the digests and saves the result.
    fn finish(&mut self, expected: &ExpectedDigests) -> Result<bool, StorageError> {
        let is_whole = self.record.ends_at(self.written);
        let mut matches = !expected.are_damaged && self.digests.match_known(&expected.prefix);
        if is_whole {
            let located = self.record.identity.digests();
            matches &=
                self.digests.match_known(&expected.whole) && self.digests.match_known(&located);
        }
        if matches && is_whole {
            self.make_whole()?;
            // Those that were not computed as the bytes came.
            let is_known = |it: &&Digest| self.digests.get(it.algorithm()).is_some();
            let others = expected.whole.iter().filter(|it| !is_known(it));
            matches = self.match_stored(&Vec::from_iter(others.cloned()))?;
            if !matches {
                self.forget()?;
                return Ok(false);
            }
        }
        let has_proof = |it: &Digest| self.digests.get(it.algorithm()).is_some();
        if matches && expected.prefix.iter().any(has_proof) {
            self.record.proven = Prefix {
                offset: self.written,
                digests: self.digests.clone(),
            };
        }
        match (matches, is_whole) {
            (true, true) => self.finish_upload()?,
            (true, false) => match self.written == self.record.offset {
                true => self.save(State::Partial, self.written, self.digests.clone())?,
                false => self.keep()?,
            },
            // The bytes that were there before are wrong: this request brought none.
            (false, _) if self.written == self.initial.offset => {
                self.roll_back(self.initial.safe_prefix())?;
            }
            // Those before are kept: by their digest the client sees whether they are right.
            (false, _) => self.roll_back(self.initial.prefix())?,
        }
        Ok(matches)
    }

    /// Whether digests of the object match.
    fn match_stored(&self, expected: &[Digest]) -> Result<bool, StorageError> {
        for expected in expected {
            let (key, algorithm) = (&self.object.key, expected.algorithm());
            let computed = self.objects.digest(key, algorithm, self.written);
            if self.runtime.block_on(computed)?.digest() != *expected {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the object has the bytes of this upload. Another receiver, which has lost it, may have made the object of other ones.
    fn is_stored(&self) -> Result<bool, StorageError> {
        let known = Algorithm::ALL.iter().find_map(|it| self.digests.get(*it));
        match known.filter(|_| self.record.lease != 0) {
            Some(digest) => self.match_stored(&[digest]),
            None => Ok(true),
        }
    }

    /// Makes the object, of all bytes.
    fn make_whole(&mut self) -> Result<(), StorageError> {
        if self.object.is_whole {
            return Ok(());
        }
        match self.object.upload.clone() {
            None => {
                let bytes = Bytes::from(std::mem::take(&mut self.buffer));
                let put = self.objects.put(&self.object.key, bytes);
                self.runtime.block_on(put)?;
            }
            Some(upload) => {
                if !self.buffer.is_empty() {
                    self.put_part()?;
                }
                let key = &self.object.key;
                let completed = self.objects.complete(key, &upload, self.object.numbered());
                if let Err(error) = self.runtime.block_on(completed) {
                    // A request before this one may have done it, and then have been lost.
                    let length = self.runtime.block_on(self.objects.length(key))?;
                    if !error.is_lost() || length != Some(self.written) || !self.is_stored()? {
                        return Err(error.into());
                    }
                }
            }
        }
        failpoint::hit("after-complete");
        self.object.is_whole = true;
        Ok(())
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
        runtime.block_on(self.objects.finish(&self.record))?;
        self.drop_tail(&self.object.tail);
        Ok(())
    }

    /// Begins the upload again where the store has lost its bytes.
    fn give_up(&mut self, error: &StorageError) {
        if matches!(error, StorageError::Object(error) if error.is_lost()) {
            tracing::error!(
                id = self.record.id,
                "the object store has lost bytes that were confirmed: the upload begins again"
            );
            if let Err(error) = self.forget() {
                tracing::error!(id = self.record.id, "{error}");
            }
        }
    }

    /// Drops all bytes.
    fn forget(&mut self) -> Result<(), StorageError> {
        let mut record = self.record.clone();
        record.object = Some(self.object.clone());
        self.runtime.block_on(self.uploads.reset(&mut record))?;
        self.record = record;
        Ok(())
    }

    /// Goes back to a prefix. The parts behind it are put anew, or dropped with the multipart upload.
    fn roll_back(&mut self, to: Prefix) -> Result<(), StorageError> {
        let mut record = self.record.clone();
        record.object = Some(self.object.clone());
        record.go_back(to);
        self.uploads_save(record)
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

    fn save_record(&mut self, mut record: Record) -> Result<(), StorageError> {
        record.object = Some(self.object.clone());
        self.uploads_save(record)
    }

    fn uploads_save(&mut self, record: Record) -> Result<(), StorageError> {
        self.runtime.block_on(self.uploads.store.save(&record))?;
        failpoint::hit("after-commit");
        self.record = record;
        Ok(())
    }
}
