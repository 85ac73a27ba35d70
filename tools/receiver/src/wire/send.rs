//! The request that brings the next bytes of a file.

use axum::http::StatusCode;

use crate::accounts::form_check::FormCheck;
use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::storage::ranges::Ranges;
use crate::storage::record::State;
use crate::storage::writer::{ExpectedDigests, Outcome, Writer};
use crate::wire::endpoint::Endpoint;
use crate::wire::multipart::Form;
use crate::wire::part::{begin_part, stored_end};
use crate::wire::request_log::RequestLog;
use crate::wire::send_fields::{excess, missing, read_tail, wrong_digest, Begun, SendFields};

/// Answers a send.
pub async fn send(
    endpoint: &Endpoint,
    check: &FormCheck<'_>,
    mut form: Form<'_>,
    fields: &Fields,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    let fields = SendFields::read(fields)?;
    log.from = Some(fields.offset);
    let (owner, uploads) = (check.owner(), &endpoint.uploads);
    // Before the claim, which would show that another owner has this upload, and interrupt it.
    if uploads.store.find(owner, &fields.id).await?.is_none() {
        return Err(Reply::unknown(&fields.id));
    }
    let begun = match &fields.run {
        Some(run) => begin_part(endpoint, owner, &fields, run, log).await?,
        None => begin(endpoint, owner, &fields, log).await?,
    };
    let (writer, slot) = match begun {
        Ok(begun) => begun,
        Err(reply) => return Ok(reply),
    };
    form.set_slot(slot);
    let (outcome, failure) = match receive(&mut form, check, &writer, &fields, &mut log.bytes).await
    {
        Ok(expected) => (writer.finish(expected).await, None),
        Err(failure) => (writer.stop().await, Some(failure)),
    };
    let Outcome {
        record,
        digests_match,
    } = outcome?;
    log.to = Some(match fields.run {
        Some(_) => stored_end(&record, fields.offset, log.bytes),
        None => record.offset,
    });
    let describe = |reply| fields.describe(endpoint, reply, &record);
    match failure {
        Some(failure) => Err(describe(failure)),
        None if digests_match => Ok(describe(Reply::default())),
        None => Err(describe(wrong_digest())),
    }
}

/// Makes everything ready for a send's bytes.
async fn begin(
    endpoint: &Endpoint,
    owner: &str,
    fields: &SendFields,
    log: &mut RequestLog,
) -> Result<Begun, Reply> {
    let uploads = &endpoint.uploads;
    let mut claim = uploads.claim(&fields.id).await?;
    let mut record = fields.load(endpoint, owner, &claim).await?;
    log.id.clone_from(&record.id);
    endpoint.use_digest(&mut record, fields.agreement).await?;
    let restart = fields.restarts(&record);
    if record.state == State::Complete && !restart {
        log.to = Some(record.offset);
        let reply = fields.describe(endpoint, Reply::default(), &record);
        return Ok(Err(reply.and_close()));
    }
    if fields.offset != record.offset && !restart {
        return Err(fields.misplaced(endpoint, &record));
    }
    claim.begin_send(owner)?;
    if restart {
        uploads.drop_wrong(&mut record).await?;
        endpoint.use_digest(&mut record, fields.agreement).await?;
        if record.offset > 0 {
            return Err(fields.misplaced(endpoint, &record));
        }
    }
    if fields.length > 0 && !record.ranges.is_empty() {
        record.ranges = Ranges::default();
        uploads.store.save(&record).await?;
    }
    let slot = claim.slot();
    let commit_bytes = endpoint.config.commit_bytes.get();
    let writer = Writer::begin(uploads.clone(), record, commit_bytes, claim);
    Ok(Ok((writer, slot)))
}

/// Passes the file's bytes to the writer and returns the digests that come after them.
async fn receive(
    form: &mut Form<'_>,
    check: &FormCheck<'_>,
    writer: &Writer,
    fields: &SendFields,
    received: &mut u64,
) -> Result<ExpectedDigests, Reply> {
    let length = fields.length;
    loop {
        let chunk = tokio::select! {
            chunk = form.chunk() => chunk?,
            // The caller gets the error from the writer.
            () = writer.failed() => return Err(stopped()),
        };
        let Some(mut chunk) = chunk else {
            break;
        };
        let room = length - *received;
        let is_excess = chunk.len() as u64 > room;
        if is_excess {
            chunk.truncate(room as usize);
        }
        *received += chunk.len() as u64;
        if !writer.push(&chunk).await {
            return Err(stopped());
        }
        if is_excess {
            return Err(excess("length", length));
        }
    }
    if *received < length {
        return Err(missing("length", length, *received));
    }
    let tail = read_tail(form, check).await?;
    let mut part = None;
    if fields.run.is_some() {
        let digest = fields.agreement.digest;
        let name = format!("part_{}", digest.name());
        tail.required(&name)?;
        part = tail.digest(&name, digest)?;
    }
    Ok(ExpectedDigests {
        whole: tail.all_digests("")?,
        prefix: tail.all_digests("prefix_")?,
        part,
        ..ExpectedDigests::default()
    })
}

fn stopped() -> Reply {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Reply::refusal(status, "the writer has stopped")
}
