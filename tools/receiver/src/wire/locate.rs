//! The locate request: what do you have of this file?

use axum::http::StatusCode;

use crate::app::App;
use crate::http::answer::Answer;
use crate::http::fields::Fields;
use crate::storage::claims::Claim;
use crate::storage::record::{Identity, Record, State};
use crate::wire::visit::Visit;

/// How often an upload is looked for that goes before it can be claimed.
const ATTEMPTS: u32 = 5;

/// Answers a locate.
pub async fn locate(
    app: &App,
    owner: &str,
    fields: &Fields,
    visit: &mut Visit,
) -> Result<Answer, Answer> {
    match fields.required("action")? {
        "locate" => visit.action = "locate",
        "send" => {
            return Err(Answer::bad_request(
                "action 'send' needs multipart/form-data",
            ))
        }
        other => return Err(Answer::bad_field("action", other)),
    }
    let file = Identity {
        owner: owner.to_owned(),
        dir: fields.dir()?.to_owned(),
        name: fields.name()?.to_owned(),
        size: fields.bytes("size")?,
        mtime: fields.mtime()?,
        md5: fields.digest("md5", 16)?,
    };
    let sha256 = fields.digest("sha256", 32)?;
    app.check_size(file.size)?;
    let (_claim, mut record) = claim_or_make(app, &file).await?;
    visit.id = record.id.clone();
    if record.state != State::Complete {
        if record.identity.md5.is_empty() && !file.md5.is_empty() {
            record.identity.md5 = file.md5;
            app.store.save(&record).await?;
        }
        // The owner may have uploaded the same content before.
        let known = record.held == 0 && !record.identity.md5.is_empty();
        if !known || !app.shelf.finish_instantly(&mut record, &sha256).await? {
            app.shelf.choose(&record).await?;
        }
    }
    visit.from = Some(record.held);
    visit.to = Some(record.held);
    let answer = Answer::of(&record).with_max_segment(app.max_segment());
    Ok(match fields.text("prefix") {
        Some("1") => answer.with_prefix(&record),
        _ => answer,
    })
}

/// The file's upload, which nobody else works on meanwhile.
async fn claim_or_make(app: &App, file: &Identity) -> Result<(Claim, Record), Answer> {
    // What was found may be deleted, or replaced, before it can be claimed.
    for _ in 0..ATTEMPTS {
        let id = find_or_make(app, file).await?;
        let claim = app.active.claim(&id).await?;
        if let Some(record) = app.shelf.current(&file.owner, &claim).await? {
            return Ok((claim, record));
        }
    }
    Err(contested())
}

async fn find_or_make(app: &App, file: &Identity) -> Result<String, Answer> {
    let quota = app.config.quota.map(Into::into);
    // Twice, since a concurrent locate of the same file may win the insert.
    for _ in 0..2 {
        if let Some(record) = app.store.find_file(file).await? {
            return Ok(record.id);
        }
        let record = Record::new(file.clone()).map_err(Answer::internal)?;
        // Refused before anything is kept of it.
        app.shelf.choose(&record).await?;
        if app.store.insert(&record, quota).await? {
            return Ok(record.id);
        }
    }
    match quota {
        Some(quota) => Err(Answer::refusal(
            StatusCode::INSUFFICIENT_STORAGE,
            format!(
                "a file of {} bytes goes over the quota: {} of {quota} bytes are taken",
                file.size,
                app.store.taken(&file.owner).await?
            ),
        )),
        None => Err(contested()),
    }
}

fn contested() -> Answer {
    let message = "other clients make and delete this upload at the same time";
    Answer::refusal(StatusCode::LOCKED, message)
}
