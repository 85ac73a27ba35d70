//! What locate and send use: accounts, uploads, counters and limits.

use std::sync::Arc;

use resup_digests::Algorithm;

use crate::accounts::Accounts;
use crate::config::digest_set::DigestSet;
use crate::config::Config;
use crate::hooks::before;
use crate::hooks::hook::Hook;
use crate::http::reply::Reply;
use crate::http::size::in_units;
use crate::ops::metrics::Metrics;
use crate::storage::changes::Limits;
use crate::storage::events::Origin;
use crate::storage::record::Record;
use crate::storage::uploads::Uploads;

/// The size of the largest file that a store may carry. Each is in memory until it is there as a whole.
const SMALL: u64 = 256 * 1024;
/// How many uploads a user may have with the smallest quota.
const RECORDS: u64 = 100;
/// How many bytes of a quota allow one more.
const BYTES_PER_RECORD: u64 = 4096;

/// The endpoint.
#[derive(Clone)]
pub struct Endpoint {
    /// The users.
    pub accounts: Accounts,
    /// The uploads.
    pub uploads: Uploads,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The settings.
    pub config: Arc<Config>,
    /// The hook that is asked before an upload is made.
    pub before: Option<Arc<Hook>>,
}

impl Endpoint {
    /// Makes it one at which a client makes changes.
    pub fn by(mut self, origin: Origin) -> Self {
        self.uploads = self.uploads.by(origin);
        self
    }

    /// Asks the hook, if there is one, whether an upload may be made. It may give the file another name.
    pub async fn ask(&self, record: &mut Record) -> Result<(), Reply> {
        match &self.before {
            Some(hook) => before::ask(hook, record, self.uploads.store.origin()).await,
            None => Ok(()),
        }
    }

    /// The largest number of file bytes in one send.
    pub fn max_segment(&self) -> Option<u64> {
        self.config.max_segment.map(Into::into)
    }

    /// The size of the largest file that a store may carry.
    pub fn small(&self) -> u64 {
        self.max_segment().map_or(SMALL, |most| most.min(SMALL))
    }

    /// How many parts of an upload of this owner may be sent at a time. Each counts as an upload that is being sent.
    /// Where several receivers share the uploads there is one, since the parts of a run would come to different ones.
    pub fn parts(&self, owner: &str) -> usize {
        // The parts of an object are put one after the other.
        if self.uploads.objects.is_some() || self.config.shared {
            return 1;
        }
        let sends = self.uploads.claims.most_sends(owner);
        usize::from(self.config.parts).min(sends)
    }

    /// The digests of an upload that this one proves.
    pub fn digests(&self, agreed: Algorithm) -> DigestSet {
        match (self.config.digests, agreed) {
            (Some(others), _) => others | agreed,
            (None, Algorithm::Md5) => DigestSet::default() | Algorithm::Sha256 | Algorithm::Md5,
            (None, _) => DigestSet::default() | agreed,
        }
    }

    /// The most that one user may have. A quota limits the number of uploads too, since those without bytes take
    /// room in database and directory.
    pub fn limits(&self) -> Limits {
        let bytes = self.config.quota.map(u64::from);
        let records = self.config.max_records.get() as u64;
        let implied = bytes.map_or(u64::MAX, |bytes| RECORDS + bytes / BYTES_PER_RECORD);
        Limits {
            records: Some(records.min(implied)),
            bytes,
        }
    }

    /// Refuses a file that is larger than the receiver takes.
    pub fn check_size(&self, size: u64) -> Result<(), Reply> {
        match self.config.max_size {
            Some(limit) if size > limit.get() => Err(Reply::too_large(format!(
                "the file has {}, the most that this receiver takes is {}",
                in_units(size),
                in_units(limit.get())
            ))),
            _ => Ok(()),
        }
    }
}
