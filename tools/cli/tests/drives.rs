//! Files of network drives, whose numbers, times and failures are others than those of a disk. A
//! library that is preloaded makes a file behave so.

#![cfg(target_os = "linux")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use common::{exit_and_last_line, make_file, put, stderr_text};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::model::ModelReceiver;
use resup_test_support::preload;

const EIO: &str = "5";
const EISDIR: &str = "21";
const ESTALE: &str = "116";

/// Compiles the library that is preloaded.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/drive/drive.c");
        preload::compile(Path::new(source), Path::new(env!("CARGO_TARGET_TMPDIR")))
    })
}

/// Makes the command for a file of a drive that behaves as `values` say.
fn put_from_drive(file: &Path, endpoint: &str, values: &[(&str, &str)]) -> Command {
    let mut command = put();
    command
        .arg(file)
        .arg(endpoint)
        .args(["--retry-max-wait", "0.05"]);
    command.env("LD_PRELOAD", library());
    command.env("DRIVE_FILE", file.file_name().unwrap());
    command.envs(values.iter().copied());
    command
}

#[test]
fn numbers_and_times_of_a_name_that_differ_from_the_start_are_no_change() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "named.bin", 3 << 20);
    for mode in ["number", "time"] {
        let receiver = ModelReceiver::start();
        let output = put_from_drive(&file, &receiver.endpoint(), &[("DRIVE_MODE", mode)])
            .output()
            .unwrap();
        let (code, last) = exit_and_last_line(&output);
        assert_eq!(code, 0, "{mode}: {last}");
        assert_eq!(receiver.held("named.bin"), Some(3 << 20));
    }
}

#[test]
fn another_file_in_place_is_noticed_there_too() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = ModelReceiver::start();
    let slow = |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(8 << 20),
        ..Faults::default()
    };
    for mode in ["number", "time"] {
        let file = make_file(&dir, "replaced.bin", 8 << 20);
        let other = make_file(&dir, "other.bin", (8 << 20) + 1);
        let proxy = ChaosProxy::start(receiver.addr(), slow, 0);
        let endpoint = receiver.endpoint_at(proxy.addr());
        let child = put_from_drive(&file, &endpoint, &[("DRIVE_MODE", mode)])
            .spawn()
            .unwrap();
        common::wait_for("a part of the file", || proxy.bytes_up() > 1 << 20);
        std::fs::rename(other, &file).unwrap();
        let (code, last) = exit_and_last_line(&child.wait_with_output().unwrap());
        assert_eq!(code, 3, "{mode}: {last}");
        assert!(
            last.contains("changed while it was being uploaded"),
            "{last}"
        );
    }
}

#[test]
fn a_failure_that_passes_at_once_is_not_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "short.bin", 3 << 20);
    for (mode, skip, error) in [
        ("read", "10", EIO),
        ("read", "10", ESTALE),
        ("look", "4", ESTALE),
        ("look", "6", ESTALE),
        ("stale", "3", ESTALE),
    ] {
        let receiver = ModelReceiver::start();
        let values = [
            ("DRIVE_MODE", mode),
            ("DRIVE_SKIP", skip),
            ("DRIVE_FAILS", "1"),
            ("DRIVE_ERROR", error),
        ];
        let output = put_from_drive(&file, &receiver.endpoint(), &values)
            .output()
            .unwrap();
        let text = stderr_text(&output);
        assert_eq!(output.status.code(), Some(0), "{mode}: {text}");
        assert!(!text.contains("failed"), "{text}");
    }
}

#[test]
fn a_drive_that_is_away_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "away.bin", 3 << 20);
    for (mode, skip) in [("read", "10"), ("look", "5"), ("stale", "3")] {
        let receiver = ModelReceiver::start();
        let values = [
            ("DRIVE_MODE", mode),
            ("DRIVE_SKIP", skip),
            ("DRIVE_FAILS", "4"),
            ("DRIVE_ERROR", ESTALE),
        ];
        let output = put_from_drive(&file, &receiver.endpoint(), &values)
            .output()
            .unwrap();
        let text = stderr_text(&output);
        assert_eq!(output.status.code(), Some(0), "{mode}: {text}");
        assert!(text.contains("next attempt in"), "{mode}: {text}");
    }
}

#[test]
fn a_drive_that_stays_away_is_a_failure_that_may_pass() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "gone.bin", 3 << 20);
    let receiver = ModelReceiver::start();
    for (error, retryable) in [(EIO, true), (EISDIR, false)] {
        let values = [
            ("DRIVE_MODE", "read"),
            ("DRIVE_SKIP", "10"),
            ("DRIVE_FAILS", "1000"),
            ("DRIVE_ERROR", error),
        ];
        let mut command = put_from_drive(&file, &receiver.endpoint(), &values);
        let output = command.args(["--json", "--retries", "1"]).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", stderr_text(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        let failed = text
            .lines()
            .find(|line| line.contains("\"event\":\"failed\""))
            .unwrap();
        assert!(
            failed.contains(&format!("\"retryable\":{retryable}")),
            "{failed}"
        );
    }
}
