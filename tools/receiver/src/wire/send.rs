//! The request that brings the next bytes of a file.

use axum::http::StatusCode;
use resup_digests::{Algorithm, Digest};

use crate::accounts::form_check::FormCheck;
use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::storage::record::{Record, State};
use crate::storage::writer::{ExpectedDigests, Outcome, Writer};
use crate::wire::endpoint::Endpoint;
use crate::wire::multipart::Form;
use crate::wire::request_log::RequestLog;

/// Answers a send.
pub async fn send(
    endpoint: &Endpoint,
    check: &mut FormCheck<'_>,
    mut form: Form<'_>,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    log.action = "send";
    let fields = SendFields::read(&mut form, check).await?;
    log.from = Some(fields.offset);

    let (owner, uploads) = (check.owner(), &endpoint.uploads);
    let unknown = || Reply::unknown(&fields.id);
    // Before the claim, which would show that another owner has this upload, and interrupt it.
    if uploads.store.find(owner, &fields.id).await?.is_none() {
        return Err(unknown());
    }
    let mut claim = uploads.claims.claim(&fields.id).await?;
    let current = uploads.load(owner, &claim).await?;
    let mut record = current.ok_or_else(unknown)?;
    log.id = record.id.clone();
    fields.check_against(&record, endpoint.max_segment())?;
    endpoint.check_size(record.identity.size)?;
    let restart = fields.restarts(&record);
    if record.state == State::Complete && !restart {
        log.to = Some(record.offset);
        return Ok(Reply::for_record(&record).with_prefix(&record).and_close());
    }
    claim.begin_send(owner)?;
    if restart {
        uploads.drop_wrong(&mut record).await?;
        if record.offset > 0 {
            return Err(fields.misplaced(&record));
        }
    }

    form.set_slot(claim.slot());
    let commit_bytes = endpoint.config.commit_bytes.get();
    let writer = Writer::start(uploads.clone(), record, commit_bytes, claim);
    let (outcome, failure) =
        match receive(&mut form, check, &writer, fields.length, &mut log.bytes).await {
            Ok(expected) => (writer.finish(expected).await, None),
            Err(failure) => (writer.stop().await, Some(failure)),
        };
    let Outcome {
        record,
        digests_match,
    } = outcome?;
    log.to = Some(record.offset);
    match failure {
        Some(failure) => Err(failure.with_record(&record).with_prefix(&record)),
        None if digests_match => Ok(Reply::for_record(&record)
            .with_prefix(&record)
            .with_max_segment(endpoint.max_segment())),
        None => Err(Reply::refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the digest of what arrived is not the one that the client sent",
        )
        .with_error("digest")
        .with_record(&record)
        .with_prefix(&record)),
    }
}

/// Passes the file's bytes to the writer and returns the digests that come after them.
async fn receive(
    form: &mut Form<'_>,
    check: &FormCheck<'_>,
    writer: &Writer,
    length: u64,
    received: &mut u64,
) -> Result<ExpectedDigests, Reply> {
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
        let excess = chunk.len() as u64 > room;
        if excess {
            chunk.truncate(room as usize);
        }
        *received += chunk.len() as u64;
        if !writer.push(&chunk).await {
            return Err(stopped());
        }
        if excess {
            return Err(Reply::bad_request(format!(
                "the part 'file' has more bytes than 'length' says, {length}"
            )));
        }
    }
    if *received < length {
        return Err(Reply::bad_request(format!(
            "the part 'file' has {received} bytes, 'length' says {length}"
        )));
    }
    let mut fields = Fields::default();
    while let Some(name) = form.next_part().await? {
        if name == "file" {
            return Err(Reply::bad_request("the form has a second part 'file'"));
        }
        let value = form.value(&name).await?;
        fields.push(name, value)?;
    }
    check.check_tail(&fields)?;
    let md5 = fields.digest("md5", Algorithm::Md5)?;
    let sha256 = fields.digest("sha256", Algorithm::Sha256)?;
    let prefix = fields.digest("prefix_md5", Algorithm::Md5)?;
    Ok(ExpectedDigests {
        whole: md5.into_iter().chain(sha256).collect(),
        prefix: prefix.into_iter().collect(),
    })
}

fn stopped() -> Reply {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Reply::refusal(status, "the writer has stopped")
}

/// The fields before the file.
struct SendFields {
    id: String,
    name: String,
    size: u64,
    offset: u64,
    length: u64,
    /// Digest of the bytes that the receiver has and shall drop, since they are of another file or damaged.
    restart: Option<Digest>,
}

impl SendFields {
    /// Reads the form up to the beginning of the file.
    async fn read(form: &mut Form<'_>, check: &mut FormCheck<'_>) -> Result<Self, Reply> {
        let mut fields = Fields::default();
        loop {
            let Some(name) = form.next_part().await? else {
                return Err(Reply::bad_request("the part 'file' is missing"));
            };
            if name == "file" {
                break;
            }
            let value = form.value(&name).await?;
            fields.push(name, value)?;
        }
        check.check_head(&fields).await?;
        match fields.required("action")? {
            "send" => {}
            other => return Err(Reply::bad_field("action", other)),
        }
        let send = Self {
            id: fields.required("id")?.to_owned(),
            name: fields.name()?.to_owned(),
            size: fields.bytes("size")?,
            offset: fields.bytes("offset")?,
            length: fields.bytes("length")?,
            restart: fields.digest("restart", Algorithm::Md5)?,
        };
        if send.restart.is_some() && send.offset != 0 {
            return Err(Reply::bad_request(format!(
                "'restart' goes with offset 0, not {}",
                send.offset
            )));
        }
        if send.offset + send.length > send.size {
            return Err(Reply::bad_request(format!(
                "offset {} and length {} go past the size {}",
                send.offset, send.length, send.size
            )));
        }
        Ok(send)
    }

    /// Whether the receiver's bytes are to be dropped. Not if the request is late: then the digest is another one.
    fn restarts(&self, record: &Record) -> bool {
        let restart = self.restart;
        restart.is_some_and(|it| record.digests.get(it.algorithm()) == Some(it))
    }

    fn check_against(&self, record: &Record, max_segment: Option<u64>) -> Result<(), Reply> {
        let conflict = |message| Reply::refusal(StatusCode::CONFLICT, message);
        let file = &record.identity;
        if self.name != file.name || self.size != file.size {
            return Err(conflict(format!(
                "upload {} is of '{}' with {} bytes, not of '{}' with {}",
                record.id, file.name, file.size, self.name, self.size
            )));
        }
        if let Some(most) = max_segment.filter(|most| self.length > *most) {
            return Err(Reply::too_large(format!(
                "length {} is more than one send may carry, {most}",
                self.length
            ))
            .with_max_segment(max_segment));
        }
        let misplaced = self.offset != record.offset && !self.restarts(record);
        if record.state != State::Complete && misplaced {
            return Err(self.misplaced(record));
        }
        Ok(())
    }

    /// Refuses the offset, since the upload is at another one.
    fn misplaced(&self, record: &Record) -> Reply {
        let message = format!(
            "offset {} is not where this upload stands, {}",
            self.offset, record.offset
        );
        Reply::refusal(StatusCode::CONFLICT, message)
            .with_record(record)
            .with_prefix(record)
    }
}
