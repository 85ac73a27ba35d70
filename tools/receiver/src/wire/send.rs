//! The send request: here are the next bytes.

use axum::http::StatusCode;

use crate::accounts::gate::Gate;
use crate::app::App;
use crate::http::answer::Answer;
use crate::http::fields::Fields;
use crate::storage::record::{Record, State};
use crate::storage::writer::{Ending, Tail, Writer};
use crate::wire::form::Form;
use crate::wire::visit::Visit;

/// Answers a send.
pub async fn send(
    app: &App,
    gate: &mut Gate<'_>,
    mut form: Form<'_>,
    visit: &mut Visit,
) -> Result<Answer, Answer> {
    visit.action = "send";
    let order = Order::read(&mut form, gate).await?;
    visit.from = Some(order.offset);

    let owner = gate.owner();
    let unknown = || Answer::unknown(&order.id);
    // Before the claim: it would tell of another owner's upload, and hold it up.
    if app.store.find(owner, &order.id).await?.is_none() {
        return Err(unknown());
    }
    let mut claim = app.active.claim(&order.id).await?;
    let current = app.shelf.current(owner, &claim).await?;
    let mut record = current.ok_or_else(unknown)?;
    visit.id = record.id.clone();
    order.check(&record, app.max_segment())?;
    app.check_size(record.identity.size)?;
    let restart = order.restarts(&record);
    if record.state == State::Complete && !restart {
        visit.to = Some(record.held);
        return Ok(Answer::of(&record).with_prefix(&record).closing());
    }
    claim.send(owner, &app.config)?;
    if restart {
        app.shelf.reset(&mut record).await?;
    }

    form.listen_through(claim.slot());
    let commit_bytes = app.config.commit_bytes.get();
    let writer = Writer::start(app.shelf.clone(), record, commit_bytes, claim);
    let (ending, failure) =
        match receive(&mut form, gate, &writer, order.length, &mut visit.bytes).await {
            Ok(tail) => (writer.finish(tail).await, None),
            Err(failure) => (writer.abandon().await, Some(failure)),
        };
    let Ending { record, agreed } = ending?;
    visit.to = Some(record.held);
    match failure {
        Some(failure) => Err(failure.standing(&record).with_prefix(&record)),
        None if agreed => Ok(Answer::of(&record)
            .with_prefix(&record)
            .with_max_segment(app.max_segment())),
        None => Err(Answer::refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the digest of what arrived is not the one that the client sent",
        )
        .with_error("digest")
        .standing(&record)
        .with_prefix(&record)),
    }
}

/// Passes the file's bytes to the writer and returns what comes after them.
async fn receive(
    form: &mut Form<'_>,
    gate: &Gate<'_>,
    writer: &Writer,
    length: u64,
    received: &mut u64,
) -> Result<Tail, Answer> {
    loop {
        let chunk = tokio::select! {
            chunk = form.chunk() => chunk?,
            // It says why when it is asked for its ending.
            () = writer.given_up() => return Err(stopped()),
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
        if !writer.push(chunk).await {
            return Err(stopped());
        }
        if excess {
            return Err(Answer::bad_request(format!(
                "the part 'file' has more bytes than 'length' says, {length}"
            )));
        }
    }
    if *received < length {
        return Err(Answer::bad_request(format!(
            "the part 'file' has {received} bytes, 'length' says {length}"
        )));
    }
    let mut fields = Fields::default();
    while let Some(name) = form.next_part().await? {
        if name == "file" {
            return Err(Answer::bad_request("the form has a second part 'file'"));
        }
        let value = form.value(&name).await?;
        fields.push(name, value)?;
    }
    gate.tail(&fields)?;
    Ok(Tail {
        md5: fields.digest("md5", 16)?,
        sha256: fields.digest("sha256", 32)?,
        prefix_md5: fields.digest("prefix_md5", 16)?,
    })
}

fn stopped() -> Answer {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Answer::refusal(status, "the writer has stopped")
}

/// What the fields before the file say.
struct Order {
    id: String,
    name: String,
    size: u64,
    offset: u64,
    length: u64,
    /// MD5 of what is held and is to be dropped: it is of another file, or damaged. Else empty.
    restart: String,
}

impl Order {
    /// Reads the form up to the beginning of the file.
    async fn read(form: &mut Form<'_>, gate: &mut Gate<'_>) -> Result<Self, Answer> {
        let mut fields = Fields::default();
        loop {
            let Some(name) = form.next_part().await? else {
                return Err(Answer::bad_request("the part 'file' is missing"));
            };
            if name == "file" {
                break;
            }
            let value = form.value(&name).await?;
            fields.push(name, value)?;
        }
        gate.head(&fields).await?;
        match fields.required("action")? {
            "send" => {}
            other => return Err(Answer::bad_field("action", other)),
        }
        let order = Self {
            id: fields.required("id")?.to_owned(),
            name: fields.name()?.to_owned(),
            size: fields.bytes("size")?,
            offset: fields.bytes("offset")?,
            length: fields.bytes("length")?,
            restart: fields.digest("restart", 16)?,
        };
        if !order.restart.is_empty() && order.offset != 0 {
            return Err(Answer::bad_request(format!(
                "'restart' goes with offset 0, not {}",
                order.offset
            )));
        }
        if order.offset + order.length > order.size {
            return Err(Answer::bad_request(format!(
                "offset {} and length {} go past the size {}",
                order.offset, order.length, order.size
            )));
        }
        Ok(order)
    }

    /// Whether it drops what is held. A late one does not: the digest is another by then.
    fn restarts(&self, record: &Record) -> bool {
        !self.restart.is_empty() && self.restart == record.digests.md5()
    }

    fn check(&self, record: &Record, max_segment: Option<u64>) -> Result<(), Answer> {
        let conflict = |message| Answer::refusal(StatusCode::CONFLICT, message);
        let file = &record.identity;
        if self.name != file.name || self.size != file.size {
            return Err(conflict(format!(
                "upload {} is of '{}' with {} bytes, not of '{}' with {}",
                record.id, file.name, file.size, self.name, self.size
            )));
        }
        if let Some(most) = max_segment.filter(|most| self.length > *most) {
            return Err(Answer::too_large(format!(
                "length {} is more than one send may carry, {most}",
                self.length
            ))
            .with_max_segment(max_segment));
        }
        let misplaced = self.offset != record.held && !self.restarts(record);
        if record.state != State::Complete && misplaced {
            return Err(conflict(format!(
                "offset {} is not where this upload stands, {}",
                self.offset, record.held
            ))
            .standing(record)
            .with_prefix(record));
        }
        Ok(())
    }
}
