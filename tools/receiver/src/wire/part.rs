//! A part: a send that is under way together with others of the same upload.

use axum::http::StatusCode;

use crate::http::reply::Reply;
use crate::storage::ranges::MOST;
use crate::storage::record::{Record, State};
use crate::storage::writer::Writer;
use crate::wire::endpoint::Endpoint;
use crate::wire::request_log::RequestLog;
use crate::wire::send_fields::{Begun, SendFields};

/// Makes everything ready for a part of a run. Returns the reply instead, if its bytes are there already.
pub async fn begin_part(
    endpoint: &Endpoint,
    owner: &str,
    fields: &SendFields,
    run: &str,
    log: &mut RequestLog,
) -> Result<Begun, Reply> {
    if endpoint.uploads.objects.is_some() {
        return Err(Reply::bad_request(
            "this receiver takes no parts, as its answer to a locate shows: send from its offset, without 'part'",
        ));
    }
    let (from, to) = (fields.offset, fields.offset + fields.length);
    let (uploads, most) = (&endpoint.uploads, endpoint.parts(owner));
    let claim = uploads.claim_part(&fields.id, run, from..to, most);
    let mut claim = claim.await?;
    let shared = claim.shared();
    let mut shared = shared.lock().await;
    if shared.is_none() {
        let record = fields.load(endpoint, owner, &claim).await?;
        if record.state != State::Complete {
            uploads.begin_run(&record).await?;
        }
        *shared = Some(record);
    }
    let record = shared.as_mut().expect("it was just loaded");
    log.id.clone_from(&record.id);
    log.to = Some(stored_end(record, from, fields.length));
    fields.check_file(endpoint, record)?;
    endpoint.use_digest(record, fields.agreement).await?;
    if record.state == State::Complete || to <= record.offset || from == to {
        let reply = fields.describe(endpoint, Reply::default(), record);
        return Ok(Err(reply.and_close()));
    }
    if from < record.offset {
        return Err(fields.misplaced(endpoint, record));
    }
    // Each part adds a range, and may cut one into two.
    if from > record.offset && record.ranges.len() + 2 * most > MOST {
        let message = format!(
            "there are {} ranges: send first what is missing at offset {}",
            record.ranges.len(),
            record.offset
        );
        let reply = Reply::refusal(StatusCode::TOO_MANY_REQUESTS, message);
        return Err(fields.describe(endpoint, reply, record));
    }
    claim.begin_send(owner)?;
    let digest = fields.agreement.digest;
    uploads.begin_part(record, digest, from, to).await?;
    let name = record.file_name();
    drop(shared);
    let slot = claim.slot();
    let writer = Writer::start_part(uploads.clone(), claim, name, (digest, from));
    Ok(Ok((writer, slot)))
}

/// Finds the end of a part's bytes that are stored; its offset, if none are.
pub fn stored_end(record: &Record, from: u64, bytes: u64) -> u64 {
    let end = from + bytes;
    let mut ranges = record.ranges.iter();
    let has = end <= record.offset || ranges.any(|it| it.from <= from && end <= it.to);
    if has {
        end
    } else {
        from
    }
}
