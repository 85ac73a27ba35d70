//! The version that a client speaks, and the digest that both use.

use resup_digests::Algorithm;

use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::storage::digests::Digests;
use crate::storage::error::StorageError;
use crate::storage::record::{Record, State};
use crate::wire::endpoint::Endpoint;

/// What client and receiver have agreed on.
#[derive(Debug, Clone, Copy)]
pub struct Agreement {
    /// The digest that proves the upload.
    pub digest: Algorithm,
    /// Whether the client speaks version 1.1.
    pub is_newer: bool,
}

impl Agreement {
    /// Chooses the digest for a locate: the first of the client's that the upload has, so that its bytes need not be
    /// read again. Where it has none of them or no bytes, the client's first.
    pub fn of_locate(offered: &[Algorithm], record: &Record) -> Self {
        let has = |algorithm: &&Algorithm| record.digests.get(**algorithm).is_some();
        let kept = offered.iter().find(has).filter(|_| !record.is_empty());
        Self {
            digest: *kept.or(offered.first()).unwrap_or(&Algorithm::Md5),
            is_newer: !offered.is_empty(),
        }
    }

    /// Reads the digest that a send or a store names.
    pub fn of_send(fields: &Fields) -> Result<Self, Reply> {
        let named = fields.algorithm()?;
        Ok(Self {
            digest: named.unwrap_or(Algorithm::Md5),
            is_newer: named.is_some(),
        })
    }
}

impl Endpoint {
    /// Makes an upload have the agreed digest. One without bytes gets its digests anew.
    pub async fn use_digest(
        &self,
        record: &mut Record,
        agreement: Agreement,
    ) -> Result<(), StorageError> {
        if record.is_empty() {
            record.digests = Digests::new(self.digests(agreement.digest));
            return Ok(());
        }
        self.uploads.add_digest(record, agreement.digest).await
    }

    /// Adds an upload's state to a reply.
    pub fn describe(&self, reply: Reply, record: &Record, agreement: Agreement) -> Reply {
        let reply = reply.with_record(record);
        let reply = reply.with_max_segment(self.max_segment());
        if !agreement.is_newer {
            return reply;
        }
        let reply = reply.with_agreement(agreement.digest, self.small());
        match record.state {
            State::Complete => reply,
            _ => {
                let parts = self.parts(&record.identity.owner);
                reply.with_parts(parts, record, agreement.digest)
            }
        }
    }
}
