//! The sources of the settings: flag, environment, file, default.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::accounts::admin_fails;
use common::{Receiver, Upload};
use tempfile::TempDir;

fn file(dir: &TempDir, text: &str) -> PathBuf {
    let path = dir.path().join("receiver.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Finds the `max_segment` that a receiver with these settings has.
fn max_segment(flag: Option<&str>, environment: Option<&str>, file: &Path) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_resup-receiver"));
    command.arg("--config").arg(file);
    command.args(
        flag.map(|flag| ["--max-segment", flag])
            .into_iter()
            .flatten(),
    );
    if let Some(value) = environment {
        command.env("RESUP_RECEIVER_MAX_SEGMENT", value);
    }
    let receiver = Receiver::launch(command);
    receiver.locate(&Upload::new("a", 10)).json["max_segment"].clone()
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let most = format!("data = '{}'\nlisten = '127.0.0.1:0'\n", data.display());
    let without = file(&dir, &most);
    assert_eq!(max_segment(None, None, &without), serde_json::Value::Null);
    let with = file(&dir, &format!("{most}max-segment = 1000\n"));
    assert_eq!(max_segment(None, None, &with), 1000);
    assert_eq!(max_segment(None, Some("2000"), &with), 2000);
    assert_eq!(max_segment(Some("3000"), Some("2000"), &with), 3000);
    assert_eq!(max_segment(Some("3Mi"), Some("2000"), &with), 3 << 20);
    assert_eq!(max_segment(None, Some("2.5k"), &with), 2500);
    let with = file(&dir, &format!("{most}max-segment = '5G'\nexpire = '36h'\n"));
    assert_eq!(max_segment(None, None, &with), 5_000_000_000_u64);
    assert!(data.join("files").is_dir());
}

#[test]
fn a_mistake_in_the_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for (text, told) in [
        ("max_segment = 1", "there is no setting 'max_segment'"),
        ("config = 'x'", "there is no setting 'config'"),
        ("crash = 'x'", "there is no setting 'crash'"),
        (
            "listen = 'here'",
            "listen = \"here\": not an address with a port, such as",
        ),
        (
            "max-segment = 0",
            "max-segment = 0: not a size; write it as",
        ),
        (
            "max-segment = 999",
            "max-segment = 999: clients take no limit below 1000 bytes",
        ),
        (
            "max-size = '5X'",
            "max-size = \"5X\": not a size; write it as",
        ),
        (
            "header-timeout = -1",
            "header-timeout = -1: not a time; write it as",
        ),
        ("expire = 0", "expire = 0: it must be more than 0"),
        ("max-size = ['5G']", "cannot be of the type array"),
        (
            "listen = ['127.0.0.1:0', 'x']",
            "not an address with a port",
        ),
        ("trusted-proxy = ['10.0.0.0/8', 'x']", "neither an address"),
        (
            "signing-algorithm = 'md5'",
            "it can be: hmac-sha256, hmac-md5",
        ),
        ("[data]\nx = 1", "cannot be of the type table"),
        ("data = ", "TOML parse error at line 1"),
    ] {
        let path = file(&dir, text);
        let path = path.to_str().unwrap();
        let error = admin_fails(dir.path(), &["--config", path], "");
        assert!(error.contains(told), "{text}: {error}");
        assert!(error.contains(path), "{text}: {error}");
    }
    let error = admin_fails(dir.path(), &["--config", "/none"], "");
    assert!(error.contains("cannot read /none"), "{error}");
}

#[test]
fn a_segment_that_is_too_small_for_clients_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for value in ["1", "999", "0.5k"] {
        let by_flag = admin_fails(dir.path(), &["--max-segment", value], "");
        let mut command = Command::new(env!("CARGO_BIN_EXE_resup-receiver"));
        command.env("RESUP_RECEIVER_MAX_SEGMENT", value);
        let output = command.arg("--data").arg(dir.path()).output().unwrap();
        assert!(!output.status.success());
        for error in [by_flag, String::from_utf8(output.stderr).unwrap()] {
            assert!(
                error.contains(value) && error.contains("clients take no limit below 1000 bytes"),
                "{error}"
            );
        }
    }
}

#[test]
fn a_wrong_variable_is_named_and_those_of_other_programs_are_ignored() {
    let run = |name: &str, value: &str| {
        let dir = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_resup-receiver"))
            .env(name, value)
            .args(["user", "list", "--data"])
            .arg(dir.path())
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        (output.status.success(), error)
    };
    let (fine, error) = run("RESUP_RECEIVER_HEADER_TIMEOUT", "soon");
    assert!(
        !fine && error.contains("'soon'") && error.contains("--header-timeout"),
        "{error}"
    );
    for tests in ["RESUP_RECEIVER", "RESUP_RECEIVER_CRASH"] {
        assert_eq!(run(tests, "x"), (true, String::new()));
    }
}

#[test]
fn without_a_data_directory_nothing_is_done() {
    for args in [&[][..], &["user", "list"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_resup-receiver"));
        let output = command.args(args).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && error.contains("--data"),
            "{error}"
        );
    }
}

#[test]
fn every_size_and_time_takes_units() {
    let dir = tempfile::tempdir().unwrap();
    let help = Command::new(env!("CARGO_BIN_EXE_resup-receiver"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(
        help.contains("powers of 1024") && help.contains("minutes"),
        "{help}"
    );
    let mut count = 0;
    for (value_name, value) in [("<SIZE>", "5G"), ("<TIME>", "90m")] {
        let lines = help.lines().filter(|line| line.contains(value_name));
        for option in lines.map(|line| line.split_whitespace().next().unwrap()) {
            let output = Command::new(env!("CARGO_BIN_EXE_resup-receiver"))
                .args([option, value, "user", "list", "--data"])
                .arg(dir.path())
                .output()
                .unwrap();
            let error = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{option} {value}: {error}");
            count += 1;
        }
    }
    assert!(count >= 9, "{help}");
}
