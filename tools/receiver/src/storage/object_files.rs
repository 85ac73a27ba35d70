//! The bytes of uploads in an object store, as [`files`](super::files) has them in directories.
//!
//! | key | what is there |
//! | --- | --- |
//! | `files/PLACE` | a finished file, whose place is as in the directory |
//! | `files/ID` | the object that is being made; where files have names, or there are other receivers, `partial/ID`, which is copied to its place |
//! | `partial/ID.NUMBER` | the same after another receiver has lost the upload, which might still put `partial/ID` |
//! | `partial/ID.N.MARK.tail` | bytes behind the first N parts |
//!
//! The layout may have changed since the object was begun, so a search looks at both keys.
//!
//! A store makes an object whole or not at all, so nobody sees a part of a file.

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::ObjectMeta;
use resup_digests::{Algorithm, State as DigestState};

use crate::storage::error::{Fault, ObjectError};
use crate::storage::failpoint;
use crate::storage::object::{Object, Tail};
use crate::storage::objects::Objects;
use crate::storage::record::{Record, State};

/// The largest object that S3 copies by one request.
const LARGEST_COPY: u64 = 5 << 30;

/// Returns the key of a finished file.
pub fn place_key(place: &str) -> String {
    format!("files/{place}")
}

/// Returns the key of the bytes behind some parts.
pub fn tail_key(id: &str, tail: &Tail) -> String {
    let Tail { behind, mark, .. } = tail;
    match &**mark {
        "" => format!("partial/{id}.{behind}.tail"),
        mark => format!("partial/{id}.{behind}.{mark}.tail"),
    }
}

/// Returns the keys that an object may have while it is made, by the layout.
fn working_keys(record: &Record) -> [String; 2] {
    let partial = format!("partial/{}", record.file_name());
    [place_key(&record.id), partial]
}

impl Objects {
    /// Returns the key of an object while it is made.
    pub fn working_key(&self, record: &Record) -> String {
        let [by_id, partial] = working_keys(record);
        match self.is_by_id {
            true => by_id,
            false => partial,
        }
    }

    /// Returns the keys that the object of a finished upload may have, in the order in which they count. The last one is its
    /// place, unless that is the first one.
    fn keys(&self, record: &Record) -> Vec<String> {
        let ([by_id, partial], place) = (working_keys(record), place_key(&record.place));
        match (place == by_id, self.is_by_id) {
            (true, true) => vec![place, partial],
            // Another file, or older bytes, may still be at the place.
            (true, false) => vec![partial, place],
            (false, _) => vec![partial, by_id, place],
        }
    }

    /// Moves a finished file to its place, if it is not there yet. Returns how many bytes of the upload there are, finished
    /// or not; those of an unfinished one by its record.
    pub async fn move_to_place(&self, record: &Record) -> Result<u64, ObjectError> {
        if record.state != State::Complete {
            return Ok(record.object.as_ref().map_or(0, |_| record.offset));
        }
        let Some((from, found)) = self.look_for(record).await? else {
            return Ok(0);
        };
        let to = place_key(&record.place);
        if from != to && found.size == record.identity.size {
            self.copy_all(&from, &to, found.size).await?;
            failpoint::hit("after-rename");
            // What was copied is deleted last: it counts until then.
            for key in working_keys(record).iter().filter(|key| **key != to) {
                self.delete(key).await?;
            }
        }
        Ok(found.size)
    }

    /// Moves the object of an upload that has just been finished to its place. Fails when there is none of its size.
    pub async fn finish(&self, record: &Record) -> Result<(), ObjectError> {
        let length = self.move_to_place(record).await?;
        match length == record.identity.size {
            true => Ok(()),
            false => {
                let (key, size) = (place_key(&record.place), record.identity.size);
                Err(self.other_length(&key, size, length, Fault::Lost))
            }
        }
    }

    /// Looks where the object of a finished upload is.
    async fn look_for(&self, record: &Record) -> Result<Option<(String, ObjectMeta)>, ObjectError> {
        let keys = self.keys(record);
        for key in &keys {
            if let Some(found) = self.look(key).await? {
                return Ok(Some((key.clone(), found)));
            }
        }
        self.confirm_missing(&place_key(&record.place)).await?;
        Ok(None)
    }

    /// Copies an object of any size, and looks whether all of it is there.
    async fn copy_all(&self, from: &str, to: &str, size: u64) -> Result<(), ObjectError> {
        match self.client.s3.is_none() || size <= LARGEST_COPY {
            true => self.copy(from, to).await?,
            false => self.copy_by_parts(from, to, size).await?,
        }
        match self.length(to).await?.unwrap_or(0) {
            length if length == size => Ok(()),
            length => Err(self.other_length(to, size, length, Fault::Wrong)),
        }
    }

    fn other_length(&self, key: &str, expected: u64, length: u64, fault: Fault) -> ObjectError {
        let why = format!("{length} bytes are there in place of {expected}");
        self.error(format!("finish '{key}'"), why, fault)
    }

    async fn copy_by_parts(&self, from: &str, to: &str, size: u64) -> Result<(), ObjectError> {
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
        let parts = parts.iter().map(String::as_str).enumerate();
        self.complete(to, upload, parts).await
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
            self.drop_tail(&record.id, &object.tail).await?;
        }
        let [by_id, partial] = working_keys(record);
        let place = place_key(&record.place);
        if record.state == State::Complete && place != by_id {
            self.delete(&place).await?;
        }
        // An unfinished one may have it, too, where a crash came between the object and its record. Where it is not made there, what
        // is there may be the same upload, which another receiver has finished meanwhile.
        let is_at_place = self.is_by_id
            || record.state == State::Complete
            || record.object.as_ref().is_some_and(|it| it.key == by_id);
        if is_at_place {
            self.delete(&by_id).await?;
        }
        self.delete(&partial).await
    }

    /// Drops the bytes behind the parts of an upload.
    pub async fn drop_tail(&self, id: &str, tail: &Tail) -> Result<(), ObjectError> {
        match tail.length {
            0 => Ok(()),
            _ => self.delete(&tail_key(id, tail)).await,
        }
    }

    /// Whether a finished upload's object is nowhere.
    pub async fn is_gone(&self, record: &Record) -> Result<bool, ObjectError> {
        Ok(self.look_for(record).await?.is_none())
    }

    /// Whether a finished upload has an object of its size.
    pub async fn is_whole(&self, record: &Record) -> Result<bool, ObjectError> {
        Ok(self.find(record).await?.is_some())
    }

    /// Finds the key of a finished upload's object, if it has its size, and what tells that from others at the key.
    pub async fn find(
        &self,
        record: &Record,
    ) -> Result<Option<(String, Option<String>)>, ObjectError> {
        let found = self.look_for(record).await?;
        let found = found.filter(|(_, found)| found.size == record.identity.size);
        Ok(found.map(|(key, found)| (key, found.e_tag)))
    }

    /// Copies the object of a finished upload as the bytes of another one.
    pub async fn link(&self, finished: &Record, to: &Record) -> Result<(), ObjectError> {
        let (from, to) = (place_key(&finished.place), self.working_key(to));
        self.copy_all(&from, &to, finished.identity.size).await
    }
}
