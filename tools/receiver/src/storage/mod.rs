//! What is kept: the uploads' bytes in a directory, their records in a database.

pub mod changes;
pub mod claims;
pub mod digests;
pub mod error;
pub mod expiry;
pub mod failpoint;
pub mod files;
pub mod names;
pub mod record;
pub mod store;
pub mod uploads;
pub mod writer;
