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
/// How often, and how long between, the request is awaited that has finished the file.
const LOOKS: u32 = 20;
const LOOK: Duration = Duration::from_millis(100);

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
    async fn begin(self: &Arc<Self>, running: &mut JoinSet<()>) -> Result<Duration, StoreError> {
        let store = &self.uploads.store;
        let places = AT_ONCE - running.len();
        for delivery in store.due(places).await? {
            let lease = self.hook.timeout() + LOOK * LOOKS + LEASE;
            if store.begin_delivery(&delivery, lease).await? {
                running.spawn(self.clone().deliver(delivery));
            }
        }
        let backlog = store.backlog().await?;
        self.metrics.set_backlog(backlog.count, backlog.oldest);
        Ok(backlog.next.unwrap_or(INTERVAL).min(INTERVAL))
    }

    async fn deliver(self: Arc<Self>, delivery: Delivery) {
        let Delivery { event, line, .. } = &delivery;
        self.wait_for_file(line).await;
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

    /// Waits for the request that has finished the file: until its end, the file may not be at its place. If it takes
    /// long, the upload has begun again.
    async fn wait_for_file(&self, line: &str) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let id = line["upload"].as_str().unwrap_or("");
        for _ in 0..LOOKS {
            if !self.uploads.claims.has(id) {
                return;
            }
            sleep(LOOK).await;
        }
    }
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
