//! Why work on a run ends early.

use std::fmt;

use crate::error::Error;

/// The program wants the run to pause or to end, so what is under way is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted by the program")
    }
}

impl std::error::Error for Interrupted {}

/// Why a piece of work ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// By the program's command.
    Interrupted,
    /// By a failure.
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
    /// As a failed read, for the layers that read a request's body. The error comes back out of
    /// the transport as it went in; an interruption is recognised by its command.
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupted => std::io::Error::other(Interrupted),
            Stop::Failed(error) => std::io::Error::other(error),
        }
    }
}
