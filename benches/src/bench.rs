//! What all measurements share: programs, files, sizes.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::child::{measure, Cost};
use crate::server::Server;
use resup_test_support::files;

pub(crate) const MIB: u64 = 1 << 20;

/// The programs, the files and how much of everything.
pub(crate) struct Bench {
    /// Where the programs are: uploader.c, link.c, the receiver.
    programs: PathBuf,
    dir: tempfile::TempDir,
    /// The file of most measurements, and its size.
    pub big: PathBuf,
    pub size: u64,
    pub runs: u64,
    /// How many small files.
    pub files: usize,
    /// Whether time does not matter.
    pub all: bool,
    /// Why there is nothing to compare with.
    no_curl: Option<String>,
}

impl Bench {
    pub(crate) fn new(programs: &Path) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("resup-bench").tempdir()?;
        let big = dir.path().join("big.bin");
        let size = number("BENCH_SIZE", 1024) * MIB;
        files::make(&big, size, 1)?;
        let all = number("BENCH_ALL", 0) != 0;
        let curl = measure(Command::new("curl").arg("--version"));
        Ok(Bench {
            programs: programs.to_owned(),
            dir,
            big,
            size,
            runs: number("BENCH_RUNS", if all { 7 } else { 3 }),
            files: number("BENCH_FILES", 5_000) as usize,
            all,
            no_curl: curl.err(),
        })
    }

    /// Returns the path of a file of the measurements.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a file of so many bytes.
    pub(crate) fn file(&self, name: &str, size: u64) -> Result<PathBuf, String> {
        let path = self.path(name);
        files::make(&path, size, size).map_err(|error| format!("{name}: {error}"))?;
        Ok(path)
    }

    /// Returns a program of these measurements.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Makes an upload with these options (of uploader.c).
    pub(crate) fn upload(
        &self,
        server: &Server,
        options: &[&str],
        files: &[&Path],
    ) -> Result<Cost, String> {
        let command = Command::new(self.program("bench-uploader"));
        self.upload_by(command, server, options, files)
    }

    /// The same by a command that runs the uploader.
    pub(crate) fn upload_by(
        &self,
        mut command: Command,
        server: &Server,
        options: &[&str],
        files: &[&Path],
    ) -> Result<Cost, String> {
        server.measure(command.args(options).arg(&server.url).args(files))
    }

    /// Makes an upload with curl, with these options.
    pub(crate) fn curl(
        &self,
        server: &Server,
        options: &[&str],
        file: &Path,
    ) -> Result<Cost, String> {
        let form = format!("file=@{}", file.display());
        let mut command = self.curl_command()?;
        command.args(["-f", "-o", "/dev/null", "-F", &form]);
        server.measure(command.args(options).arg(&server.url))
    }

    /// Begins a command of curl, where it is installed.
    pub(crate) fn curl_command(&self) -> Result<Command, String> {
        if let Some(reason) = &self.no_curl {
            return Err(reason.clone());
        }
        let mut command = Command::new("curl");
        command.arg("-sS");
        Ok(command)
    }
}

/// Reads a number from the environment.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    let value = std::env::var(variable).ok();
    value.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is \"{text}\" and not a number"))
    })
}
