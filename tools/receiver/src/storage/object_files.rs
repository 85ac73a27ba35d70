//! The bytes of uploads in an object store, as [`files`](super::files) has them in directories.
//!
//! | key | what is there |
//! | --- | --- |
//! | `files/PLACE` | a finished file, whose place is as in the directory |
//! | `files/ID` | the object that is being made; where files have names, `partial/ID`, which is copied to its place |
//! | `partial/ID.N.tail` | bytes behind the first N parts |
//!
//! A store makes an object whole or not at all, so nobody sees a part of a file.

use bytes::Bytes;
use futures_util::TryStreamExt;
use resup_digests::{Algorithm, State as DigestState};

use crate::storage::error::{Fault, ObjectError};
use crate::storage::failpoint;
use crate::storage::object::Object;
use crate::storage::objects::Objects;
use crate::storage::record::{Record, State};

/// The largest object that S3 copies by one request.
const LARGEST_COPY: u64 = 5 << 30;

/// Returns the key of a finished file.
pub fn place_key(place: &str) -> String {
    format!("files/{place}")
}

/// Returns the key of the bytes behind some parts.
pub fn tail_key(id: &str, behind: usize) -> String {
    format!("partial/{id}.{behind}.tail")
}

impl Objects {
    /// Returns the key of an object while it is made.
    pub fn working_key(&self, id: &str) -> String {
        match self.is_by_id {
            true => place_key(id),
            false => format!("partial/{id}"),
        }
    }

    /// Moves a finished file to its place, if it is not there yet. Returns how many bytes of the upload there are, finished
    /// or not; those of an unfinished one by its record.
    pub async fn move_to_place(&self, record: &Record) -> Result<u64, ObjectError> {
        if record.state != State::Complete {
            return Ok(record.object.as_ref().map_or(0, |_| record.offset));
        }
        let (from, to) = (self.working_key(&record.id), place_key(&record.place));
        if from != to {
            if let Some(size) = self.length(&from).await? {
                self.copy_all(&from, &to, size).await?;
                failpoint::hit("after-rename");
                self.delete(&from).await?;
            }
        }
        Ok(self.length(&to).await?.unwrap_or(0))
    }

    /// Copies an object of any size.
    async fn copy_all(&self, from: &str, to: &str, size: u64) -> Result<(), ObjectError> {
        if self.client.s3.is_none() || size <= LARGEST_COPY {
            return self.copy(from, to).await;
        }
        let upload = self.begin(to).await?;
        let copied = self.copy_parts(from, to, &upload, size).await;
        if copied.is_err() {
            self.abort(to, &upload).await?;
        }
        copied
    }

    async fn copy_parts(
        &self,
        from: &str,
        to: &str,
        upload: &str,
        size: u64,
    ) -> Result<(), ObjectError> {
        let (step, mut parts) = (Object::new(String::new(), size).size, Vec::new());
        for begin in (0..size).step_by(step as usize) {
            let bytes = self.get(from, begin, size.min(begin + step)).await?;
            let part = self.put_part(to, upload, parts.len(), bytes).await?;
            parts.push(part);
        }
        self.complete(to, upload, &parts).await
    }

    /// Reads the bytes `from..to` of an object.
    pub async fn get(&self, key: &str, from: u64, to: u64) -> Result<Bytes, ObjectError> {
        let mut bytes = Vec::with_capacity((to - from) as usize);
        let mut stream = self.read(key, from..to).await?;
        while let Some(chunk) = stream.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        if bytes.len() as u64 != to - from {
            return Err(self.short(key, to - from, bytes.len() as u64));
        }
        Ok(bytes.into())
    }

    /// Computes a digest of the first bytes of an object.
    pub async fn digest(
        &self,
        key: &str,
        algorithm: Algorithm,
        size: u64,
    ) -> Result<DigestState, ObjectError> {
        let (mut state, mut count) = (DigestState::new(algorithm), 0);
        let mut stream = self.read(key, 0..size).await?;
        while let Some(chunk) = stream.try_next().await? {
            count += chunk.len() as u64;
            state.update(&chunk);
        }
        match count == size {
            true => Ok(state),
            false => Err(self.short(key, size, count)),
        }
    }

    fn short(&self, key: &str, expected: u64, count: u64) -> ObjectError {
        let why = format!("{count} bytes came in place of {expected}");
        self.error(format!("read '{key}'"), why, Fault::Away)
    }

    /// Drops all bytes of an upload, finished or not.
    pub async fn drop_bytes(&self, record: &Record) -> Result<(), ObjectError> {
        if let Some(object) = &record.object {
            if let Some(upload) = &object.upload {
                self.abort(&object.key, upload).await?;
            }
            self.drop_tail(&record.id, object).await?;
            self.delete(&object.key).await?;
        }
        let (working, place) = (self.working_key(&record.id), place_key(&record.place));
        if record.state == State::Complete && place != working {
            self.delete(&place).await?;
        }
        // An unfinished one may have it, too, where a crash came between the object and its record.
        match record.object {
            None => self.delete(&working).await,
            Some(_) => Ok(()),
        }
    }

    /// Drops the bytes behind the parts of an upload.
    pub async fn drop_tail(&self, id: &str, object: &Object) -> Result<(), ObjectError> {
        match object.tail.length {
            0 => Ok(()),
            _ => self.delete(&tail_key(id, object.tail.behind)).await,
        }
    }

    /// Whether a finished upload's object is nowhere.
    pub async fn is_gone(&self, record: &Record) -> Result<bool, ObjectError> {
        let keys = [self.working_key(&record.id), place_key(&record.place)];
        for key in keys {
            if self.length(&key).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a finished upload has an object of its size.
    pub async fn is_whole(&self, record: &Record) -> Result<bool, ObjectError> {
        Ok(self.find(record).await?.is_some())
    }

    /// Finds the key of a finished upload's object, if it has its size.
    pub async fn find(&self, record: &Record) -> Result<Option<String>, ObjectError> {
        let keys = [self.working_key(&record.id), place_key(&record.place)];
        let skipped = usize::from(keys[0] == keys[1]);
        for key in keys.into_iter().skip(skipped) {
            if let Some(length) = self.length(&key).await? {
                return Ok((length == record.identity.size).then_some(key));
            }
        }
        Ok(None)
    }

    /// Copies the object of a finished upload as the bytes of another one.
    pub async fn link(&self, finished: &Record, id: &str) -> Result<(), ObjectError> {
        let (from, to) = (place_key(&finished.place), self.working_key(id));
        self.copy_all(&from, &to, finished.identity.size).await?;
        match self.length(&to).await? {
            Some(length) if length == finished.identity.size => Ok(()),
            _ => {
                let why = "it has another size than its record says";
                Err(self.error(format!("copy '{from}'"), why, Fault::Wrong))
            }
        }
    }
}
