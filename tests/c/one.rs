//! The program `one.c`: an upload with settings, and what it prints of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use resup_test_support::files;

use super::harness::Bench;

/// No case takes more than some seconds; one that is not done by then hangs.
pub const WATCHDOG: Duration = Duration::from_secs(60);

pub struct One {
    pub bench: Bench,
    program: PathBuf,
}

/// Lines, each a name and what there is to tell of it.
#[derive(Debug)]
pub struct Told(pub String);

impl One {
    pub fn new() -> Self {
        let bench = Bench::new();
        let program = bench.build("one", &["one.c"], &[]);
        One { bench, program }
    }

    /// A command that uploads a file of so many bytes with these settings.
    pub fn command(&self, url: &str, size: u64, settings: &[&str]) -> Command {
        let file = self.bench.path(&format!("{size}.bin"));
        if !file.exists() {
            files::make(&file, size, 5).unwrap();
        }
        self.command_of(url, &file, settings)
    }

    /// A command that uploads this file with these settings.
    pub fn command_of(&self, url: &str, file: &Path, settings: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(url).arg(file).args(settings);
        command
    }

    pub fn told(&self, mut command: Command) -> Told {
        let ended = self.bench.run(&mut command, WATCHDOG);
        ended.assert_success();
        Told(ended.stdout)
    }

    pub fn upload(&self, url: &str, size: u64, settings: &[&str]) -> Told {
        self.told(self.command(url, size, settings))
    }
}

impl Told {
    pub fn text(&self, name: &str) -> &str {
        let line = self.0.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim_start()
    }

    pub fn number(&self, name: &str) -> u64 {
        let number = self.text(name).parse();
        number.unwrap_or_else(|_| panic!("no {name} in {}", self.0))
    }
}
