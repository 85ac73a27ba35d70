//! A new upload. Each request for one makes one: a client that lost its URL begins again.

use axum::http::StatusCode;
use resup_digests::Algorithm;

use crate::config::digest_set::DigestSet;
use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::storage::claims::Claim;
use crate::storage::error::StorageError;
use crate::storage::record::{Concat, Identity, Record};
use crate::wire::endpoint::Endpoint;
use crate::wire::locate::{identity, no_room};

/// Describes a new upload of a file. The fields are those of a form, but for the size; a file without a name gets one.
/// Without a size the upload is open. A digest that the client wants is computed.
pub fn describe(
    endpoint: &Endpoint,
    owner: &str,
    mut fields: Fields,
    size: Option<u64>,
    wanted: Option<Algorithm>,
) -> Result<Record, Reply> {
    let is_named = fields.text("name").is_some();
    if !is_named {
        fields.push("name".to_owned(), "upload".to_owned())?;
    }
    fields.push("size".to_owned(), size.unwrap_or(0).to_string())?;
    let file = identity(&fields, owner)?;
    endpoint.check_size(file.size)?;
    let mut record =
        Record::new(file.clone(), digests(endpoint, &file, wanted)).map_err(Reply::internal)?;
    record.is_open = size.is_none();
    record.identity.be_known_by(&record.id);
    if !is_named {
        record.identity.name = format!("upload-{}", record.id);
    }
    Ok(record)
}

/// Makes an upload, and claims it.
pub async fn create(endpoint: &Endpoint, record: &mut Record) -> Result<Claim, Reply> {
    endpoint.ask(record).await?;
    let uploads = &endpoint.uploads;
    // Refuses the name, if it is taken, before there is a record.
    if record.concat != Concat::Partial {
        uploads.choose_place(record).await.map_err(refusal)?;
    }
    let claim = uploads.claim(&record.id).await?;
    record.lease = claim.lease();
    // Twice, since files may be gone that count.
    for _ in 0..2 {
        if uploads.store.insert(record, endpoint.limits()).await? {
            return Ok(claim);
        }
        uploads.look_for_gone(&record.identity.owner).await?;
    }
    Err(no_room(endpoint, &record.identity).await?)
}

/// The digests of a new upload: those that the client gave, since they are compared at the end; else the fastest one.
fn digests(endpoint: &Endpoint, file: &Identity, wanted: Option<Algorithm>) -> DigestSet {
    let given = file.digests();
    let mut names = given.iter().map(|digest| digest.algorithm()).chain(wanted);
    let first = endpoint.digests(names.next().unwrap_or(Algorithm::Blake3));
    names.fold(first, |set, name| set | name)
}

/// Makes a refusal of a failure. A name that is taken is no 409: that tells clients that they have a wrong offset.
pub fn refusal(error: StorageError) -> Reply {
    match error {
        StorageError::NameTaken(message) => Reply::refusal(StatusCode::FORBIDDEN, message),
        error => error.into(),
    }
}
