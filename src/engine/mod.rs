//! The decisions of an upload, without a clock, file, socket or thread.
//!
//! [`Transfer`] is a state machine. It gives a [`Step`]; the driver in `run` carries it out and
//! reports its result as an [`Event`]; [`Transfer::handle`] gives the next step. Time and randomness
//! are arguments.
//!
//! - `transfer`: the decisions; `phase`: the phases that they lead to; `step`: steps and events.
//! - `evidence`: the server's offsets so far, and the claims that they make plausible.
//! - `gain`: the difference that a send has made.
//! - `budget`: the number of failures that are left.
//! - `segments`: the number of bytes in one send.

mod budget;
mod evidence;
mod gain;
mod phase;
mod segments;
mod step;
#[cfg(test)]
mod tests;
mod transfer;

pub(crate) use segments::LearnedLimit;
pub(crate) use step::{Event, Plan, Remedy, Step};
pub(crate) use transfer::Transfer;
