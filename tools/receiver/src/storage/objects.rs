//! Requests to an object store.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::signer::SignedUrlOptions;
use object_store::{GetOptions, ObjectMeta, ObjectStoreExt, PutPayload};

use crate::storage::error::{Fault, ObjectError};
use crate::storage::object_address::Client;
use crate::storage::object_completion::{self, has_gaps};

/// The key of an object that a check makes.
const PROBE: &str = "partial/probe";
/// How long the address of a download may be used.
const DOWNLOAD_TIME: Duration = Duration::from_secs(900);
/// How long the address of a completion may be used.
const COMPLETION_TIME: Duration = Duration::from_secs(300);

/// A store.
#[derive(Clone)]
pub struct Objects {
    pub(super) client: Arc<Client>,
    /// Whether an object is made at its place: finished files are named after their upload, and no other receiver may put it.
    pub(super) is_by_id: bool,
    /// Whether downloads are sent to the store.
    pub redirects: bool,
}

/// An object in a list.
pub struct Listed {
    /// Its key.
    pub key: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// When it was made, in milliseconds since 1970.
    pub made: i64,
}

impl Objects {
    /// Opens a store. No request goes to it yet.
    pub fn open(address: &str, is_by_id: bool, redirects: bool) -> anyhow::Result<Self> {
        Ok(Self {
            client: Arc::new(Client::open(address)?),
            is_by_id,
            redirects,
        })
    }

    /// Gives its address.
    pub fn name(&self) -> &str {
        &self.client.name
    }

    /// Checks that an object can be made, read and deleted.
    pub async fn check(&self) -> Result<(), ObjectError> {
        // Another receiver may check it, too.
        let mark = mark().map_err(|error| self.error("choose a name", error, Fault::Away))?;
        let key = format!("{PROBE}.{mark}");
        self.put(&key, Bytes::from_static(b"?")).await?;
        if self.length(&key).await? != Some(1) {
            return Err(self.error(format!("keep '{key}'"), "it is not there", Fault::Wrong));
        }
        self.delete(&key).await
    }

    /// Checks that it answers.
    pub async fn probe(&self) -> Result<(), ObjectError> {
        self.length(PROBE).await.map(drop)
    }

    /// Makes an object of all bytes.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), ObjectError> {
        let (path, payload) = (self.path(key)?, PutPayload::from(bytes));
        let put = self.client.objects.put(&path, payload);
        self.told(put.await, "put", key).map(drop)
    }

    /// Begins an object in parts. Returns the id of the multipart upload.
    pub async fn begin(&self, key: &str) -> Result<String, ObjectError> {
        let path = self.path(key)?;
        let begun = self.client.parts.create_multipart(&path);
        self.told(begun.await, "begin", key)
    }

    /// Puts a part. Returns its name.
    pub async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: usize,
        bytes: Bytes,
    ) -> Result<String, ObjectError> {
        let (path, id) = (self.path(key)?, upload.to_owned());
        let put = self
            .client
            .parts
            .put_part(&path, &id, number, PutPayload::from(bytes));
        let part = self.told(put.await, &format!("put part {} of", number + 1), key)?;
        Ok(part.content_id)
    }

    /// Makes the object of its parts, which have their numbers.
    pub async fn complete(
        &self,
        key: &str,
        upload: &str,
        parts: impl Iterator<Item = (usize, &str)>,
    ) -> Result<(), ObjectError> {
        let parts = Vec::from_iter(parts);
        if self.client.numbers_parts && has_gaps(&parts) {
            return self.complete_numbered(key, upload, &parts).await;
        }
        let parts = parts.iter().map(|(_, name)| PartId {
            content_id: (*name).to_owned(),
        });
        let (path, id) = (self.path(key)?, upload.to_owned());
        let completed = self
            .client
            .parts
            .complete_multipart(&path, &id, parts.collect());
        self.told(completed.await, "complete", key).map(drop)
    }

    async fn complete_numbered(
        &self,
        key: &str,
        upload: &str,
        parts: &[(usize, &str)],
    ) -> Result<(), ObjectError> {
        let options = SignedUrlOptions::default().with_query([("uploadId", upload)]);
        let (path, signer) = (self.path(key)?, &self.client.signer);
        let url = signer.signed_url_opts(Method::POST, &path, COMPLETION_TIME, &options);
        let url = self.told(url.await, "complete", key)?;
        let completed = object_completion::complete(&self.client.http, url, parts).await;
        completed.map_err(|(why, fault)| {
            let key = format!("{}{key}", self.client.prefix);
            self.error(format!("complete '{key}'"), short(&why), fault)
        })
    }

    /// Drops the parts of an object that is not made. There may be none any more.
    pub async fn abort(&self, key: &str, upload: &str) -> Result<(), ObjectError> {
        let (path, id) = (self.path(key)?, upload.to_owned());
        let aborted = self.client.parts.abort_multipart(&path, &id).await;
        unless_missing(self.told(aborted, "abort", key)).map(drop)
    }

    /// Returns the length of an object; `None` when there is none.
    pub async fn length(&self, key: &str) -> Result<Option<u64>, ObjectError> {
        if let Some(found) = self.look(key).await? {
            return Ok(Some(found.size));
        }
        self.confirm_missing(key).await?;
        Ok(None)
    }

    /// Looks at an object. `None` has no reason: it may also be the whole bucket that is away.
    pub(super) async fn look(&self, key: &str) -> Result<Option<ObjectMeta>, ObjectError> {
        let found = self.client.objects.head(&self.path(key)?).await;
        unless_missing(self.told(found, "look at", key))
    }

    /// Checks that an object is missing, and not the whole bucket: that must not be taken for a lost file.
    pub(super) async fn confirm_missing(&self, key: &str) -> Result<(), ObjectError> {
        match self.read(key, 0..1).await {
            Ok(_) => Err(self.error(format!("look at '{key}'"), "it has just come", Fault::Away)),
            Err(error) if error.fault != Fault::Missing => Err(error),
            Err(error)
                if ["NoSuchBucket", "ContainerNotFound"]
                    .iter()
                    .any(|it| error.why.contains(it)) =>
            {
                Err(error)
            }
            Err(_) => Ok(()),
        }
    }

    /// Deletes an object, if there is one.
    pub async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        let deleted = self.client.objects.delete(&self.path(key)?).await;
        unless_missing(self.told(deleted, "delete", key)).map(drop)
    }

    /// Copies an object inside of the store.
    pub async fn copy(&self, from: &str, to: &str) -> Result<(), ObjectError> {
        let (from, path) = (self.path(from)?, self.path(to)?);
        let copied = self.client.objects.copy(&from, &path).await;
        self.told(copied, "copy to", to)
    }

    /// Reads some bytes of an object as they come.
    pub async fn read(
        &self,
        key: &str,
        bytes: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, ObjectError>>, ObjectError> {
        self.read_same(key, None, bytes).await
    }

    /// Does the same, and fails when another object is there than the one with this tag.
    pub async fn read_same(
        &self,
        key: &str,
        tag: Option<String>,
        bytes: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, ObjectError>>, ObjectError> {
        if bytes.is_empty() {
            return Ok(futures_util::stream::empty().boxed());
        }
        let options = GetOptions::new().with_range(Some(bytes));
        let options = options.with_if_match(tag.clone());
        let path = self.path(key)?;
        let found = self.client.objects.get_opts(&path, options);
        let found = self.told(found.await, "read", key)?;
        // Some stores do not know the condition.
        if tag.is_some() && found.meta.e_tag != tag {
            let why = "another file has just come to its place";
            return Err(self.error(format!("read '{key}'"), why, Fault::Away));
        }
        let (this, key) = (self.clone(), key.to_owned());
        let stream = found.into_stream();
        let told = move |error| this.failed(error, "read", &key);
        Ok(stream.map_err(told).boxed())
    }

    /// Lists the objects whose keys begin with a directory's name.
    pub async fn list(&self, dir: &str) -> Result<Vec<Listed>, ObjectError> {
        let prefix = self.path(dir)?;
        let found = self.client.objects.list(Some(&prefix)).try_collect();
        let found: Vec<_> = self.told(found.await, "list", dir)?;
        let listed = found.into_iter().filter_map(|found| {
            let key = found.location.as_ref();
            Some(Listed {
                key: key.strip_prefix(&self.client.prefix)?.to_owned(),
                bytes: found.size,
                made: found.last_modified.timestamp_millis(),
            })
        });
        Ok(listed.collect())
    }

    /// Makes an address at which everybody can download an object for a while; under that name, where the store takes one.
    pub async fn download(&self, key: &str, disposition: &str) -> Result<String, ObjectError> {
        let path = self.path(key)?;
        let named = [("response-content-disposition", disposition)];
        let options = match self.client.s3 {
            Some(_) => SignedUrlOptions::default().with_query(named),
            None => SignedUrlOptions::default(),
        };
        let signed =
            self.client
                .signer
                .signed_url_opts(Method::GET, &path, DOWNLOAD_TIME, &options);
        Ok(self.told(signed.await, "sign", key)?.to_string())
    }

    fn path(&self, key: &str) -> Result<Path, ObjectError> {
        Path::parse(format!("{}{key}", self.client.prefix))
            .map_err(|error| self.error(format!("name '{key}'"), error, Fault::Wrong))
    }

    fn told<T>(
        &self,
        result: object_store::Result<T>,
        work: &str,
        key: &str,
    ) -> Result<T, ObjectError> {
        result.map_err(|error| self.failed(error, work, key))
    }

    fn failed(&self, error: object_store::Error, work: &str, key: &str) -> ObjectError {
        let text = error.to_string();
        let fault = match &error {
            object_store::Error::NotFound { .. } => Fault::Missing,
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => Fault::Refused,
            // Another file has just come to the place.
            object_store::Error::Precondition { .. } => Fault::Away,
            object_store::Error::Generic { .. } => match status(&text) {
                // Too slow a request, and too many of them.
                Some(408 | 429) => Fault::Away,
                Some(400..500) => Fault::Wrong,
                _ => Fault::Away,
            },
            _ => Fault::Wrong,
        };
        let key = format!("{}{key}", self.client.prefix);
        self.error(format!("{work} '{key}'"), short(&text), fault)
    }

    pub(super) fn error(
        &self,
        work: impl Into<String>,
        why: impl ToString,
        fault: Fault,
    ) -> ObjectError {
        ObjectError {
            store: self.name().to_owned(),
            work: work.into(),
            why: why.to_string(),
            fault,
        }
    }
}

/// Makes a part of a name that no other one has.
pub(super) fn mark() -> Result<String, getrandom::Error> {
    let mut mark = [0; 8];
    getrandom::fill(&mut mark)?;
    Ok(hex::encode(mark))
}

/// Makes `None` of what is not there.
pub(super) fn unless_missing<T>(result: Result<T, ObjectError>) -> Result<Option<T>, ObjectError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.fault == Fault::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

/// Finds the HTTP status in the text of an error.
fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// Leaves out the document that a store sends with an error, but for its code and message: it may have an id of the
/// credentials, and the text that was signed.
fn short(text: &str) -> String {
    let Some((before, document)) = text.split_once('<') else {
        return text.to_owned();
    };
    let element = |name: &str| {
        let (_, rest) = document.split_once(&format!("<{name}>"))?;
        Some(rest.split('<').next()?.to_owned())
    };
    let told = ["Code", "Message"].into_iter().filter_map(element);
    format!("{before}{}", Vec::from_iter(told).join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_of_an_error_is_left_out() {
        let text = "GET failed, status code: 403 Forbidden: <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code>\
                    <Message>It differs.</Message><AWSAccessKeyId>key</AWSAccessKeyId></Error>";
        assert_eq!(status(text), Some(403));
        assert_eq!(
            short(text),
            "GET failed, status code: 403 Forbidden: SignatureDoesNotMatch, It differs."
        );
        assert_eq!(short("plain"), "plain");
    }
}
