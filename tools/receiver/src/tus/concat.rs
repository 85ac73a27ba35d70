//! The header Upload-Concat: a file goes up in pieces, which are uploads of their own (partial), and are joined (final).
//!
//! The partial uploads end with the final one: their URLs are unknown then. A client that has lost the answer asks again
//! with the same header, and gets the same final upload.

use axum::http::request::Parts;
use axum::http::{header, HeaderMap, StatusCode};

use crate::http::reply::{excerpt, Reply};
use crate::resource::creation::refusal;
use crate::resource::headers::{bad, one};
use crate::resource::location;
use crate::storage::claims::Claim;
use crate::storage::record::{Concat, Record};
use crate::storage::threads;
use crate::wire::endpoint::Endpoint;
use crate::wire::request_log::RequestLog;

const HEADER: &str = "upload-concat";
/// The most pieces of a file.
const MOST: usize = 100;
/// The longest value of the header, which is kept.
const LONGEST: usize = 8 * 1024;

/// Reads what an upload is to be.
pub fn read(headers: &HeaderMap) -> Result<Concat, Reply> {
    match one(headers, HEADER)? {
        None => Ok(Concat::None),
        Some(text) if text.len() > LONGEST => Err(Reply::bad_request(format!(
            "Upload-Concat has {} bytes, and at most {LONGEST} are taken: make fewer partial uploads",
            text.len()
        ))),
        Some(text) => Concat::from_text(text)
            .filter(|concat| *concat != Concat::None)
            .ok_or_else(|| bad(HEADER, text)),
    }
}

/// Makes a final upload. It has the length of its pieces, also where the client tells one.
pub async fn join(
    endpoint: &Endpoint,
    head: &Parts,
    record: Record,
    told: Option<u64>,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    log.action = "tus-concat";
    let own = endpoint.clone();
    let mut record = record;
    let ids = ids(&record.concat)?;
    // Asked before anything is claimed: a hook may take its time. What is checked before is checked again under the claims.
    if let Some(pieces) = find(endpoint, &record.identity.owner, &ids).await? {
        record.identity.size = size(endpoint, &pieces, told)?;
        endpoint.ask(&mut record).await?;
    }
    // It goes on when the client is gone, so that the next request finds it done.
    let record = threads::run(async move { make_final(&own, record, &ids, told).await }).await??;
    log.id.clone_from(&record.id);
    log.to = Some(record.offset);
    let reply = Reply::empty(StatusCode::CREATED);
    Ok(reply.with_header(header::LOCATION, location(head, &record)))
}

async fn make_final(
    endpoint: &Endpoint,
    mut record: Record,
    ids: &[String],
    told: Option<u64>,
) -> Result<Record, Reply> {
    let (uploads, owner) = (&endpoint.uploads, &record.identity.owner);
    let _sending = uploads.claims.begin_send(owner)?;
    let Some((_claims, pieces)) = claim(endpoint, owner, ids).await? else {
        return find_earlier(endpoint, &record).await;
    };
    record.identity.size = size(endpoint, &pieces, told)?;
    // Refuses the name, if it is taken, before anything is copied.
    uploads.choose_place(&record).await.map_err(refusal)?;
    let joined = uploads.claim(&record.id).await?;
    record.lease = joined.lease();
    match uploads.join(&mut record, pieces).await.map_err(refusal)? {
        true => Ok(record),
        false => Err(Reply::refusal(
            StatusCode::from_u16(460).expect("it has three digits"),
            "the digest of the joined file is not the one that was given: the partial uploads are kept, but one of them has \
             wrong bytes; delete them, and begin again",
        )),
    }
}

/// Reads the ids in the URLs of the pieces, absolute or relative: they are their last segments.
fn ids(concat: &Concat) -> Result<Vec<String>, Reply> {
    let mut ids = Vec::new();
    for url in concat.urls() {
        let id = url.rsplit('/').next().unwrap_or(url);
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Reply::bad_request(format!(
                "'{}' in Upload-Concat is not the URL of an upload",
                excerpt(url).escape_debug()
            )));
        }
        if ids.iter().any(|known| known == id) {
            return Err(Reply::bad_request(format!(
                "the partial upload {id} comes twice in Upload-Concat: its bytes can be in the file once"
            )));
        }
        ids.push(id.to_owned());
    }
    match ids.len() {
        0 => Err(Reply::bad_request(
            "Upload-Concat names no partial upload: their URLs follow 'final;', with blanks between them",
        )),
        count if count > MOST => Err(Reply::bad_request(format!(
            "Upload-Concat names {count} partial uploads, and at most {MOST} are taken"
        ))),
        _ => Ok(ids),
    }
}

/// Returns the size of the file that whole pieces make.
fn size(endpoint: &Endpoint, pieces: &[Record], told: Option<u64>) -> Result<u64, Reply> {
    let mut size: u64 = 0;
    for piece in pieces {
        check(piece)?;
        size = size.saturating_add(piece.offset);
    }
    if let Some(told) = told.filter(|told| *told != size) {
        return Err(Reply::bad_request(format!(
            "Upload-Length is {told}, but the partial uploads have {size} bytes: leave it out"
        )));
    }
    endpoint.check_size(size)?;
    Ok(size)
}

/// Finds the owner's uploads with these ids; `None` when one of them is not there.
async fn find(
    endpoint: &Endpoint,
    owner: &str,
    ids: &[String],
) -> Result<Option<Vec<Record>>, Reply> {
    let mut pieces = Vec::new();
    for id in ids {
        match endpoint.uploads.store.find(owner, id).await? {
            Some(piece) => pieces.push(piece),
            None => return Ok(None),
        }
    }
    Ok(Some(pieces))
}

/// Claims the owner's uploads with these ids; `None` when one of them is not there.
async fn claim(
    endpoint: &Endpoint,
    owner: &str,
    ids: &[String],
) -> Result<Option<(Vec<Claim>, Vec<Record>)>, Reply> {
    let uploads = &endpoint.uploads;
    // Before the claims, which would show that another owner has them, and interrupt that one.
    if find(endpoint, owner, ids).await?.is_none() {
        return Ok(None);
    }
    // In one order, so that two requests with the same ones do not wait for each other.
    let mut sorted: Vec<_> = ids.iter().collect();
    sorted.sort_unstable();
    let mut claims = Vec::new();
    for id in sorted {
        claims.push(uploads.claim(id).await?);
    }
    let mut pieces = Vec::new();
    for id in ids {
        let claim = claims.iter().find(|claim| claim.id() == id);
        let claim = claim.expect("all were claimed");
        match uploads.load(owner, claim).await? {
            Some(piece) => pieces.push(piece),
            None => return Ok(None),
        }
    }
    Ok(Some((claims, pieces)))
}

/// Finds the final upload that an earlier request has made of the same pieces.
async fn find_earlier(endpoint: &Endpoint, record: &Record) -> Result<Record, Reply> {
    let uploads = &endpoint.uploads;
    let owner = &record.identity.owner;
    let found = uploads.store.find_joined(owner, record.concat.text());
    let there = uploads
        .leave_out_gone(found.await?.into_iter().collect())
        .await?;
    there.into_iter().next().ok_or_else(|| {
        Reply::refusal(
            StatusCode::NOT_FOUND,
            "a partial upload in Upload-Concat is unknown: it was deleted, has expired, is in another final upload, or is \
             another user's; begin again",
        )
    })
}

/// Refuses what is not a whole piece.
fn check(piece: &Record) -> Result<(), Reply> {
    let id = &piece.id;
    let message = match (&piece.concat, piece.is_open) {
        (Concat::None, _) => {
            format!("the upload {id} is not partial: it was made without 'Upload-Concat: partial'")
        }
        (Concat::Final(_), _) => format!("the upload {id} is itself a final one"),
        (Concat::Partial, true) => {
            format!("the length of the partial upload {id} is not known yet: tell it first")
        }
        (Concat::Partial, false) if piece.offset < piece.identity.size => format!(
            "the partial upload {id} is not complete: it has {} of {} bytes",
            piece.offset, piece.identity.size
        ),
        _ => return Ok(()),
    };
    Err(Reply::bad_request(message))
}
