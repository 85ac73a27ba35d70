//! What is kept: the uploads' bytes in a directory, their records in a database.

pub mod digests;
pub mod failpoint;
pub mod files;
pub mod record;
pub mod store;
pub mod writer;
