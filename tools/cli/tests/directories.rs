//! Uploads of directories, and of entries that cannot be uploaded.

mod common;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;

use common::{exit_and_last_line, of_kind, put, stderr_text};
use resup_test_support::model::ModelReceiver;
use resup_test_support::scripted::{ScriptedServer, Step};

/// Makes a name that is not UTF-8.
fn latin(name: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(name)
}

#[test]
fn an_entry_that_cannot_be_uploaded_does_not_keep_the_others_away() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("tree");
    fs::create_dir_all(top.join(latin(b"dir-\xe4"))).unwrap();
    fs::write(top.join(latin(b"dir-\xe4/in")), "1").unwrap();
    fs::write(top.join(latin(b"caf\xe9.txt")), "1").unwrap();
    fs::write(top.join("good"), "1").unwrap();
    fs::write(top.join("z-good"), "1").unwrap();
    symlink("loop", top.join("loop")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(top.join("pipe"))
        .status();
    assert!(made.unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(top.join("socket")).unwrap();
    let output = put()
        .arg("-r")
        .arg(&top)
        .arg(receiver.endpoint())
        .output()
        .unwrap();
    let text = stderr_text(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    for told in [
        "tree/caf\u{fffd}.txt: file name \"caf\u{fffd}.txt\" is not UTF-8; rename it",
        "tree/dir-\u{fffd}: directory name \"dir-\u{fffd}\" is not UTF-8, so that nothing in it is uploaded",
        "tree/dir-\u{fffd}/.\" alone and give the name for the server by --directory",
        "pipe\" is skipped: it is not a regular file",
        "socket\" is skipped: it is not a regular file",
        "loop\" is skipped: it is a symbolic link to nothing",
        "resup: 2 of 4 files failed; the first is ",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert_eq!(receiver.held("tree/good"), Some(1));
    assert_eq!(receiver.held("tree/z-good"), Some(1));
    assert_eq!(receiver.files().len(), 2);

    let (code, events) = events_and_warnings(&top, &receiver.endpoint());
    assert_eq!(code, 3);
    let failed = of_kind(&events, "failed");
    assert_eq!(failed.len(), 2);
    assert!(
        failed.iter().all(|event| event["kind"] == "local"),
        "{failed:?}"
    );
}

/// Uploads a directory with `--json`, of which something is skipped; returns the events.
fn events_and_warnings(top: &std::path::Path, endpoint: &str) -> (i32, Vec<serde_json::Value>) {
    let output = put()
        .args(["--json", "-r"])
        .arg(top)
        .arg(endpoint)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (output.status.code().unwrap(), lines.collect())
}

#[test]
fn a_name_does_not_make_a_file_of_a_directory() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("tree");
    fs::create_dir_all(top.join(latin(b"dir-\xe4"))).unwrap();
    fs::write(top.join(latin(b"dir-\xe4/in")), "1").unwrap();
    let output = put()
        .args(["-r", "--name", "x"])
        .arg(&top)
        .arg(receiver.endpoint())
        .output()
        .unwrap();
    let (code, last) = exit_and_last_line(&output);
    assert_eq!(code, 3, "{last}");
    assert!(last.contains("directory name \"dir-"), "{last}");
    // What the message advises.
    let status = put()
        .args(["-r", "--directory", "tree/dir"])
        .arg(top.join(latin(b"dir-\xe4/.")))
        .arg(receiver.endpoint())
        .status();
    assert!(status.unwrap().success());
    assert_eq!(receiver.held("tree/dir/in"), Some(1));
}

#[test]
fn directories_without_a_file_are_told_of_once() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("tree");
    fs::create_dir_all(top.join("a/b")).unwrap();
    fs::create_dir_all(top.join("c")).unwrap();
    fs::create_dir_all(top.join("d/e")).unwrap();
    fs::write(top.join("d/f"), "1").unwrap();
    let run = |options: &[&str]| {
        let mut command = put();
        command.args(options).arg(&top).arg(receiver.endpoint());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        stderr_text(&output)
    };
    let text = run(&["-r"]);
    let told = format!(
        "resup: left out: 4 directories without a file; the first is \"{}\"\n",
        top.join("a/b").display()
    );
    assert_eq!(text.matches(&told).count(), 1, "{text}");
    assert_eq!(text.matches("left out").count(), 1, "{text}");
    assert_eq!(run(&["-r", "--quiet"]), "");
    assert_eq!(run(&["-r", "--json"]), "");
}

#[test]
fn a_directory_that_may_not_be_read_does_not_keep_the_others_away() {
    use std::os::unix::fs::{chown, MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let mode = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let top = dir.path().join("tree");
    fs::create_dir_all(top.join("closed")).unwrap();
    fs::write(top.join("good"), "1").unwrap();
    fs::write(top.join("secret"), "1").unwrap();
    mode(&top.join("secret"), 0o000);
    mode(&top.join("closed"), 0o000);
    // A place that everybody reaches: root may read all, so that it is not root who tries.
    let program = dir.path().join("resup");
    fs::copy(common::program(), &program).unwrap();
    let mut command = std::process::Command::new(&program);
    command.env("LC_ALL", "C");
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        mode(dir.path(), 0o755);
        for path in [&top, &top.join("good"), &top.join("closed")] {
            chown(path, Some(65534), Some(65534)).unwrap();
        }
        command.uid(65534).gid(65534).current_dir("/");
    }
    let output = command
        .args(["put", "-r"])
        .arg(&top)
        .arg(receiver.endpoint())
        .output()
        .unwrap();
    mode(&top.join("closed"), 0o700);
    let text = stderr_text(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("closed\" may not be read: "), "{text}");
    assert!(text.contains("secret\" may not be read: "), "{text}");
    assert!(text.contains("resup: 2 of 3 files failed"), "{text}");
    assert_eq!(receiver.held("tree/good"), Some(1));
}

#[test]
fn a_file_whose_name_is_not_utf_8_goes_under_the_name_that_is_given() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(latin(b"caf\xe9.txt"));
    fs::write(&path, "1").unwrap();
    let run = |options: &[&str]| {
        let mut command = put();
        command.args(options).arg(&path).arg(receiver.endpoint());
        exit_and_last_line(&command.output().unwrap())
    };
    let (code, last) = run(&[]);
    assert_eq!(code, 3, "{last}");
    assert!(
        last.contains("give the name for the server by --name"),
        "{last}"
    );
    let (code, last) = run(&["--name", "café.txt"]);
    assert_eq!(code, 0, "{last}");
    assert_eq!(receiver.held("café.txt"), Some(1));

    // Also where it is the only file of a directory.
    let mut command = put();
    command.args(["-r", "--name", "only.txt"]).arg(dir.path());
    let output = command.arg(receiver.endpoint()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_text(&output));
    let directory = dir.path().file_name().unwrap().to_string_lossy();
    assert_eq!(receiver.held(&format!("{directory}/only.txt")), Some(1));
}

#[test]
fn an_empty_directory_is_no_failure() {
    let server = ScriptedServer::start(vec![Step::reply(500, "{}")]);
    let dir = tempfile::tempdir().unwrap();
    let output = put()
        .arg("-r")
        .arg(dir.path())
        .arg(server.endpoint())
        .output()
        .unwrap();
    let (code, last) = exit_and_last_line(&output);
    assert_eq!(code, 0);
    assert!(last.starts_with("0 files complete"), "{last}");
    assert_eq!(server.connections(), 0);
}
