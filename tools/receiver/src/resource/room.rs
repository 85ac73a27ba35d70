//! The size of an upload whose length is not known yet. What it has so far counts for the limits, in steps.

use crate::http::reply::Reply;
use crate::storage::record::Record;
use crate::wire::endpoint::Endpoint;
use crate::wire::locate::no_room;

/// How many bytes more are taken at a time, where there is room for so many.
const STEP: u64 = 16 * 1024 * 1024;

/// Makes room for the first `end` bytes of an open upload.
pub async fn reserve(endpoint: &Endpoint, record: &mut Record, end: u64) -> Result<(), Reply> {
    if end <= record.identity.size {
        return Ok(());
    }
    endpoint.check_size(end)?;
    let most = endpoint.config.max_size.map_or(u64::MAX, Into::into);
    let ample = end.saturating_add(STEP).min(most);
    if resize(endpoint, record, ample).await? || resize(endpoint, record, end).await? {
        return Ok(());
    }
    Err(full(endpoint, record, end).await)
}

/// Takes the file's length. It never changes once it is known.
pub async fn set_length(
    endpoint: &Endpoint,
    record: &mut Record,
    length: u64,
) -> Result<(), Reply> {
    let (size, offset) = (record.identity.size, record.offset);
    match record.is_open {
        true if length >= offset => fix(endpoint, record, length).await,
        true => Err(Reply::bad_request(format!(
            "Upload-Length {length} is less than the {offset} bytes that are here"
        ))),
        false if length == size => Ok(()),
        false => Err(Reply::bad_request(format!(
            "the file's length is {length} by this request, and was {size} by an earlier one: it cannot change"
        ))),
    }
}

/// Makes an open upload one whose length is known.
pub async fn fix(endpoint: &Endpoint, record: &mut Record, length: u64) -> Result<(), Reply> {
    endpoint.check_size(length)?;
    record.is_open = false;
    if resize(endpoint, record, length).await? {
        return Ok(());
    }
    record.is_open = true;
    Err(full(endpoint, record, length).await)
}

/// Changes the size, unless that goes over a limit.
async fn resize(endpoint: &Endpoint, record: &mut Record, size: u64) -> Result<bool, Reply> {
    let Ok(_) = i64::try_from(size) else {
        return Ok(false);
    };
    let before = std::mem::replace(&mut record.identity.size, size);
    let limits = endpoint.limits();
    let done = endpoint.uploads.store.resize(record, limits).await;
    if !matches!(done, Ok(true)) {
        record.identity.size = before;
    }
    Ok(done?)
}

async fn full(endpoint: &Endpoint, record: &Record, size: u64) -> Reply {
    let mut file = record.identity.clone();
    file.size = size;
    let (Ok(reply) | Err(reply)) = no_room(endpoint, &file).await.map_err(Reply::from);
    reply
}
