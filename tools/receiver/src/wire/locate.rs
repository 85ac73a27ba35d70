//! The request that asks what the receiver has of a file.

use axum::http::StatusCode;
use resup_digests::Algorithm;

use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::http::size::in_units;
use crate::storage::changes::Limits;
use crate::storage::claims::Claim;
use crate::storage::error::{StorageError, StoreError};
use crate::storage::record::{Identity, Record, State};
use crate::wire::agreement::Agreement;
use crate::wire::endpoint::Endpoint;
use crate::wire::request_log::RequestLog;

/// How often a search is repeated because the upload was deleted before it could be claimed.
pub const ATTEMPTS: u32 = 5;

/// Answers a locate.
pub async fn locate(
    endpoint: &Endpoint,
    owner: &str,
    fields: &Fields,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    match fields.required("action")? {
        "locate" => log.action = "locate",
        action @ ("send" | "store") => {
            let message = format!("action '{action}' needs multipart/form-data");
            return Err(Reply::bad_request(message));
        }
        "discard" => {
            let message = "action 'discard' needs a POST";
            return Err(Reply::bad_request(message));
        }
        other => return Err(Reply::bad_field("action", other)),
    }
    let file = identity(fields, owner)?;
    let offered = fields.digests();
    endpoint.check_size(file.size)?;
    let digest = *offered.first().unwrap_or(&Algorithm::Md5);
    let (_claim, mut record) = find_and_claim(endpoint, &file, digest).await?;
    log.id = record.id.clone();
    let uploads = &endpoint.uploads;
    if record.state != State::Complete {
        if record.identity.learn(&file.digests()) {
            uploads.store.save(&record).await?;
        }
        // The owner may have uploaded the same content before.
        if !record.is_empty() || !uploads.finish_instantly(&mut record).await? {
            uploads.choose_place(&record).await?;
        }
    }
    let agreement = Agreement::of_locate(&offered, &record);
    endpoint.use_digest(&mut record, agreement).await?;
    log.from = Some(record.offset);
    log.to = Some(record.offset);
    let reply = endpoint.describe(Reply::default(), &record, agreement);
    Ok(match fields.text("prefix") {
        Some("1") => reply.with_prefix(&record, agreement.digest),
        _ => reply,
    })
}

/// Reads what tells which file a form is about.
pub fn identity(fields: &Fields, owner: &str) -> Result<Identity, Reply> {
    let mut file = Identity {
        owner: owner.to_owned(),
        dir: fields.dir()?.to_owned(),
        name: fields.name()?.to_owned(),
        size: fields.bytes("size")?,
        mtime: fields.mtime()?,
        ..Identity::default()
    };
    file.learn(&fields.all_digests("")?);
    Ok(file)
}

/// Finds or makes the file's upload, and claims it.
async fn find_and_claim(
    endpoint: &Endpoint,
    file: &Identity,
    digest: Algorithm,
) -> Result<(Claim, Record), Reply> {
    // The upload may be deleted or replaced before it can be claimed.
    for _ in 0..ATTEMPTS {
        let id = find_or_make(endpoint, file, digest).await?;
        let claim = endpoint.uploads.claim(&id).await?;
        if let Some(record) = endpoint.uploads.load(&file.owner, &claim).await? {
            return Ok((claim, record));
        }
    }
    Err(contested())
}

/// Finds a file's upload; none if its file is gone.
pub async fn find(endpoint: &Endpoint, file: &Identity) -> Result<Option<Record>, Reply> {
    let uploads = &endpoint.uploads;
    let Some(record) = uploads.store.find_file(file).await? else {
        return Ok(None);
    };
    // It did not count, so the limits are for it as for a new one.
    let is_gone = record.gone > 0 && uploads.forget_gone(&record, "it is wanted again").await?;
    Ok(Some(record).filter(|_| !is_gone))
}

async fn find_or_make(
    endpoint: &Endpoint,
    file: &Identity,
    digest: Algorithm,
) -> Result<String, Reply> {
    let limits = endpoint.limits();
    // What the hook has said; it is asked once.
    let mut renamed = None;
    // Twice, since a concurrent locate of the same file may win the insert, or files may be gone that count.
    for attempt in 1..=2 {
        if let Some(record) = find(endpoint, file).await? {
            return Ok(record.id);
        }
        let mut record =
            Record::new(file.clone(), endpoint.digests(digest)).map_err(Reply::internal)?;
        record.renamed = match renamed.take() {
            Some(renamed) => renamed,
            None => {
                endpoint.ask(&mut record).await?;
                record.renamed
            }
        };
        renamed = Some(record.renamed.clone());
        // Refuses the name, if it is taken, before there is a record.
        match endpoint.uploads.choose_place(&record).await {
            // Perhaps by a store of this file that has just ended.
            Err(StorageError::NameTaken(_)) if attempt == 1 => continue,
            chosen => chosen?,
        };
        if endpoint.uploads.store.insert(&record, limits).await? {
            return Ok(record.id);
        }
        endpoint.uploads.look_for_gone(&file.owner).await?;
    }
    Err(no_room(endpoint, file).await?)
}

/// The refusal of a file that its owner may not have beside the others.
pub async fn no_room(endpoint: &Endpoint, file: &Identity) -> Result<Reply, StoreError> {
    let limits = endpoint.limits();
    let (records, bytes) = endpoint.uploads.store.totals(&file.owner).await?;
    let full = |message| Reply::refusal(StatusCode::INSUFFICIENT_STORAGE, message);
    Ok(match limits {
        Limits {
            records: Some(most),
            ..
        } if records >= most => full(format!(
            "there are {records} uploads, the most that one user may have here: delete some first"
        )),
        Limits {
            bytes: Some(quota), ..
        } => full(format!(
            "a file of {} goes over the quota of {}: {} are taken",
            in_units(file.size),
            in_units(quota),
            in_units(bytes)
        )),
        _ => contested(),
    })
}

pub fn contested() -> Reply {
    let message = "other clients make and delete this upload at the same time";
    Reply::refusal(StatusCode::LOCKED, message)
}
