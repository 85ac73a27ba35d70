//! Changes with their events: who makes them, and who is told of them.

use std::sync::Arc;

use crate::storage::changes::Change;
use crate::storage::error::StoreError;
use crate::storage::events::{Kind, Origin};
use crate::storage::record::Record;
use crate::storage::store::Store;
use crate::storage::uploads::Uploads;

impl Store {
    /// Makes it one by which a client makes changes.
    pub fn by(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Returns who makes the changes.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Makes it one that has a hook told of each file that is finished from now on.
    pub fn tell(&mut self) {
        self.told = Some(Arc::default());
    }

    /// Waits until there is something new to tell the hook.
    pub async fn told(&self) {
        match &self.told {
            Some(told) => told.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Forgets the events before a time in milliseconds since 1970.
    pub async fn forget_events(&self, before: i64) -> Result<(), StoreError> {
        while self.changes.make(Change::ForgetEvents(before)).await? {}
        Ok(())
    }

    /// Saves the state of an upload that was complete, and begins again.
    pub async fn restart(&self, record: &Record, was: &Record) -> Result<(), StoreError> {
        let change = Change::Save(Box::new(record.clone()));
        let event = self.event(Kind::Restarted, was);
        self.changes.make(change.with(vec![event])).await.map(drop)
    }
}

impl Uploads {
    /// Makes them those by which a client makes changes.
    pub fn by(mut self, origin: Origin) -> Self {
        self.store = self.store.by(origin);
        self
    }
}
