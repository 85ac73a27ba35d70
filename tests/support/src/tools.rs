//! Programs that some tests need and not every machine has.

use std::collections::BTreeSet;
use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The environment variable that makes a missing tool a failure; `make test` and CI set it.
const NEED_TOOLS: &str = "RESUP_NEED_TOOLS";

/// Finds a program. When it is not installed, returns `None` and prints a line on standard error.
///
/// # Panics
///
/// When it is not installed and `RESUP_NEED_TOOLS` is `1`.
pub fn find(tool: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Servers are in a directory that only root's PATH may have.
    let dirs = env::split_paths(&path).chain(["/usr/sbin".into()]);
    let file = format!("{tool}{}", env::consts::EXE_SUFFIX);
    let found = dirs.map(|dir| dir.join(&file)).find(|file| file.is_file());
    if found.is_none() {
        report_missing(tool);
    }
    found
}

/// Whether all these programs are installed, as [`find`] sees it.
///
/// # Panics
///
/// As [`find`].
pub fn have(tools: &[&str]) -> bool {
    tools.iter().all(|tool| find(tool).is_some())
}

/// Whether a file is there that comes with what is installed, like a library.
///
/// # Panics
///
/// When it is not there and `RESUP_NEED_TOOLS` is `1`.
pub fn has_file(file: &Path) -> bool {
    let found = file.exists();
    if !found {
        report_missing(&file.display().to_string());
    }
    found
}

fn report_missing(what: &str) {
    let needed = env::var_os(NEED_TOOLS).is_some_and(|value| value == "1");
    assert!(!needed, "{what} is not installed");
    skip(&format!("{what} is not installed"));
}

/// Says, once, that the running test or a part of it is skipped. Not by `eprintln!`: cargo hides that when the test passes.
pub fn skip(reason: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let thread = std::thread::current();
    let line = format!("skipped in {}: {reason}", thread.name().unwrap_or("a test"));
    let mut said = SAID.lock().expect("a lock that nothing breaks");
    if said.insert(line.clone()) {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

/// Makes a command of the cargo that runs this test.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    forget_package(&mut cargo);
    cargo
}

/// Hides from a command which package is tested. A dependency's build script looks at it: when a cargo within sees another one
/// than the cargo outside, each builds that dependency, and all that uses it, anew.
pub fn forget_package(command: &mut Command) -> &mut Command {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let starts = ["CARGO_PKG_", "CARGO_MANIFEST_", "OUT_DIR"];
    for name in names.filter(|name| starts.iter().any(|start| name.starts_with(start))) {
        command.env_remove(name);
    }
    command
}

/// Sends a signal to a process, by the shell: not every machine has `kill` as a program.
///
/// # Panics
///
/// When there is no such process.
pub fn signal(process: u32, name: &str) {
    let line = format!("kill -s {name} {process}");
    let status = Command::new("sh").args(["-c", &line]).status();
    assert!(status.expect("a shell").success(), "{line}");
}
