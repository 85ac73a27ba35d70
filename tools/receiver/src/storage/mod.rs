//! What is kept: the uploads' bytes in a directory, their records in a database.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`uploads`] | records and files together, changed in an order that no crash can break |
//! | [`writer`] | the thread that writes an upload's bytes, syncs them and then saves the record |
//! | [`claims`] | the right to work on an upload, which one request has at a time |
//! | [`expiry`] | removal of uploads that nobody finishes |
//! | [`store`] | the records in the database |
//! | [`changes`] | changes of the records, many in one transaction |
//! | [`database`] | connections to the database, and numbers and times as it takes them |
//! | [`files`] | the bytes, in the directories `partial` and `files` |
//! | `alias` | two places that are one file |
//! | [`names`] | which names are allowed, and how they are written on the disk |
//! | [`record`] | one upload as the database has it |
//! | [`digests`] | MD5 and SHA-256 that can be saved and continued |
//! | [`error`] | reasons why something could not be stored |
//! | [`failpoint`] | places where tests let the receiver crash |

mod alias;
pub mod changes;
pub mod claims;
pub mod database;
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
