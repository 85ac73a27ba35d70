//! The checks, in the order of docs/PROTOCOL.md.

mod answers;
mod broken;
mod conflicts;
mod digests;
mod early;
mod identity;
mod instant;
mod limits;
mod locate;
mod login;
mod names;
mod owners;
mod refusals;
mod restart;
mod send;
mod signing;
mod writers;

use crate::probe::Probe;
use crate::verdict::Outcome;

/// One thing that must hold.
pub struct Check {
    /// Its name, for people and `--filter`.
    pub id: &'static str,
    /// The heading in docs/PROTOCOL.md under which it is promised.
    pub section: &'static str,
    /// What must hold.
    pub holds: &'static str,
    /// Finds out.
    pub run: fn(&Probe) -> Outcome,
}

const LOCATE: &str = "Locate";
const SEND: &str = "Send";
const ERRORS: &str = "Errors";
const IDENTITY: &str = "What makes a file the same file";
const SIGNING: &str = "Signing";
const LOGIN: &str = "Login";

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Check> {
    [
        locate::CHECKS,
        instant::CHECKS,
        send::CHECKS,
        restart::CHECKS,
        broken::CHECKS,
        writers::CHECKS,
        conflicts::CHECKS,
        digests::CHECKS,
        limits::CHECKS,
        refusals::CHECKS,
        early::CHECKS,
        answers::CHECKS,
        identity::CHECKS,
        names::CHECKS,
        owners::CHECKS,
        signing::CHECKS,
        login::CHECKS,
    ]
    .into_iter()
    .flatten()
}
