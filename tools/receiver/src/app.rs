//! What all requests share.

use std::sync::Arc;

use axum::http::StatusCode;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::http::answer::Answer;
use crate::ops::metrics::Metrics;
use crate::storage::claims::Active;
use crate::storage::error::StorageError;
use crate::storage::store::{Store, StoreError};
use crate::storage::uploads::Shelf;

/// The receiver behind the endpoint.
#[derive(Clone)]
pub struct App {
    /// Its settings.
    pub config: Arc<Config>,
    /// The users.
    pub accounts: Accounts,
    /// The upload records.
    pub store: Store,
    /// The records and the files.
    pub shelf: Shelf,
    /// The uploads under way.
    pub active: Arc<Active>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl App {
    /// The most file bytes that one send may carry.
    pub fn max_segment(&self) -> Option<u64> {
        self.config.max_segment.map(Into::into)
    }

    /// Refuses a file that is too large, in one send or in many.
    pub fn check_size(&self, size: u64) -> Result<(), Answer> {
        match self.config.max_size {
            Some(most) if size > most.get() => Err(Answer::too_large(format!(
                "the file has {size} bytes, the most that this receiver takes is {most}"
            ))),
            _ => Ok(()),
        }
    }
}

impl From<StoreError> for Answer {
    fn from(error: StoreError) -> Self {
        StorageError::from(error).into()
    }
}

impl From<StorageError> for Answer {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Taken(message) => Answer::refusal(StatusCode::CONFLICT, message),
            error @ StorageError::Busy => Answer::refusal(StatusCode::LOCKED, error.to_string()),
            error if error.no_room() => Answer::no_room(error),
            error => Answer::internal(error),
        }
    }
}
