//! Finished files that a hook is told of, until it has taken each.
//!
//! A file that is finished has a delivery in the database from the same transaction on. So each is told at least once,
//! whatever ends the receiver; the id tells a repetition.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::hooks::hook::Hook;
use crate::hooks::message::Message;
use crate::ops::metrics::Metrics;
use crate::storage::error::StoreError;
use crate::storage::outbox::Delivery;
use crate::storage::uploads::Uploads;

/// How many deliveries are made at a time.
pub const AT_ONCE: usize = 8;
/// The longest time between two looks for what is due.
const INTERVAL: Duration = Duration::from_secs(60);
/// The time after which a database that fails is asked again.
const RETRY: Duration = Duration::from_secs(2);
/// The longest wait between two attempts of one delivery.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// How much longer than the hook may take nobody else makes the same attempt.
const LEASE: Duration = Duration::from_secs(2);
/// How many deliveries that are due are looked at, so that those of uploads that requests hold do not keep the others.
const LOOKED_AT: usize = 64;
/// The time after which those that requests held are looked at again.
const LOOK: Duration = Duration::from_millis(200);

/// What tells a hook of finished files.
pub struct Courier {
    /// The hook.
    pub hook: Hook,
    /// The uploads.
    pub uploads: Uploads,
    /// The counters.
    pub metrics: Arc<Metrics>,
}

impl Courier {
    /// Makes all deliveries. Does not return.
    pub async fn run(self) {
        let courier = Arc::new(self);
        let mut running = JoinSet::new();
        loop {
            let wait = match courier.begin(&mut running).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!("cannot read what the hook is to be told: {error}");
                    RETRY
                }
            };
            tokio::select! {
                // There is a place for another one.
                Some(_) = running.join_next() => {}
                () = courier.uploads.store.told(), if running.len() < AT_ONCE => {}
                () = sleep(wait) => {}
            }
        }
    }

    /// Begins what is due, as far as there are places. Returns how long it is until something else is due.
    ///
    /// While a request works on an upload, at this receiver or at another one, its file may not be at its place: the
    /// request that has finished it is still to move it, or the upload has begun again. So that one waits.
    async fn begin(self: &Arc<Self>, running: &mut JoinSet<()>) -> Result<Duration, StoreError> {
        let store = &self.uploads.store;
        let due = store.due(LOOKED_AT).await?;
        let uploads: Vec<_> = due.iter().map(|delivery| upload(&delivery.line)).collect();
        let held = self.held(&uploads).await?;
        for (delivery, upload) in due.into_iter().zip(&uploads) {
            if running.len() == AT_ONCE {
                break;
            }
            let lease = self.hook.timeout() + LEASE;
            if !held.contains(upload) && store.begin_delivery(&delivery, lease).await? {
                running.spawn(self.clone().deliver(delivery));
            }
        }
        let backlog = store.backlog().await?;
        self.metrics.set_backlog(backlog.count, backlog.oldest);
        let longest = if held.is_empty() { INTERVAL } else { LOOK };
        Ok(backlog.next.unwrap_or(longest).min(longest))
    }

    /// Finds out on which of these uploads requests work now, at all receivers.
    async fn held(&self, ids: &[String]) -> Result<Vec<String>, StoreError> {
        if let Some(leases) = &self.uploads.leases {
            return leases
                .held(&Vec::from_iter(ids.iter().map(String::as_str)))
                .await;
        }
        let has = |id: &&String| self.uploads.claims.has(id);
        Ok(ids.iter().filter(has).cloned().collect())
    }

    async fn deliver(self: Arc<Self>, delivery: Delivery) {
        let Delivery { event, line, .. } = &delivery;
        let body = message(line);
        let message = Message {
            id: event,
            body: &body,
        };
        let done = self.hook.call(message).await;
        self.metrics.count_delivery(done.is_ok());
        let wait = done.err().map(|why| {
            let wait = wait(delivery.attempts);
            tracing::warn!(
                event,
                "the hook {} has not taken a finished file, attempt {}: {why}; the next one is in {} s",
                self.hook.target(),
                delivery.attempts + 1,
                wait.as_secs()
            );
            wait
        });
        if let Err(error) = self.uploads.store.end_delivery(event, wait).await {
            tracing::error!(
                event,
                "cannot save what the hook has taken, so it will be told again: {error}"
            );
        }
    }
}

/// Reads the id of the upload that an event is about.
fn upload(line: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    event["upload"].as_str().unwrap_or("").to_owned()
}

/// Writes the message about an event.
fn message(line: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    let (kind, time) = (&event["event"], &event["time"]);
    let kind = kind.as_str().unwrap_or("");
    format!("{{\"type\":\"upload.{kind}\",\"timestamp\":{time},\"data\":{line}}}")
}

/// The wait after an attempt that has failed, when there were so many before.
fn wait(before: u32) -> Duration {
    Duration::from_secs(1 << before.min(16)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_at_the_longest() {
        let waits = [0, 1, 2, 9, 10, 1_000_000].map(|before| wait(before).as_secs());
        assert_eq!(waits, [1, 2, 4, 512, 900, 900]);
    }
}
