//! What an upload does next: decisions only, no clock, file, socket or thread.
//!
//! [`Transfer`] is a state machine. It gives a [`Step`]; the driver in `run` carries it out and
//! says with an [`Event`] what came of it; [`Transfer::handle`] answers with the next step. Time
//! and randomness are arguments.
//!
//! - `transfer` has the phases,
//! - `evidence` what the server has shown so far, and so what it may claim,
//! - `budget` how many failures are left,
//! - `segments` how many bytes one send carries.

mod budget;
mod evidence;
mod segments;
mod step;
#[cfg(test)]
mod tests;
mod transfer;

pub(crate) use segments::LearnedLimit;
pub(crate) use step::{Event, Plan, Remedy, Step};
pub(crate) use transfer::Transfer;
