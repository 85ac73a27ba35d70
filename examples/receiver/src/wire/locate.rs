//! The locate request: what do you have of this file?

use crate::app::App;
use crate::storage::record::{Identity, Record, State};
use crate::wire::answer::Answer;
use crate::wire::fields::Fields;
use crate::wire::visit::Visit;

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
    let id = find_or_make(app, &file).await?;
    visit.id = id.clone();
    let claim = app.active.claim(&id).await?;
    let mut record = app
        .current(owner, &claim)
        .await?
        .ok_or_else(|| Answer::internal(format!("upload {id} has vanished")))?;
    if record.identity.md5.is_empty() && !file.md5.is_empty() && record.state != State::Complete {
        record.identity.md5 = file.md5;
        app.store.save(&record).await?;
    }
    visit.from = Some(record.held);
    visit.to = Some(record.held);
    let answer = Answer::of(&record).with_max_segment(app.max_segment());
    Ok(match fields.text("prefix") {
        Some("1") => answer.with_prefix(&record),
        _ => answer,
    })
}

async fn find_or_make(app: &App, file: &Identity) -> Result<String, Answer> {
    // Twice, since a concurrent locate of the same file may win the insert.
    for _ in 0..2 {
        if let Some(record) = app.store.find_file(file).await? {
            return Ok(record.id);
        }
        let record = Record::new(file.clone()).map_err(Answer::internal)?;
        let id = record.id.clone();
        if insert_instantly(app, &record).await? || app.store.insert(&record).await? {
            return Ok(id);
        }
    }
    Err(Answer::internal(
        "a record is neither there nor can be made",
    ))
}

/// Makes the record a finished one if the owner has uploaded the same content before.
async fn insert_instantly(app: &App, record: &Record) -> Result<bool, Answer> {
    let file = &record.identity;
    if file.md5.is_empty() {
        return Ok(false);
    }
    let Some(twin) = app.store.find_content(file).await? else {
        return Ok(false);
    };
    let length = app.files.length(&twin.id).await;
    if length.map_err(Answer::internal)? != file.size {
        return Ok(false);
    }
    if let Err(error) = app.files.link(&twin.id, &record.id).await {
        tracing::warn!(
            id = twin.id,
            "cannot link the file, it has to come again: {error}"
        );
        return Ok(false);
    }
    let finished = Record {
        id: record.id.clone(),
        identity: file.clone(),
        ..twin
    };
    let inserted = app.store.insert(&finished).await?;
    if !inserted {
        app.files
            .remove(&record.id)
            .await
            .map_err(Answer::internal)?;
    }
    Ok(inserted)
}
