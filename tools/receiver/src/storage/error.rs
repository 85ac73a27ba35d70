//! Why something could not be kept.

use std::io;

use crate::storage::store::StoreError;

/// The reason.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The disk.
    #[error("file: {0}")]
    File(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another file has the name.
    #[error("{0}")]
    Taken(String),
    /// Another request works on what had to be changed.
    #[error("another client is using the file of the same name")]
    Busy,
    /// A thread panicked.
    #[error("thread: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

impl StorageError {
    /// Whether a disk is full or a quota used up.
    pub fn no_room(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match self {
            Self::File(error) => {
                matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
            }
            Self::Store(error) => error.no_room(),
            Self::Taken(_) | Self::Busy | Self::Thread(_) => false,
        }
    }
}
