//! The two versions of the command and the receiver.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use resup_test_support::files;
use resup_test_support::receiver::{Receiver, Setup};
use serde_json::Value;

/// The version of a program: 1.0 of the protocol, or today's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Old,
    New,
}

pub use Version::{New, Old};

/// Each version with the other one: the command's first.
pub const PAIRS: [(Version, Version); 2] = [(New, Old), (Old, New)];

/// Gives the program that an environment variable names.
fn program(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable);
    path.unwrap_or_else(|| panic!("{variable} is not set; make test-old-peers sets it"))
        .into()
}

impl Version {
    /// Gives the receiver of this version.
    pub fn receiver_program(self) -> PathBuf {
        program(match self {
            Old => "RESUP_OLD_RECEIVER",
            New => "RESUP_RECEIVER",
        })
    }

    /// Gives the settings of a receiver of this version.
    pub fn setup(self) -> Setup {
        Setup {
            binary: Some(self.receiver_program()),
            ..Setup::new()
        }
    }

    /// Makes the command `resup put --json` of this version, which waits little before it tries again.
    pub fn put(self) -> Command {
        let mut command = Command::new(program(match self {
            Old => "RESUP_OLD_COMMAND",
            New => "RESUP_COMMAND",
        }));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RESUP_") {
                command.env_remove(name);
            }
        }
        command
            .args(["put", "--json", "--retry-max-wait", "0.05"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Uploads with these arguments. Gives how that ended.
    pub fn run<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>, endpoint: &str) -> Ended {
        let args: Vec<OsString> = args.into_iter().map(|it| it.as_ref().to_owned()).collect();
        let child = self.put().args(&args).arg(endpoint).spawn().unwrap();
        Ended::wait(&format!("{self:?} command {args:?}"), child)
    }
}

/// A command that has ended.
pub struct Ended {
    what: String,
    pub code: Option<i32>,
    events: Vec<Value>,
    stderr: String,
}

impl Ended {
    /// Waits for the end of a command.
    pub fn wait(what: &str, child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        Ended {
            what: what.to_owned(),
            code: output.status.code(),
            events: text
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |it| it["event"] == kind)
    }

    /// Gives the error of a file that was not uploaded.
    #[track_caller]
    pub fn error(&self) -> &str {
        let error = self.of_kind("failed").next();
        error
            .and_then(|it| it["error"].as_str())
            .expect("a failure")
    }

    /// Gives the sum of a number over all files.
    pub fn sum(&self, number: &str) -> u64 {
        self.of_kind("done")
            .map(|it| it[number].as_u64().unwrap())
            .sum()
    }

    /// Checks that so many files were uploaded, and that the receiver has their bytes.
    #[track_caller]
    pub fn check(&self, receiver: &Receiver, count: usize) {
        let (what, stderr) = (&self.what, &self.stderr);
        assert_eq!(self.code, Some(0), "{what}: {stderr} {:?}", self.events);
        assert_eq!(self.of_kind("done").count(), count, "{what}");
        for done in self.of_kind("done") {
            let stored = receiver.stored_file(done["id"].as_str().unwrap());
            files::assert_same(Path::new(done["file"].as_str().unwrap()), &stored);
        }
    }
}
