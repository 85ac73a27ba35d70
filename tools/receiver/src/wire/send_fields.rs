//! The fields of a send and of a store, before the file and after it, and the refusals that both have.

use std::sync::Arc;

use axum::http::StatusCode;
use resup_digests::Digest;

use crate::accounts::form_check::FormCheck;
use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::storage::claims::{Claim, Slot};
use crate::storage::record::Record;
use crate::storage::writer::Writer;
use crate::wire::agreement::Agreement;
use crate::wire::endpoint::Endpoint;
use crate::wire::multipart::Form;

/// The largest number of bytes in the name of a run.
const MAX_RUN: usize = 64;

/// What takes the bytes of a send, or the reply to one whose bytes are there already.
pub type Begun = Result<(Writer, Arc<Slot>), Reply>;

/// The fields before the file.
pub struct SendFields {
    /// The upload.
    pub id: String,
    name: String,
    size: u64,
    /// Where the bytes begin.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
    /// The digest that proves them.
    pub agreement: Agreement,
    /// The run of which this is a part.
    pub run: Option<String>,
    /// Digest of the bytes that the receiver has and shall drop, since they are of another file or damaged.
    restart: Option<Digest>,
}

impl SendFields {
    /// Reads and checks them.
    pub fn read(fields: &Fields) -> Result<Self, Reply> {
        let run = fields.text("part").map(str::to_owned);
        run.as_deref().map_or(Ok(()), check_run)?;
        let mut agreement = Agreement::of_send(fields)?;
        agreement.is_newer |= run.is_some();
        let send = Self {
            id: fields.required("id")?.to_owned(),
            name: fields.name()?.to_owned(),
            size: fields.bytes("size")?,
            offset: fields.bytes("offset")?,
            length: fields.bytes("length")?,
            agreement,
            run,
            restart: fields.digest("restart", agreement.digest)?,
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
    pub fn restarts(&self, record: &Record) -> bool {
        let restart = self.restart;
        restart.is_some_and(|it| record.digests.get(it.algorithm()) == Some(it))
    }

    /// Loads the upload, and checks that its file is the one that is sent.
    pub async fn load(
        &self,
        endpoint: &Endpoint,
        owner: &str,
        claim: &Claim,
    ) -> Result<Record, Reply> {
        let record = endpoint.uploads.load(owner, claim).await?;
        let record = record.ok_or_else(|| Reply::unknown(&self.id))?;
        self.check_file(endpoint, &record)?;
        Ok(record)
    }

    /// Checks that it is of the upload's file, and not too long.
    pub fn check_file(&self, endpoint: &Endpoint, record: &Record) -> Result<(), Reply> {
        let file = &record.identity;
        if self.name != file.name || self.size != file.size {
            let message = format!(
                "upload {} is of '{}' with {} bytes, not of '{}' with {}",
                record.id, file.name, file.size, self.name, self.size
            );
            return Err(Reply::refusal(StatusCode::CONFLICT, message));
        }
        let max_segment = endpoint.max_segment();
        if let Some(most) = max_segment.filter(|most| self.length > *most) {
            return Err(Reply::too_large(format!(
                "length {} is more than one send may carry, {most}",
                self.length
            ))
            .with_max_segment(max_segment));
        }
        endpoint.check_size(file.size)
    }

    /// Adds the upload's state to a reply.
    pub fn describe(&self, endpoint: &Endpoint, reply: Reply, record: &Record) -> Reply {
        let reply = endpoint.describe(reply, record, self.agreement);
        reply.with_prefix(record, self.agreement.digest)
    }

    /// Refuses the offset, since the upload is at another one.
    pub fn misplaced(&self, endpoint: &Endpoint, record: &Record) -> Reply {
        let message = format!(
            "offset {} is not where this upload stands, {}",
            self.offset, record.offset
        );
        let reply = Reply::refusal(StatusCode::CONFLICT, message);
        self.describe(endpoint, reply, record)
    }
}

/// Checks the name of a run.
fn check_run(run: &str) -> Result<(), Reply> {
    let is_plain = run.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_plain && (1..=MAX_RUN).contains(&run.len()) {
        true => Ok(()),
        false => Err(Reply::bad_field("part", run)),
    }
}

/// Refuses bytes that are not those that the client read.
pub fn wrong_digest() -> Reply {
    Reply::refusal(
        StatusCode::UNPROCESSABLE_ENTITY,
        "the digest of what arrived is not the one that the client sent",
    )
    .with_error("digest")
}

/// Refuses a file with more bytes than a field says.
pub fn excess(field: &str, length: u64) -> Reply {
    Reply::bad_request(format!(
        "the part 'file' has more bytes than '{field}' says, {length}"
    ))
}

/// Refuses a file with fewer bytes than a field says.
pub fn missing(field: &str, length: u64, received: u64) -> Reply {
    Reply::bad_request(format!(
        "the part 'file' has {received} bytes, '{field}' says {length}"
    ))
}

/// Reads a form up to the beginning of the file.
pub async fn read_head(form: &mut Form<'_>, check: &mut FormCheck<'_>) -> Result<Fields, Reply> {
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
    Ok(fields)
}

/// Reads the fields after the file.
pub async fn read_tail(form: &mut Form<'_>, check: &FormCheck<'_>) -> Result<Fields, Reply> {
    let mut fields = Fields::default();
    while let Some(name) = form.next_part().await? {
        if name == "file" {
            return Err(Reply::bad_request("the form has a second part 'file'"));
        }
        let value = form.value(&name).await?;
        fields.push(name, value)?;
    }
    check.check_tail(&fields)?;
    Ok(fields)
}
