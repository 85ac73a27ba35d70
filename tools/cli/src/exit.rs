//! Exit codes and their meanings.

use std::fmt::Display;
use std::process::ExitCode;

use resup::{Error, ErrorKind, RefusalKind};

use crate::messages::sentence;

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Other = 1,
    Usage = 2,
    Local = 3,
    Network = 4,
    NotAllowed = 5,
    Refused = 6,
    BadResponse = 7,
    Interrupted = 130,
    Terminated = 143,
}

impl Exit {
    /// All codes with their meanings, for the help and the manual page.
    pub const ALL: [(Exit, &str); 10] = [
        (Exit::Done, "the server has all files"),
        (Exit::Other, "another failure"),
        (Exit::Usage, "the command line is wrong; nothing was sent"),
        (
            Exit::Local,
            "a file is missing, cannot be read, or changed during its upload",
        ),
        (
            Exit::Network,
            "the network failed: name lookup, connection, time limit, TLS, or proxy",
        ),
        (
            Exit::NotAllowed,
            "the server requires a login, refuses it, or does not allow the upload (401, 403)",
        ),
        (
            Exit::Refused,
            "the server refuses the upload for another reason (413, 503, 507, ...)",
        ),
        (
            Exit::BadResponse,
            "the server does not follow the protocol, or its bytes differ from the file's",
        ),
        (Exit::Interrupted, "interrupted by Ctrl-C"),
        (Exit::Terminated, "ended by SIGTERM"),
    ];

    /// Chooses the exit code for the error of an upload.
    pub fn of(error: &Error) -> Self {
        match error.kind() {
            // The settings were checked before, so the wrong argument is the file's name.
            ErrorKind::InvalidArgument
            | ErrorKind::SourceNotFound
            | ErrorKind::SourceDenied
            | ErrorKind::SourceNotAFile
            | ErrorKind::SourceIo
            | ErrorKind::SourceChanged => Exit::Local,
            ErrorKind::ResolveFailed
            | ErrorKind::ConnectFailed
            | ErrorKind::ConnectionLost
            | ErrorKind::TimedOut
            | ErrorKind::ProxyRefused
            | ErrorKind::Tls => Exit::Network,
            ErrorKind::Refused(RefusalKind::NotAllowed) | ErrorKind::SessionExpired => {
                Exit::NotAllowed
            }
            ErrorKind::Refused(_) | ErrorKind::DigestUnavailable => Exit::Refused,
            ErrorKind::BadResponse
            | ErrorKind::ResponseTooLong
            | ErrorKind::BadOffset
            | ErrorKind::DigestMismatch => Exit::BadResponse,
            _ => Exit::Other,
        }
    }

    /// Returns the number of the code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns the name of the code in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Other => "other",
            Exit::Usage => "usage",
            Exit::Local => "local",
            Exit::Network => "network",
            Exit::NotAllowed => "not-allowed",
            Exit::Refused => "refused",
            Exit::BadResponse => "answer",
            Exit::Interrupted => "interrupted",
            Exit::Terminated => "terminated",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// A reason why nothing was uploaded, and the exit code for it.
#[derive(Debug)]
pub struct Fault {
    pub exit: Exit,
    pub text: String,
}

impl Fault {
    /// Makes the fault of a wrong command line.
    pub fn usage(text: impl Display) -> Self {
        Fault {
            exit: Exit::Usage,
            text: sentence(text),
        }
    }

    /// Makes the fault of a local file that is missing or cannot be read.
    pub fn local(text: impl Display) -> Self {
        Fault {
            exit: Exit::Local,
            text: sentence(text),
        }
    }

    /// Makes the fault of the system, which refused something that the program needs.
    pub fn other(text: impl Display) -> Self {
        Fault {
            exit: Exit::Other,
            text: sentence(text),
        }
    }
}
