//! The JSON that describes an upload to its owner.

use resup_digests::{Algorithm, Digest};
use serde::Serialize;

use crate::storage::record::{Record, State};

/// The description of an upload.
#[derive(Serialize)]
pub struct Item<'r> {
    id: &'r str,
    name: &'r str,
    dir: &'r str,
    /// The client's own name and directory, where a hook has given the file others.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_dir: Option<&'r str>,
    /// `None` until the client has told it.
    size: Option<u64>,
    offset: u64,
    /// How many bytes are there, behind gaps too.
    held: u64,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtime: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
    created: i64,
    changed: i64,
    /// Whether a request works on it now.
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
}

impl<'r> Item<'r> {
    /// Describes an upload. `base` is the path below which clients see the receiver.
    pub fn new(record: &'r Record, active: bool, base: &str, has_receipt: bool) -> Self {
        let file = &record.identity;
        let complete = record.state == State::Complete;
        let given = file.digests();
        let digest = |algorithm| match complete {
            true => record.digests.hex(algorithm),
            false => {
                let given = given.iter().find(|it| it.algorithm() == algorithm);
                given.map(Digest::hex)
            }
        };
        Self {
            id: &record.id,
            name: record.name(),
            dir: record.dir(),
            client_name: record.renamed.is_some().then_some(&*file.name),
            client_dir: record.renamed.is_some().then_some(&*file.dir),
            size: (!record.is_open).then_some(file.size),
            offset: record.offset,
            held: record.offset + record.ranges.total(),
            state: record.state,
            mtime: file.mtime.parse().ok(),
            md5: digest(Algorithm::Md5),
            sha256: digest(Algorithm::Sha256),
            blake3: digest(Algorithm::Blake3),
            created: record.created,
            changed: record.changed,
            active,
            location: complete.then(|| format!("{base}{}", record.location())),
            receipt: (complete && has_receipt)
                .then(|| format!("{base}/uploads/{}/receipt", record.id)),
        }
    }
}
