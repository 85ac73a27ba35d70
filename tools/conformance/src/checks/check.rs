//! The type of a check, and the sections of docs/PROTOCOL.md.

use crate::probe::Probe;
use crate::verdict::Outcome;

/// One rule of the protocol, and the function that checks it.
pub struct Check {
    /// The name, for people and `--filter`.
    pub id: &'static str,
    /// The heading in docs/PROTOCOL.md that has the rule.
    pub section: &'static str,
    /// The rule, for people.
    pub holds: &'static str,
    /// The function.
    pub run: fn(&Probe) -> Outcome,
}

pub const LOCATE: &str = "Locate";
pub const SEND: &str = "Send";
pub const AGREEMENT: &str = "Digests by agreement";
pub const STORE: &str = "Store";
pub const PARTS: &str = "Parts";
pub const DISCARD: &str = "Discard";
pub const ERRORS: &str = "Errors";
pub const IDENTITY: &str = "What makes a file the same file";
pub const SIGNING: &str = "Signing";
pub const LOGIN: &str = "Login";
