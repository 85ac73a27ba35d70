//! The download of several finished files as one zip file, which is made while it is sent.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::poll_fn;
use futures_util::StreamExt;
use tokio::sync::mpsc::{channel, Sender};
use tokio::task::spawn_blocking;

use super::find;
use super::zip::{directory, length, Entry};
use crate::accounts::csrf::check_form;
use crate::accounts::Accounts;
use crate::config::Config;
use crate::http::body::read_form;
use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::storage::error::StorageError;
use crate::storage::names;
use crate::storage::record::{Record, State as UploadState};
use crate::storage::uploads::Uploads;

/// How many blocks wait for the client at most.
const AHEAD: usize = 4;

/// Answers `POST /zip`: the finished files whose ids are in the fields `ids`, separated by commas.
pub async fn archive(
    State(accounts): State<Accounts>,
    State(uploads): State<Uploads>,
    State(config): State<Arc<Config>>,
    request: Request,
) -> Result<Response, Reply> {
    let (head, body) = request.into_parts();
    let visitor = accounts.visitor(&head).await?;
    let form = read_form(&mut body.into_data_stream(), config.body_idle_timeout).await?;
    let fields = Fields::from_urlencoded(&form)?;
    check_form(&visitor, &head, fields.text("csrf"))?;
    let (mut records, mut known) = (Vec::new(), HashSet::new());
    let lists = fields.iter().filter(|(name, _)| *name == "ids");
    let ids = lists.flat_map(|(_, ids)| ids.split(','));
    // One that is named twice is there once.
    for id in ids.filter(|id| !id.is_empty() && known.insert(*id)) {
        records.push(find(&uploads, &visitor.owner, id).await?);
    }
    if records.is_empty() {
        return Err(Reply::bad_request("field 'ids' names no upload"));
    }
    if let Some(record) = records.iter().find(|it| it.state != UploadState::Complete) {
        let message = format!("upload {} is not finished", record.id);
        return Err(Reply::refusal(StatusCode::NOT_FOUND, message));
    }
    // Many of them take a while.
    let made = spawn_blocking(move || entries(&records).map(|entries| (records, entries)));
    let made = made.await.map_err(StorageError::from)?;
    let (records, entries) = made.map_err(Reply::bad_request)?;
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, "application/zip");
    set(
        header::CONTENT_DISPOSITION,
        "attachment; filename=\"files.zip\"",
    );
    set(header::CACHE_CONTROL, "no-store");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    headers.insert(header::CONTENT_LENGTH, length(&entries).into());
    let (sender, mut blocks) = channel(AHEAD);
    tokio::spawn(async move {
        if let Err(error) = send(&uploads, &records, &entries, &sender).await {
            tracing::warn!("a zip file ends early: {error}");
            // The connection ends with it, so that the client knows.
            let _ = sender.send(Err(error)).await;
        }
    });
    *response.body_mut() = Body::from_stream(poll_fn(move |context| blocks.poll_recv(context)));
    Ok(response)
}

/// Makes the entries. Their paths are written as in a tree of files, so that none leads out of the directory where the
/// archive is unpacked, and each is there once, whatever its capitals; none is a directory of another one. The error says which
/// directory cannot be there.
fn entries(records: &[Record]) -> Result<Vec<Entry>, String> {
    let place = |record: &Record, number| {
        let place = names::tree("", record.dir(), record.name(), number);
        let path = place.split_once('/').map_or("", |(_, path)| path);
        path.to_owned()
    };
    let mut taken = HashSet::new();
    for record in records {
        let path = place(record, 1).to_lowercase();
        let dirs = path.match_indices('/').map(|(end, _)| &path[..end]);
        for dir in dirs
            .rev()
            .take_while(|dir| !taken.contains(*dir))
            .collect::<Vec<_>>()
        {
            taken.insert(dir.to_owned());
        }
    }
    // The next number for each name.
    let mut numbers = HashMap::new();
    let mut entries = Vec::new();
    for record in records {
        let mut path = place(record, 1);
        // With a number, a name is as short as it must be.
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        names::check_place(dir).map_err(|message| {
            format!(
                "upload {} cannot be in a zip file, download it alone: {message}",
                record.id
            )
        })?;
        if names::check_place(&path).is_err() || !taken.insert(path.to_lowercase()) {
            let key = place(record, 2).to_lowercase();
            let number = numbers.entry(key).or_insert(2);
            loop {
                path = place(record, *number);
                *number += 1;
                if taken.insert(path.to_lowercase()) {
                    break;
                }
            }
        }
        entries.push(Entry {
            path,
            size: record.identity.size,
            changed: record.identity.mtime.parse().unwrap_or(record.changed),
        });
    }
    Ok(entries)
}

type Block = io::Result<Bytes>;

/// Sends the archive. It ends when nobody takes it any more.
async fn send(
    uploads: &Uploads,
    records: &[Record],
    entries: &[Entry],
    sender: &Sender<Block>,
) -> io::Result<()> {
    let mut checksums = Vec::new();
    let give = async |block: Bytes| sender.send(Ok(block)).await.is_ok();
    for (record, entry) in records.iter().zip(entries) {
        let opened = uploads.read(record).await.map_err(io::Error::other)?;
        let gone = || io::Error::other(format!("the file of upload {} is gone", record.id));
        let content = opened.ok_or_else(gone)?;
        let mut bytes = content
            .bytes(0, entry.size)
            .await
            .map_err(io::Error::other)?;
        if !give(entry.header().into()).await {
            return Ok(());
        }
        let mut checksum = crc32fast::Hasher::new();
        while let Some(block) = bytes.next().await.transpose()? {
            checksum.update(&block);
            if !give(block).await {
                return Ok(());
            }
        }
        checksums.push(checksum.finalize());
        let checksum = checksums[checksums.len() - 1];
        if !give(entry.trailer(checksum).into()).await {
            return Ok(());
        }
    }
    give(directory(entries, &checksums).into()).await;
    Ok(())
}
