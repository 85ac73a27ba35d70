//! What locate and send use: accounts, uploads, counters and limits.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::http::reply::Reply;
use crate::http::size::in_units;
use crate::ops::metrics::Metrics;
use crate::storage::uploads::Uploads;

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
}

impl Endpoint {
    /// The largest number of file bytes in one send.
    pub fn max_segment(&self) -> Option<u64> {
        self.config.max_segment.map(Into::into)
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
