//! What is kept: the uploads' bytes in a directory, their records in a database.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`uploads`] | records and files together, changed in an order that no crash can break |
//! | [`writer`] | the thread that writes an upload's bytes, syncs them and then saves the record |
//! | [`blocks`] | the bytes between a request and that thread |
//! | [`claims`] | the right to work on an upload, which one request has at a time |
//! | [`recovery`] | what a start does with the bytes in `partial` |
//! | [`gone`] | finished uploads whose files others have moved away |
//! | [`expiry`] | removal of what nobody needs any more |
//! | [`store`] | the records in the database |
//! | [`changes`] | changes of the records, many in one transaction |
//! | [`database`] | connections to the database, and numbers and times as it takes them |
//! | [`files`] | the bytes, in the directories `partial` and `files` |
//! | [`unknown`] | bytes that the database does not know, in `partial.unknown` |
//! | [`inventory`] | the commands that list and remove these |
//! | `bench` | what the tests here share |
//! | `alias` | two places that are one file |
//! | [`pace`] | a limit for how often something is done for one owner |
//! | [`names`] | which names are allowed, and how they are written on the disk |
//! | [`record`] | one upload as the database has it |
//! | [`digests`] | the digests that an upload needs, which can be saved and continued |
//! | [`error`] | reasons why something could not be stored |
//! | [`failpoint`] | places where tests let the receiver crash |

mod alias;
#[cfg(test)]
mod bench;
pub mod blocks;
pub mod changes;
pub mod claims;
pub mod database;
pub mod digests;
pub mod error;
pub mod expiry;
pub mod failpoint;
pub mod files;
pub mod gone;
pub mod inventory;
pub mod names;
pub mod pace;
pub mod record;
pub mod recovery;
pub mod store;
pub mod unknown;
pub mod uploads;
pub mod writer;
