//! A request's body, appended to an upload. What arrives of a broken request is kept.

use axum::http::StatusCode;
use resup_digests::Digest;

use crate::http::reply::Reply;
use crate::http::size::in_units;
use crate::resource::check::Check;
use crate::resource::creation::refusal;
use crate::resource::room::{fix, reserve};
use crate::storage::claims::Claim;
use crate::storage::error::{ClaimError, StorageError, StoreError};
use crate::storage::record::{Concat, Record, State};
use crate::storage::writer::{ExpectedDigests, Outcome, Writer};
use crate::wire::endpoint::Endpoint;
use crate::wire::incoming::Incoming;
use crate::wire::locate::contested;
use crate::wire::request_log::RequestLog;

/// What a request says about its body.
#[derive(Default)]
pub struct Append {
    /// How many bytes it has; `None` where only its end will tell.
    pub length: Option<u64>,
    /// The digests that it has to have.
    pub checks: Vec<Check>,
    /// Whether an upload that is still open ends with it.
    pub is_last: bool,
    /// The digests of the whole file, where it ends with it.
    pub whole: Vec<Digest>,
}

/// Why an upload got no further.
pub struct Failure {
    /// The refusal.
    pub reply: Reply,
    /// What is wrong.
    pub kind: Kind,
    /// The upload as it is now, where that is known.
    pub record: Option<Box<Record>>,
}

/// What is wrong with an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its bytes are not those that the client read. They are dropped.
    Damaged,
    /// The whole file is not the one that the client read. The upload is deleted.
    WrongFile,
    /// It has more bytes than the file.
    TooLong,
    /// All bytes are there, but they cannot be a file of that name now.
    NoName,
    /// Anything else.
    Other,
}

impl Kind {
    fn drops_body(self) -> bool {
        matches!(self, Self::Damaged | Self::TooLong)
    }
}

impl Failure {
    fn new(kind: Kind, reply: Reply) -> Self {
        Self {
            reply,
            kind,
            record: None,
        }
    }
}

impl From<Reply> for Failure {
    fn from(reply: Reply) -> Self {
        Self::new(Kind::Other, reply)
    }
}

impl From<ClaimError> for Failure {
    fn from(error: ClaimError) -> Self {
        Reply::from(error).into()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Reply::from(error).into()
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let kind = match error {
            StorageError::NameTaken(_) | StorageError::NameTooLong(_) => Kind::NoName,
            _ => Kind::Other,
        };
        Self::new(kind, refusal(error))
    }
}

/// Appends the body to an upload that is not finished. Returns the upload as it is then.
pub async fn append(
    endpoint: &Endpoint,
    (mut claim, mut record): (Claim, Record),
    body: &mut Incoming<'_>,
    mut append: Append,
    log: &mut RequestLog,
) -> Result<Record, Failure> {
    let owner = record.identity.owner.clone();
    log.from = Some(record.offset);
    if let Some(length) = append.length {
        check_length(endpoint, &record, length)?;
        let end = record.offset + length;
        if record.is_open {
            reserve(endpoint, &mut record, end).await?;
        }
    }
    claim.begin_send(&owner)?;
    body.set_slot(claim.slot());
    let commit_bytes = endpoint.config.commit_bytes.get();
    let writer = Writer::begin(
        endpoint.uploads.clone(),
        record.clone(),
        commit_bytes,
        claim,
    );
    // Nobody compares what was kept of a piece with the client's bytes before they are joined.
    let is_unproven = record.concat == Concat::Partial && !append.checks.is_empty();
    let received = receive(endpoint, &mut record, body, &writer, &mut append, log).await;
    let (outcome, failure) = match received {
        Ok(()) => (writer.finish(expected(&append.whole)).await, None),
        // Where nothing was passed on, there is nothing to drop.
        Err(failure) if (failure.kind.drops_body() || is_unproven) && log.bytes > 0 => {
            let damaged = ExpectedDigests {
                are_damaged: true,
                ..ExpectedDigests::default()
            };
            (writer.finish(damaged).await, Some(failure))
        }
        Err(failure) => (writer.stop().await, Some(failure)),
    };
    if let Some(mut failure) = failure {
        let kept = outcome?.record;
        log.to = Some(kept.offset);
        failure.record = Some(Box::new(kept));
        return Err(failure);
    }
    let outcome = outcome?;
    log.to = Some(outcome.record.offset);
    let record = judge(endpoint, outcome).await?;
    match record.is_open && append.is_last {
        true => end(endpoint, record, &append.whole).await,
        false => Ok(record),
    }
}

/// Ends an open upload where it stands.
async fn end(endpoint: &Endpoint, appended: Record, whole: &[Digest]) -> Result<Record, Failure> {
    let claim = endpoint.uploads.claim(&appended.id).await?;
    let owner = &appended.identity.owner;
    // Another request may have come in between.
    let record = endpoint.uploads.load(owner, &claim).await?;
    let record = record.filter(|now| now.is_open && now.offset == appended.offset);
    let mut record = record.ok_or_else(contested)?;
    fix(endpoint, &mut record, appended.offset).await?;
    settle(endpoint, claim, record, whole).await
}

/// Finishes an upload of which all bytes are there.
pub async fn settle(
    endpoint: &Endpoint,
    claim: Claim,
    record: Record,
    whole: &[Digest],
) -> Result<Record, Failure> {
    let commit_bytes = endpoint.config.commit_bytes.get();
    let writer = Writer::begin(endpoint.uploads.clone(), record, commit_bytes, claim);
    judge(endpoint, writer.finish(expected(whole)).await?).await
}

fn expected(whole: &[Digest]) -> ExpectedDigests {
    ExpectedDigests {
        whole: whole.to_vec(),
        ..ExpectedDigests::default()
    }
}

/// Returns the upload, unless its file is another one than the client said: nobody knows which of its bytes are wrong, so
/// it is deleted.
async fn judge(endpoint: &Endpoint, outcome: Outcome) -> Result<Record, Failure> {
    let Outcome {
        record,
        digests_match,
    } = outcome;
    if digests_match {
        return Ok(record);
    }
    discard(endpoint, &record).await?;
    Err(Failure::new(
        Kind::WrongFile,
        Reply::refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the digest of the whole file is not the one that was given when the upload began: the upload is deleted, \
             begin it again",
        ),
    ))
}

/// Deletes an upload, unless another request has finished it meanwhile.
pub async fn discard(endpoint: &Endpoint, record: &Record) -> Result<(), Failure> {
    let uploads = &endpoint.uploads;
    let claim = uploads.claim(&record.id).await?;
    let now = uploads.load(&record.identity.owner, &claim).await?;
    match now.filter(|now| now.state != State::Complete) {
        Some(record) => Ok(uploads.delete(&record).await?),
        None => Ok(()),
    }
}

/// Passes the body to the writer.
async fn receive(
    endpoint: &Endpoint,
    record: &mut Record,
    body: &mut Incoming<'_>,
    writer: &Writer,
    append: &mut Append,
    log: &mut RequestLog,
) -> Result<(), Failure> {
    let begin = record.offset;
    let most = endpoint.max_segment().unwrap_or(u64::MAX);
    let room = record.identity.size - begin.min(record.identity.size);
    loop {
        let chunk = tokio::select! {
            chunk = body.next(body.deadline()) => chunk?,
            // The caller gets the error from the writer.
            () = writer.failed() => return Err(stopped().into()),
        };
        let Some(chunk) = chunk else {
            break;
        };
        let received = log.bytes + chunk.len() as u64;
        if received > most {
            return Err(over_segment(endpoint).into());
        }
        if record.is_open {
            reserve(endpoint, record, begin.saturating_add(received)).await?;
        } else if received > room {
            return Err(too_long(record));
        }
        log.bytes = received;
        append.checks.iter_mut().for_each(|it| it.update(&chunk));
        if !writer.push(&chunk).await {
            return Err(stopped().into());
        }
    }
    if append.checks.iter().all(Check::is_right) {
        return Ok(());
    }
    let message = "the digest of the request's body is not the one that the client sent: its bytes are dropped, send them again";
    Err(Failure::new(
        Kind::Damaged,
        Reply::refusal(StatusCode::UNPROCESSABLE_ENTITY, message),
    ))
}

/// Refuses a body that cannot be right, before a byte of it is taken.
fn check_length(endpoint: &Endpoint, record: &Record, length: u64) -> Result<(), Failure> {
    if !record.is_open && length > record.identity.size - record.offset {
        return Err(too_long(record));
    }
    match endpoint.max_segment().is_some_and(|most| length > most) {
        true => Err(over_segment(endpoint).into()),
        false => Ok(()),
    }
}

fn too_long(record: &Record) -> Failure {
    let (size, offset) = (record.identity.size, record.offset);
    let message = format!(
        "the request's body goes past the end of the file: Upload-Length is {size}, and {offset} bytes are here already"
    );
    Failure::new(Kind::TooLong, Reply::too_large(message))
}

fn over_segment(endpoint: &Endpoint) -> Reply {
    Reply::too_large(format!(
        "this receiver takes at most {} in one request: send the file in chunks of that size or less",
        in_units(endpoint.max_segment().unwrap_or(u64::MAX))
    ))
}

fn stopped() -> Reply {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Reply::refusal(status, "the writer has stopped")
}
