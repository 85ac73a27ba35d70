//! The deliveries: events of which the hook is still to be told. One is added in the transaction of its change, and
//! deleted when the hook has taken it.

use std::time::Duration;

use sqlx::Row;

use crate::storage::changes::Change;
use crate::storage::database::now;
use crate::storage::error::StoreError;
use crate::storage::events::time_of;
use crate::storage::store::Store;

/// A delivery that is due.
#[derive(Debug)]
pub struct Delivery {
    /// The event's id.
    pub event: String,
    /// The event's JSON.
    pub line: String,
    /// How many attempts were begun before.
    pub attempts: u32,
    /// When it was due, in milliseconds since 1970.
    due: i64,
}

/// What waits.
#[derive(Debug, Default)]
pub struct Backlog {
    /// How many deliveries.
    pub count: u64,
    /// The time of the oldest event, in milliseconds since 1970.
    pub oldest: Option<i64>,
    /// The time to the next delivery that is not due yet.
    pub next: Option<Duration>,
}

impl Store {
    /// Lists deliveries that are due, those that have waited longest first.
    pub async fn due(&self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let rows = sqlx::query(
            "SELECT deliveries.event AS event, deliveries.due AS due, deliveries.attempts AS attempts,
                    events.line AS line
             FROM deliveries JOIN events ON events.id = deliveries.event
             WHERE deliveries.due <= $1
             ORDER BY deliveries.due, deliveries.event LIMIT $2",
        )
        .bind(now())
        .bind(limit as i64)
        .fetch_all(&self.readers)
        .await?;
        let delivery = |row: &sqlx::any::AnyRow| {
            Ok(Delivery {
                event: row.try_get("event")?,
                line: row.try_get("line")?,
                attempts: row.try_get::<i64, _>("attempts")? as u32,
                due: row.try_get("due")?,
            })
        };
        rows.iter().map(delivery).collect()
    }

    /// Tells what waits.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        let now = now();
        let row = sqlx::query(
            "SELECT COUNT(*) AS count, MIN(event) AS oldest,
                    (SELECT MIN(due) FROM deliveries WHERE due > $1) AS next
             FROM deliveries",
        )
        .bind(now)
        .fetch_one(&self.readers)
        .await?;
        let next: Option<i64> = row.try_get("next")?;
        Ok(Backlog {
            count: row.try_get::<i64, _>("count")?.unsigned_abs(),
            oldest: row.try_get::<Option<&str>, _>("oldest")?.map(time_of),
            next: next.map(|next| Duration::from_millis((next - now).max(0).unsigned_abs())),
        })
    }

    /// Begins an attempt, which nobody else begins for `lease`; `false` when somebody else has begun it.
    pub async fn begin_delivery(
        &self,
        delivery: &Delivery,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let change = Change::BeginDelivery {
            event: delivery.event.clone(),
            was_due: delivery.due,
            due: later(lease),
        };
        self.changes.make(change).await
    }

    /// Ends an attempt. One that has failed is made again after `wait`; without that, the hook has taken it.
    pub async fn end_delivery(
        &self,
        event: &str,
        wait: Option<Duration>,
    ) -> Result<(), StoreError> {
        let change = Change::EndDelivery(event.to_owned(), wait.map(later));
        self.changes.make(change).await.map(drop)
    }
}

fn later(wait: Duration) -> i64 {
    now().saturating_add_unsigned(wait.as_millis() as u64)
}
