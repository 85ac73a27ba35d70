//! The request that asks what the receiver has of a file.

use axum::http::StatusCode;
use resup_digests::Algorithm;

use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::http::size::in_units;
use crate::storage::changes::Limits;
use crate::storage::claims::Claim;
use crate::storage::record::{Identity, Record, State};
use crate::wire::endpoint::Endpoint;
use crate::wire::request_log::RequestLog;

/// How often a search is repeated because the upload was deleted before it could be claimed.
const ATTEMPTS: u32 = 5;

/// Answers a locate.
pub async fn locate(
    endpoint: &Endpoint,
    owner: &str,
    fields: &Fields,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    match fields.required("action")? {
        "locate" => log.action = "locate",
        "send" => {
            return Err(Reply::bad_request(
                "action 'send' needs multipart/form-data",
            ))
        }
        other => return Err(Reply::bad_field("action", other)),
    }
    let md5 = fields.digest("md5", Algorithm::Md5)?;
    let file = Identity {
        owner: owner.to_owned(),
        dir: fields.dir()?.to_owned(),
        name: fields.name()?.to_owned(),
        size: fields.bytes("size")?,
        mtime: fields.mtime()?,
        md5: md5.map_or(String::new(), |md5| md5.hex()),
    };
    let sha256 = fields.digest("sha256", Algorithm::Sha256)?;
    endpoint.check_size(file.size)?;
    let (_claim, mut record) = find_and_claim(endpoint, &file).await?;
    log.id = record.id.clone();
    if record.state != State::Complete {
        if record.identity.md5.is_empty() && !file.md5.is_empty() {
            record.identity.md5 = file.md5;
            endpoint.uploads.store.save(&record).await?;
        }
        // The owner may have uploaded the same content before.
        let by_content = record.offset == 0 && !record.identity.md5.is_empty();
        if !by_content
            || !endpoint
                .uploads
                .finish_instantly(&mut record, sha256)
                .await?
        {
            endpoint.uploads.choose_place(&record).await?;
        }
    }
    log.from = Some(record.offset);
    log.to = Some(record.offset);
    let reply = Reply::for_record(&record).with_max_segment(endpoint.max_segment());
    Ok(match fields.text("prefix") {
        Some("1") => reply.with_prefix(&record),
        _ => reply,
    })
}

/// Finds or makes the file's upload, and claims it.
async fn find_and_claim(endpoint: &Endpoint, file: &Identity) -> Result<(Claim, Record), Reply> {
    // The upload may be deleted or replaced before it can be claimed.
    for _ in 0..ATTEMPTS {
        let id = find_or_make(endpoint, file).await?;
        let claim = endpoint.uploads.claims.claim(&id).await?;
        if let Some(record) = endpoint.uploads.load(&file.owner, &claim).await? {
            return Ok((claim, record));
        }
    }
    Err(contested())
}

async fn find_or_make(endpoint: &Endpoint, file: &Identity) -> Result<String, Reply> {
    let limits = endpoint.limits();
    // Twice, since a concurrent locate of the same file may win the insert, or files may be gone that count.
    for _ in 0..2 {
        if let Some(record) = endpoint.uploads.store.find_file(file).await? {
            let uploads = &endpoint.uploads;
            // It did not count, so the limits are for it as for a new one.
            if record.gone == 0 || !uploads.forget_gone(&record, "it is wanted again").await? {
                return Ok(record.id);
            }
        }
        let record = Record::new(file.clone(), endpoint.digests()).map_err(Reply::internal)?;
        // Refuses the name, if it is taken, before there is a record.
        endpoint.uploads.choose_place(&record).await?;
        if endpoint.uploads.store.insert(&record, limits).await? {
            return Ok(record.id);
        }
        endpoint.uploads.look_for_gone(&file.owner).await?;
    }
    let (records, bytes) = endpoint.uploads.store.totals(&file.owner).await?;
    let full = |message| Reply::refusal(StatusCode::INSUFFICIENT_STORAGE, message);
    match limits {
        Limits {
            records: Some(most),
            ..
        } if records >= most => Err(full(format!(
            "there are {records} uploads, the most that one user may have here: delete some first"
        ))),
        Limits {
            bytes: Some(quota), ..
        } => Err(full(format!(
            "a file of {} goes over the quota of {}: {} are taken",
            in_units(file.size),
            in_units(quota),
            in_units(bytes)
        ))),
        _ => Err(contested()),
    }
}

fn contested() -> Reply {
    let message = "other clients make and delete this upload at the same time";
    Reply::refusal(StatusCode::LOCKED, message)
}
