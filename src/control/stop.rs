//! The reasons why work on a run ends early.

use std::fmt;

use crate::error::Error;

/// The program's command to pause or to end, as the reason why work stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted by the program")
    }
}

impl std::error::Error for Interrupted {}

/// The reason why a piece of work ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The program's command.
    Interrupted,
    /// A failure.
    Failed(Error),
}

impl From<Interrupted> for Stop {
    fn from(_: Interrupted) -> Self {
        Stop::Interrupted
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Failed(error)
    }
}

impl From<Stop> for std::io::Error {
    /// Makes a read error, for the layers that read a request's body. The transport gives the error
    /// back unchanged; an interruption is recognised by the command.
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupted => std::io::Error::other(Interrupted),
            Stop::Failed(error) => std::io::Error::other(error),
        }
    }
}
