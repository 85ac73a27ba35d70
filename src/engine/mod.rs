//! The decisions of an upload, without a clock, file, socket or thread.
//!
//! [`Transfer`] is a state machine. It gives a [`Step`]; the driver in `run` carries it out and
//! reports its result as an [`Event`]; [`Transfer::handle`] gives the next step. Time and randomness
//! are arguments.
//!
//! - `transfer`: the decisions; `phase`: the phases that they lead to; `step`: steps and events.
//! - `evidence`: the server's offsets so far, and the claims that they make plausible; `faults`: the errors of those that
//!   contradict it.
//! - `gain`: the difference that a send has made.
//! - `budget`: the number of failures that are left.
//! - `segments`: the number of bytes in one send; `sending`: the send and its outcome.
//! - `remedies`: what helps against a failure; `store`: the answer to a store; `read_back`: the finished file, read back.
//! - `parts`: the plan of parts that are sent at a time; `parallel`: the decisions about them; `sections`: those where
//!   each section of the file goes to an upload of its own.

mod budget;
mod evidence;
mod faults;
mod gain;
mod parallel;
mod parts;
mod phase;
mod read_back;
mod remedies;
mod sections;
mod segments;
mod sending;
mod step;
mod store;
#[cfg(test)]
mod tests;
mod transfer;

pub(crate) use budget::Budget;
pub(crate) use parts::MOST as MOST_CONNECTIONS;
pub(crate) use segments::LearnedLimit;
pub(crate) use step::{Event, FoundBack, PartId, PartSend, Plan, Remedy, Step};
pub(crate) use transfer::Transfer;
