//! Exit codes, and what each means.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use resup::{Error, ErrorKind, RefusalKind};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Other = 1,
    Usage = 2,
    Local = 3,
    Network = 4,
    NotAllowed = 5,
    Refused = 6,
    Answer = 7,
    Interrupted = 130,
    Terminated = 143,
}

impl Exit {
    /// All of them with what they mean, for the help and the manual page.
    pub const ALL: [(Exit, &str); 10] = [
        (Exit::Done, "all files are there"),
        (Exit::Other, "it failed for a reason not listed here"),
        (Exit::Usage, "the command line is wrong; nothing was sent"),
        (
            Exit::Local,
            "a file is missing, cannot be read, or changed on the way",
        ),
        (
            Exit::Network,
            "no host, no connection, a broken one, a time limit, TLS, or the proxy",
        ),
        (
            Exit::NotAllowed,
            "the server wants a login or forbids it (401, 403)",
        ),
        (
            Exit::Refused,
            "the server refuses otherwise (413, 503, 507, ...)",
        ),
        (
            Exit::Answer,
            "the server does not speak the protocol, or got other bytes",
        ),
        (Exit::Interrupted, "interrupted by Ctrl-C"),
        (Exit::Terminated, "ended by SIGTERM"),
    ];

    /// The exit code of an upload that failed.
    pub fn of(error: &Error) -> Self {
        match error.kind() {
            // The settings were checked before: this is the file's name.
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
            ErrorKind::Refused(_) => Exit::Refused,
            ErrorKind::BadResponse
            | ErrorKind::ResponseTooLong
            | ErrorKind::BadOffset
            | ErrorKind::DigestMismatch => Exit::Answer,
            _ => Exit::Other,
        }
    }

    /// The code of the process.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// One word, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Other => "other",
            Exit::Usage => "usage",
            Exit::Local => "local",
            Exit::Network => "network",
            Exit::NotAllowed => "not-allowed",
            Exit::Refused => "refused",
            Exit::Answer => "answer",
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

/// Why nothing was begun.
#[derive(Debug)]
pub struct Fault {
    pub exit: Exit,
    pub text: String,
}

impl Fault {
    /// The command line is wrong.
    pub fn usage(text: impl ToString) -> Self {
        Fault {
            exit: Exit::Usage,
            text: text.to_string(),
        }
    }

    /// A local file is missing or cannot be read.
    pub fn local(text: impl ToString) -> Self {
        Fault {
            exit: Exit::Local,
            text: text.to_string(),
        }
    }

    /// The system refused what the program needs itself.
    pub fn other(text: impl ToString) -> Self {
        Fault {
            exit: Exit::Other,
            text: text.to_string(),
        }
    }
}
