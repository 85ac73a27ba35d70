//! Helpers that the tests of the command share.
#![allow(dead_code, unused_imports)] // not every test uses all of it

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use resup_test_support::files;
use serde_json::Value;

pub use resup_test_support::terminal::Terminal;

/// Makes the command `resup put`.
pub fn put() -> Command {
    let mut command = resup();
    command.arg("put");
    command
}

/// Runs `resup put` with these words of a shell command in a terminal, if there is the program `script`.
pub fn put_on_terminal(words: &str) -> Option<Terminal> {
    Terminal::run(&format!("exec '{}' put {words}", program().display()))
}

/// Returns the path of the command: that of `RESUP_COMMAND`, or else the one that is built here.
pub fn program() -> PathBuf {
    let named = std::env::var_os("RESUP_COMMAND");
    named.map_or(env!("CARGO_BIN_EXE_resup").into(), PathBuf::from)
}

/// Makes the command `resup`, without settings from the environment.
pub fn resup() -> Command {
    let mut command = Command::new(program());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RESUP_") {
            command.env_remove(name);
        }
    }
    // The tests are about the English texts, whatever the developer reads.
    command.env("LC_ALL", "C");
    // The user's own directory is left alone.
    command.env("XDG_STATE_HOME", "/dev/null");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Makes a file of `size` bytes.
pub fn make_file(dir: &tempfile::TempDir, name: &str, size: u64) -> PathBuf {
    let path = dir.path().join(name);
    files::make(&path, size, 11).unwrap();
    path
}

/// Returns what the command wrote to standard error.
pub fn stderr_text(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Returns the exit code and the last line of standard error.
pub fn exit_and_last_line(output: &Output) -> (i32, String) {
    let last = stderr_text(output)
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();
    (output.status.code().unwrap(), last)
}

/// Runs the command with `--json` and returns the events.
pub fn events<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> (i32, Vec<Value>) {
    let output = put().arg("--json").args(args).output().unwrap();
    assert_eq!(stderr_text(&output), "");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (output.status.code().unwrap(), lines.collect())
}

/// Returns the events of one kind.
pub fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|e| e["event"] == kind).collect()
}

/// Checks that the receiver has the same bytes as the file of a "done" event.
pub fn assert_stored(receiver: &resup_test_support::receiver::Receiver, done: &Value) {
    let stored = receiver.stored_file(done["id"].as_str().unwrap());
    files::assert_same(Path::new(done["file"].as_str().unwrap()), &stored);
}

/// Uploads a file of which the server has a part, and checks that this part is not sent again.
pub fn assert_resumes(file: &Path, endpoint: &str) {
    let (code, events) = events([file.as_os_str(), endpoint.as_ref()]);
    assert_eq!(code, 0);
    let skipped = of_kind(&events, "done")[0]["bytes_skipped"].as_u64();
    assert!(skipped > Some(0), "{events:?}");
}

/// Waits until a condition holds.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{what} did not come within 30 seconds"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}
