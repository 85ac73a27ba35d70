//! The content of finished uploads: it is read, and becomes that of other uploads.

use std::io::{self, SeekFrom};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{try_unfold, BoxStream};
use futures_util::{Stream, StreamExt, TryStreamExt};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::storage::error::{StorageError, StoreError};
use crate::storage::files::Files;
use crate::storage::objects::Objects;
use crate::storage::record::{Record, State};
use crate::storage::uploads::Uploads;

/// How many bytes of a file are read at once.
const CHUNK: usize = 64 * 1024;

/// The content of a finished upload.
pub enum Content {
    /// A file that is open.
    File(File),
    /// An object, by its key and the tag that others at that key do not have.
    Object(Objects, String, Option<String>),
}

impl Content {
    /// Reads so many bytes from an offset on, for a response. Fails when the file ends before.
    pub async fn bytes(
        self,
        first: u64,
        length: u64,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, StorageError> {
        match self {
            Self::File(mut file) => {
                file.seek(SeekFrom::Start(first)).await?;
                Ok(chunks(file, length).boxed())
            }
            Self::Object(objects, key, tag) => {
                let range = first..first + length;
                let bytes = objects.read_same(&key, tag, range).await?;
                let told = |error| {
                    tracing::error!("a download breaks off: {error}");
                    io::Error::other(error)
                };
                Ok(bytes.map_err(told).boxed())
            }
        }
    }
}

/// Reads the next `left` bytes of a file.
fn chunks(file: File, left: u64) -> impl Stream<Item = io::Result<Bytes>> {
    try_unfold((file, left), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut chunk = BytesMut::with_capacity(CHUNK.min(left as usize));
        let count = (&mut file).take(left).read_buf(&mut chunk).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some((chunk.freeze(), (file, left - count as u64))))
    })
}

impl Uploads {
    /// Opens the file of a finished upload; `None` when it was deleted, replaced or moved away.
    pub async fn read(&self, record: &Record) -> Result<Option<Content>, StorageError> {
        let found = match &self.objects {
            Some(objects) => {
                let found = objects.find(record).await?;
                found.map(|(key, tag)| Content::Object(objects.clone(), key, tag))
            }
            None => match self.on_disk(record, Files::read).await {
                Err(StorageError::File(error)) if error.kind() == io::ErrorKind::NotFound => None,
                file => Some(Content::File(File::from_std(file?))),
            },
        };
        if !self.is_unchanged(record).await? {
            return Ok(None);
        }
        if found.is_none() {
            tracing::warn!(
                id = record.id,
                "the file '{}' is gone, or has another length",
                record.place
            );
        }
        Ok(found)
    }

    /// Whether a file that was opened without a claim is that of this finished upload. It is, if the record is
    /// still the same: it changes before other bytes come to the place.
    async fn is_unchanged(&self, record: &Record) -> Result<bool, StoreError> {
        let now = self.store.find(&record.identity.owner, &record.id).await?;
        Ok(now.is_some_and(|now| {
            now.state == State::Complete
                && now.place == record.place
                && now.digests.agree(&record.digests)
        }))
    }

    /// Drops the multipart upload of an upload that has no bytes and will need none.
    pub(super) async fn drop_unused(&self, record: &mut Record) -> Result<(), StorageError> {
        if let (Some(objects), Some(_)) = (&self.objects, &record.object) {
            self.make_sure(record).await?;
            objects.drop_bytes(record).await?;
            record.object = None;
            record.renew_name();
            self.store.save(record).await?;
        }
        Ok(())
    }

    /// Finishes an upload with the bytes of another upload of the same owner that has the same content, by all digests
    /// that are known; `false` when there is none.
    pub async fn finish_instantly(&self, record: &mut Record) -> Result<bool, StorageError> {
        let digests = record.identity.digests();
        self.drop_unused(record).await?;
        for twin in self.store.find_content(&record.identity).await? {
            if let Err(error) = self.link(&twin, record).await {
                tracing::warn!(
                    id = twin.id,
                    "cannot link the file, so it may have to be sent again: {error}"
                );
                continue;
            }
            let mut linked = Record {
                offset: record.identity.size,
                digests: twin.digests.clone(),
                ..record.clone()
            };
            if self.is_unchanged(&twin).await? && self.has_digests(&mut linked, &digests).await? {
                record.digests = linked.digests;
                match &self.objects {
                    Some(objects) => {
                        let _named = self.commit_finished(record).await?;
                        objects.finish(record).await?;
                    }
                    None => self.finish(record).await?,
                }
                return Ok(true);
            }
            match &self.objects {
                Some(objects) => {
                    self.make_sure(record).await?;
                    objects.drop_bytes(record).await?;
                }
                None => {
                    self.on_disk(record, |files, record| files.remove(&record.file_name()))
                        .await?
                }
            }
        }
        Ok(false)
    }

    /// Makes the bytes of a finished upload those of another one.
    async fn link(&self, twin: &Record, record: &Record) -> Result<(), StorageError> {
        if let Some(objects) = &self.objects {
            return Ok(objects.link(twin, record).await?);
        }
        let name = record.file_name();
        let link = move |files: &Files, twin: &Record| files.link(twin, &name);
        self.on_disk(twin, link).await
    }
}
