//! What is kept: the uploads' bytes in a directory, their records in a database.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`uploads`] | records and files together, changed in an order that no crash can break |
//! | [`writer`] | the thread that writes an upload's bytes, syncs them and then saves the record |
//! | [`blocks`] | the bytes between a request and that thread |
//! | [`parts`] | several requests that write one upload at the same time |
//! | [`claims`] | the right to work on an upload, which one request has at a time |
//! | [`takeover`] | claims among several receivers, and what a dead one has left |
//! | [`leases`] | the right of one of several receivers to work on an upload |
//! | [`recovery`] | what a start does with the bytes in `partial` |
//! | [`gone`] | finished uploads whose files others have moved away |
//! | `removal` | removal of uploads, and of bytes that are dropped |
//! | [`expiry`] | removal of what nobody needs any more |
//! | [`join`] | files that are joined from pieces |
//! | [`whole`] | files that are stored as a whole, at once |
//! | [`store`] | the records in the database |
//! | [`list`] | lists of an owner's uploads, in several orders |
//! | [`search`] | searches for the upload of a file, and for its content |
//! | [`trail`] | changes with their events: who makes them, and who is told |
//! | [`outbox`] | the events of which the hook is still to be told |
//! | [`queue`] | changes of the records, many in one transaction |
//! | `statements` | the statements of each change |
//! | [`changes`] | each of these changes |
//! | [`events`] | the audit trail: what happened to uploads |
//! | [`database`] | addresses of databases, connections to them, and numbers and times as they take them |
//! | `session` | the settings of each connection |
//! | `folding` | names in lower case of older uploads |
//! | [`pool`] | connections that are shared |
//! | [`moving`] | the move of all records to another database |
//! | [`folders`] | the directories of uploads, and what each owner has |
//! | [`files`] | the bytes, in the directories `partial` and `files` |
//! | [`content`] | the content of finished uploads, read or used again |
//! | [`object_writer`] | the thread that puts an upload's bytes into an object store |
//! | [`object_sweep`] | search for what is left over in an object store |
//! | [`object_files`] | the bytes in an object store |
//! | [`objects`] | requests to an object store |
//! | [`object_address`] | the address of an object store, and a client for it |
//! | `object_completion` | completion of objects with numbers of parts left out |
//! | [`object`] | what an object store has of an unfinished upload |
//! | [`unknown`] | bytes that the database does not know, in `partial.unknown` |
//! | [`inventory`] | the commands that list and remove these |
//! | `bench` | what the tests here share |
//! | `alias` | two places that are one file |
//! | [`pace`] | a limit for how often something is done for one owner |
//! | [`names`] | which names are allowed, and how they are written on the disk |
//! | [`record`] | one upload as the database has it |
//! | [`ranges`] | the bytes that are durable behind the offset of an unfinished upload |
//! | [`reading`] | digests of bytes that are on the disk already |
//! | [`digests`] | the digests that an upload needs, which can be saved and continued |
//! | [`threads`] | the threads on which files are read and written |
//! | [`error`] | reasons why something could not be stored |
//! | [`failpoint`] | places where tests let the receiver crash |

mod alias;
#[cfg(test)]
mod bench;
pub mod blocks;
pub mod changes;
pub mod claims;
pub mod content;
pub mod database;
pub mod digests;
pub mod error;
pub mod events;
pub mod expiry;
pub mod failpoint;
pub mod files;
pub mod folders;
mod folding;
pub mod gone;
pub mod inventory;
pub mod join;
pub mod leases;
pub mod list;
pub mod moving;
pub mod names;
pub mod object;
pub mod object_address;
mod object_completion;
pub mod object_files;
pub mod object_sweep;
pub mod object_writer;
pub mod objects;
pub mod outbox;
pub mod pace;
pub mod parts;
pub mod pool;
pub mod queue;
pub mod ranges;
pub mod reading;
pub mod record;
pub mod recovery;
mod removal;
pub mod search;
mod session;
mod statements;
pub mod store;
pub mod takeover;
pub mod threads;
pub mod trail;
pub mod unknown;
pub mod uploads;
pub mod whole;
pub mod writer;
