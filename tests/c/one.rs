//! The program `one.c`: it makes one upload with settings, and prints a report.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use resup_test_support::files;

use crate::harness::Bench;

/// A run takes some seconds at most; one that takes longer than this hangs.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The program, built.
pub struct One {
    pub bench: Bench,
    program: PathBuf,
}

/// The output of the program: lines of a name and a value.
#[derive(Debug)]
pub struct Report(pub String);

impl One {
    pub fn new() -> Self {
        let bench = Bench::new();
        let program = bench.build("one", &["one.c"], &[]);
        One { bench, program }
    }

    /// Makes a command that uploads a file of `size` bytes with these settings.
    pub fn command(&self, url: &str, size: u64, settings: &[&str]) -> Command {
        let file = self.bench.path(&format!("{size}.bin"));
        if !file.exists() {
            files::make(&file, size, 5).unwrap();
        }
        self.command_of(url, &file, settings)
    }

    /// Makes a command that uploads this file with these settings.
    pub fn command_of(&self, url: &str, file: &Path, settings: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(url).arg(file).args(settings);
        command
    }

    pub fn run(&self, mut command: Command) -> Report {
        let outcome = self.bench.run(&mut command, LIMIT);
        outcome.assert_success();
        Report(outcome.stdout)
    }

    pub fn upload(&self, url: &str, size: u64, settings: &[&str]) -> Report {
        self.run(self.command(url, size, settings))
    }
}

impl Report {
    pub fn text(&self, name: &str) -> &str {
        let line = self.0.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim_start()
    }

    pub fn number(&self, name: &str) -> u64 {
        let number = self.text(name).parse();
        number.unwrap_or_else(|_| panic!("no {name} in {}", self.0))
    }
}
