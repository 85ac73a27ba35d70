//! Search for what is left over in an object store: multipart uploads and tails that no record has.
//!
//! Where an upload has a record, that says what belongs to it, and the rest goes at once. Without a record it may be the database
//! that is wrong, so what is in the store stays for as long as unknown bytes in the directory.

use axum::http::Method;
use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use serde::Deserialize;

use crate::storage::database::now;
use crate::storage::error::{Fault, ObjectError, StorageError};
use crate::storage::object_files::tail_key;
use crate::storage::objects::{Listed, Objects};
use crate::storage::record::{Record, State};
use crate::storage::unknown::{KEPT, KEPT_DAYS};
use crate::storage::uploads::Uploads;

/// How long the address of a list may be used.
const LIST_TIME: std::time::Duration = std::time::Duration::from_secs(300);

/// A multipart upload that is not completed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Unfinished {
    key: String,
    upload_id: String,
    initiated: Option<DateTime<Utc>>,
}

/// A page of them, and where the next one begins.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    upload: Vec<Unfinished>,
    #[serde(default)]
    is_truncated: bool,
    next_key_marker: Option<String>,
    next_upload_id_marker: Option<String>,
}

impl Uploads {
    /// Looks once. Deletes what has no record only if the clock is to be trusted. Only an outage ends the search: other errors
    /// are logged.
    pub async fn sweep_objects(&self, trusts: bool) -> Result<(), StorageError> {
        let Some(objects) = &self.objects else {
            return Ok(());
        };
        let old = match trusts {
            true => now().saturating_sub_unsigned(KEPT.as_millis() as u64),
            false => i64::MIN,
        };
        let mut unknown = 0;
        for found in go_on(objects.unfinished().await)?.unwrap_or_default() {
            let swept = self.sweep_unfinished(objects, &found, old).await;
            unknown += u64::from(go_on(swept)? == Some(true));
        }
        for found in go_on(objects.list("partial").await)?.unwrap_or_default() {
            let swept = self.sweep_partial(objects, &found, old).await;
            unknown += u64::from(go_on(swept)? == Some(true));
        }
        if unknown > 0 {
            tracing::warn!(
                "the object store {} has {unknown} beginnings of uploads that are not in the database: is it the right one? \
                 After {KEPT_DAYS} days they are deleted",
                objects.name()
            );
        }
        Ok(())
    }

    /// Looks at an upload in parts. Returns whether it is unknown, and stays for now.
    async fn sweep_unfinished(
        &self,
        objects: &Objects,
        found: &Unfinished,
        old: i64,
    ) -> Result<bool, StorageError> {
        let key = &found.key;
        // Other programs may use the same bucket.
        let Some(name) = ["files/", "partial/"]
            .iter()
            .find_map(|dir| key.strip_prefix(dir))
        else {
            return Ok(false);
        };
        let id = name.split('.').next().unwrap_or(name);
        // The request that works on it may have begun it just now.
        let Some(_claim) = self.claim_idle(id).await? else {
            return Ok(false);
        };
        let begun = found.initiated.map(|it| it.timestamp_millis());
        match self.store.find_any(id).await? {
            None if begun.is_none_or(|begun| begun >= old) => return Ok(true),
            None => {}
            Some(record) => {
                let its = record.object.as_ref().and_then(|it| it.upload.as_ref());
                if its == Some(&found.upload_id) {
                    return Ok(false);
                }
                tracing::info!(id, "dropped an upload in parts that a crash left over");
            }
        }
        objects.abort(key, &found.upload_id).await?;
        Ok(false)
    }

    /// Looks at an object in `partial`. Returns whether it is unknown, and stays for now.
    async fn sweep_partial(
        &self,
        objects: &Objects,
        found: &Listed,
        old: i64,
    ) -> Result<bool, StorageError> {
        let name = found.key.strip_prefix("partial/").unwrap_or("");
        let id = name.split('.').next().unwrap_or("");
        let Some(_claim) = self.claim_idle(id).await? else {
            return Ok(false);
        };
        match self.store.find_any(id).await? {
            Some(record) if name == record.file_name() => self.move_to_place(&record).await?,
            Some(record) if !has_tail(&record, &found.key) => objects.delete(&found.key).await?,
            Some(_) => {}
            None if found.made < old => objects.delete(&found.key).await?,
            None => return Ok(true),
        }
        Ok(false)
    }
}

/// Logs an error that is of one object, and returns the others.
fn go_on<T, E: Into<StorageError>>(result: Result<T, E>) -> Result<Option<T>, StorageError> {
    match result.map_err(Into::into) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_unreachable() => Err(error),
        Err(error) => {
            tracing::error!("cannot drop all that is left over in the object store: {error}");
            Ok(None)
        }
    }
}

/// Whether an object is the tail of an unfinished upload.
fn has_tail(record: &Record, key: &str) -> bool {
    let object = record.object.as_ref();
    let is_it = object.is_some_and(|it| tail_key(&record.id, &it.tail) == key);
    is_it && record.state != State::Complete
}

impl Objects {
    /// Lists the multipart uploads that are not completed. Other stores than those of S3 forget these by themselves.
    async fn unfinished(&self) -> Result<Vec<Unfinished>, ObjectError> {
        let Some(s3) = &self.client.s3 else {
            return Ok(Vec::new());
        };
        let (mut all, mut next) = (Vec::new(), None::<(String, String)>);
        loop {
            let mut query = vec![
                ("uploads".to_owned(), String::new()),
                ("prefix".to_owned(), self.client.prefix.clone()),
            ];
            if let Some((key, upload)) = next.take() {
                query.push(("key-marker".to_owned(), key));
                query.push(("upload-id-marker".to_owned(), upload));
            }
            let options = SignedUrlOptions::default().with_query(query);
            let bucket = Path::default();
            let url = s3.signed_url_opts(Method::GET, &bucket, LIST_TIME, &options);
            let url = url.await.map_err(|error| self.cannot_list(error))?;
            let text = self.get_list(url).await?;
            let page: Page = quick_xml::de::from_str(&text)
                .map_err(|error| self.error("list the uploads in parts", error, Fault::Wrong))?;
            let count = page.upload.len();
            for mut found in page.upload {
                if let Some(key) = found.key.strip_prefix(&self.client.prefix) {
                    found.key = key.to_owned();
                    all.push(found);
                }
            }
            next = page.next_key_marker.zip(page.next_upload_id_marker);
            if !page.is_truncated || count == 0 || next.is_none() {
                return Ok(all);
            }
        }
    }

    async fn get_list(&self, url: url::Url) -> Result<String, ObjectError> {
        // The address is signed, so it is in no message.
        let failed = |error: reqwest::Error| self.cannot_list(error.without_url());
        let response = self.client.http.get(url).send().await.map_err(failed)?;
        let status = response.status();
        if status.is_client_error() {
            return Err(self.error("list the uploads in parts", status, Fault::Wrong));
        }
        response
            .error_for_status()
            .map_err(failed)?
            .text()
            .await
            .map_err(failed)
    }

    fn cannot_list(&self, error: impl ToString) -> ObjectError {
        self.error("list the uploads in parts", error, Fault::Away)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_stores_write_it() {
        let text = "<?xml version=\"1.0\"?><ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                    <Bucket>b</Bucket><KeyMarker/><NextKeyMarker>a&amp;b</NextKeyMarker>\
                    <NextUploadIdMarker>2</NextUploadIdMarker><IsTruncated>true</IsTruncated>\
                    <Upload><Key>files/a&amp;b</Key><UploadId>1</UploadId><Initiated>1970-01-01T00:00:01.000Z</Initiated></Upload>\
                    <Upload><Key>files/c</Key><UploadId>2</UploadId></Upload></ListMultipartUploadsResult>";
        let page: Page = quick_xml::de::from_str(text).unwrap();
        assert_eq!((page.upload.len(), page.is_truncated), (2, true));
        assert_eq!(page.next_key_marker.as_deref(), Some("a&b"));
        let first = &page.upload[0];
        assert_eq!((&*first.key, &*first.upload_id), ("files/a&b", "1"));
        assert_eq!(first.initiated.unwrap().timestamp_millis(), 1000);
    }
}
