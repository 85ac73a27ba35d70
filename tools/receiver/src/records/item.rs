//! An upload as its owner sees it.

use serde::Serialize;

use crate::app::App;
use crate::storage::record::{Record, State};

/// The upload.
#[derive(Serialize)]
pub struct Item<'r> {
    id: &'r str,
    name: &'r str,
    dir: &'r str,
    size: u64,
    offset: u64,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtime: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    created: i64,
    changed: i64,
    /// Whether somebody is writing it just now.
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

impl<'r> Item<'r> {
    /// What the record says.
    pub fn of(app: &App, record: &'r Record) -> Self {
        let file = &record.identity;
        let complete = record.state == State::Complete;
        Self {
            id: &record.id,
            name: &file.name,
            dir: &file.dir,
            size: file.size,
            offset: record.held,
            state: record.state,
            mtime: file.mtime.parse().ok(),
            md5: if complete {
                Some(record.digests.md5())
            } else {
                Some(file.md5.clone()).filter(|md5| !md5.is_empty())
            },
            sha256: complete.then(|| record.digests.sha256()),
            created: record.created,
            changed: record.changed,
            active: app.active.has(&record.id),
            location: complete.then(|| record.location()),
        }
    }
}
