//! The request that brings a small file as a whole.

use bytes::Bytes;
use resup_digests::Digest;
use tokio::sync::Semaphore;

use crate::accounts::form_check::FormCheck;
use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::storage::claims::Claim;
use crate::storage::record::{Identity, Record, State};
use crate::storage::threads;
use crate::wire::agreement::Agreement;
use crate::wire::endpoint::Endpoint;
use crate::wire::locate::{contested, find, identity, no_room, ATTEMPTS};
use crate::wire::multipart::Form;
use crate::wire::request_log::RequestLog;
use crate::wire::send_fields::{excess, missing, read_tail, wrong_digest};

/// The largest number of bytes of all stores at a time.
const MEMORY: usize = 64 * 1024 * 1024;
static ROOM: Semaphore = Semaphore::const_new(MEMORY);

/// Answers a store. What comes is in memory until it is there as a whole, so a broken store leaves nothing.
pub async fn store(
    endpoint: &Endpoint,
    check: &FormCheck<'_>,
    mut form: Form<'_>,
    fields: &Fields,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    log.action = "store";
    fields.required("digest")?;
    let agreement = Agreement::of_send(fields)?;
    let name = agreement.digest.name();
    if fields.required(name)?.is_empty() {
        return Err(Reply::bad_field(name, ""));
    }
    let file = identity(fields, check.owner())?;
    endpoint.check_size(file.size)?;
    let small = endpoint.small();
    if file.size > small {
        return Err(Reply::too_large(format!(
            "the file has {} bytes, the most that a store may carry is {small}",
            file.size
        )));
    }
    // The hook is asked before the bytes are there, and nobody else waits for it.
    let fresh = match find(endpoint, &file).await? {
        None => Some(make(endpoint, &file, agreement).await?),
        Some(_) => None,
    };
    let _sending = endpoint.uploads.claims.begin_send(check.owner())?;
    let _room = ROOM.try_acquire_many(file.size as u32).map_err(|_| {
        Reply::too_large(
            "there are too many files at once for another one in one request: locate it, and send it",
        )
    })?;
    let bytes = read_file(&mut form, file.size, &mut log.bytes).await?;
    read_tail(&mut form, check).await?;
    let own = endpoint.clone();
    let work = async move {
        let is_wrong = |given: &Digest| Digest::of(given.algorithm(), &bytes) != *given;
        if file.digests().iter().any(is_wrong) {
            return Err(wrong_digest());
        }
        put(&own, (&file, fresh), bytes, agreement).await
    };
    let (_claim, mut record) = threads::run(work).await??;
    log.id.clone_from(&record.id);
    log.to = Some(record.offset);
    endpoint.use_digest(&mut record, agreement).await?;
    let reply = endpoint.describe(Reply::default(), &record, agreement);
    Ok(reply.with_prefix(&record, agreement.digest))
}

async fn read_file(form: &mut Form<'_>, size: u64, received: &mut u64) -> Result<Bytes, Reply> {
    let mut bytes = Vec::with_capacity(size as usize);
    while let Some(chunk) = form.chunk().await? {
        *received += chunk.len() as u64;
        if *received > size {
            return Err(excess("size", size));
        }
        bytes.extend_from_slice(&chunk);
    }
    match *received < size {
        true => Err(missing("size", size, *received)),
        false => Ok(bytes.into()),
    }
}

/// Makes the record of a new file, if the hook allows it.
async fn make(endpoint: &Endpoint, file: &Identity, agreement: Agreement) -> Result<Record, Reply> {
    let digests = endpoint.digests(agreement.digest);
    let mut record = Record::new(file.clone(), digests).map_err(Reply::internal)?;
    endpoint.ask(&mut record).await?;
    Ok(record)
}

/// Stores a file, unless the receiver has it or a part of it. Returns its upload, which is claimed.
async fn put(
    endpoint: &Endpoint,
    (file, mut fresh): (&Identity, Option<Record>),
    bytes: Bytes,
    agreement: Agreement,
) -> Result<(Claim, Record), Reply> {
    let uploads = &endpoint.uploads;
    let mut is_refused = false;
    for _ in 0..ATTEMPTS {
        if let Some(found) = find(endpoint, file).await? {
            let claim = uploads.claim(&found.id).await?;
            let Some(mut record) = uploads.load(&file.owner, &claim).await? else {
                continue;
            };
            if record.state != State::Complete && record.identity.learn(&file.digests()) {
                uploads.store.save(&record).await?;
            }
            if record.is_empty() {
                endpoint.use_digest(&mut record, agreement).await?;
                if !uploads.store_whole(&mut record, bytes, None).await? {
                    return Err(contested());
                }
            }
            return Ok((claim, record));
        }
        let mut record = match fresh.take() {
            Some(record) => record,
            None => make(endpoint, file, agreement).await?,
        };
        // A locate may find it as soon as it has a record.
        let claim = uploads.claim(&record.id).await?;
        record.lease = claim.lease();
        let new = Some(endpoint.limits().into());
        if uploads.store_whole(&mut record, bytes.clone(), new).await? {
            return Ok((claim, record));
        }
        // The first time another request may just have made the record, or files may be gone that count.
        if std::mem::replace(&mut is_refused, true) {
            break;
        }
        uploads.look_for_gone(&file.owner).await?;
    }
    Err(no_room(endpoint, file).await?)
}
