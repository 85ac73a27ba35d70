//! What the tests of this directory share: uploads in a directory of their own.

use std::path::Path;
use std::sync::Arc;

use resup_test_support::postgres;

use crate::config::digest_set::DigestSet;
use crate::config::{Conflict, Layout};
use crate::storage::blocks::Blocks;
use crate::storage::changes::Limits;
use crate::storage::claims::Claims;
use crate::storage::database::Database;
use crate::storage::files::Files;
use crate::storage::pace::Pace;
use crate::storage::record::{Identity, Record};
use crate::storage::store::Store;
use crate::storage::uploads::{Naming, Uploads};

/// Opens a new database and new directories.
pub async fn uploads(dir: &Path) -> Uploads {
    let file = format!("sqlite://{}/records?mode=rwc", dir.display());
    let url = postgres::database_of(dir).unwrap_or(file);
    Uploads {
        store: Store::open(&Database::parse(&url, None).unwrap())
            .await
            .unwrap(),
        files: Files::open(dir).unwrap(),
        objects: None,
        claims: Arc::new(Claims::new(10, None)),
        leases: None,
        searches: Pace::default(),
        blocks: Blocks::default(),
        naming: Naming::default(),
        layout: Layout::Id,
        conflict: Conflict::Rename,
    }
}

/// Adds the record of a file with 10 bytes.
pub async fn insert(uploads: &Uploads, name: &str) -> Record {
    let identity = Identity {
        name: name.to_owned(),
        size: 10,
        ..Identity::default()
    };
    let record = Record::new(identity, DigestSet::default()).unwrap();
    let inserted = uploads.store.insert(&record, Limits::default()).await;
    assert!(inserted.unwrap());
    record
}
