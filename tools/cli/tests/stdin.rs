//! Uploads of standard input.

mod common;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use common::{exit_and_last_line, of_kind, put, stderr_text, wait_for};
use resup_test_support::files;
use resup_test_support::receiver::Receiver;
use resup_test_support::tools;
use serde_json::Value;

/// The chapter of the guide that has the command.
const GUIDE: &str = include_str!("../../../docs/guide/src/streams.md");

#[test]
fn the_guides_archive_is_uploaded_while_it_is_made() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let photos = dir.path().join("photos");
    fs::create_dir(&photos).unwrap();
    files::make(&photos.join("a.jpg"), 3_000_000, 1).unwrap();
    files::make(&photos.join("b.jpg"), 20_000_000, 2).unwrap();
    let line = GUIDE
        .lines()
        .find(|line| line.starts_with("tar c photos | resup put -"));
    let line = line.expect("the command");
    let line = line
        .replace(
            "resup put",
            &format!("'{}' put --json", common::program().display()),
        )
        .replace("https://example.org/files/", &receiver.endpoint());
    let output = Command::new("sh")
        .args(["-c", &line])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr_text(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Value> = text
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let done = of_kind(&events, "done")[0];
    assert_eq!(
        (&done["file"], &done["protocol"]),
        (&"-".into(), &"tus".into())
    );
    assert_eq!(of_kind(&events, "start")[0]["size"], Value::Null);
    assert_eq!(of_kind(&events, "start")[0]["name"], "photos.tar");
    let stored = receiver.stored_file(done["id"].as_str().unwrap().rsplit('/').next().unwrap());
    assert_eq!(
        done["size"].as_u64(),
        Some(fs::metadata(&stored).unwrap().len())
    );
    let there = dir.path().join("there");
    fs::create_dir(&there).unwrap();
    let unpacked = Command::new("tar")
        .arg("xf")
        .arg(&stored)
        .current_dir(&there)
        .status();
    assert!(unpacked.unwrap().success());
    for name in ["a.jpg", "b.jpg"] {
        files::assert_same(&photos.join(name), &there.join("photos").join(name));
    }
}

#[test]
fn lines_and_bars_do_without_a_size() {
    let receiver = Receiver::start();
    let mut child = put()
        .args(["-", "--name", "notes.txt"])
        .arg(receiver.endpoint())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"some notes")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let (code, last) = exit_and_last_line(&output);
    assert_eq!(code, 0, "{last}");
    assert!(last.starts_with("notes.txt: done, 10 B in "), "{last}");
    let text = stderr_text(&output);
    assert!(text.contains("notes.txt: standard input"), "{text}");
    assert!(
        text.contains("a stream whose size is not known goes by tus"),
        "{text}"
    );
}

#[test]
fn a_read_that_fails_is_told_of_standard_input() {
    let receiver = Receiver::start();
    let directory = fs::File::open(receiver.data()).unwrap();
    let output = put()
        .args(["-", "--name", "x"])
        .arg(receiver.endpoint())
        .stdin(directory)
        .output()
        .unwrap();
    let (code, last) = exit_and_last_line(&output);
    assert_eq!(code, 3, "{last}");
    let due = "resup: x: reading standard input failed: at byte 0: ";
    assert!(last.starts_with(due), "{last}");
}

#[test]
fn a_signal_ends_the_command_while_standard_input_blocks() {
    let receiver = Receiver::start();
    let mut child = put()
        .args(["-", "--name", "x", "--segment", "100k"])
        .arg(receiver.endpoint())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&[7; 150_000]).unwrap();
    wait_for("a segment at the receiver", || {
        receiver.stderr().contains("tus-patch")
    });
    tools::signal(child.id(), "INT");
    let (code, last) = exit_and_last_line(&child.wait_with_output().unwrap());
    drop(input);
    assert_eq!(code, 130, "{last}");
    assert_eq!(
        last,
        "resup: interrupted; 0 of 1 file complete. Standard input cannot be read again: begin anew"
    );
}

#[test]
fn mistakes_with_standard_input_are_told_before_anything_is_sent() {
    let url = "http://127.0.0.1:1/";
    let cases: [(&[&str], i32, &str); 5] = [
        (&["-", url], 2, "give the name for the server by --name"),
        (
            &["-", "-", "--name", "x", url],
            2,
            "--name is for a single file",
        ),
        (
            &["-", "--name", "x", "--token-file", "-", url],
            2,
            "no secret can be read from it",
        ),
        (
            &["-", "--name", "x", "--protocol", "form", url],
            2,
            "this --protocol needs the size first",
        ),
        (
            &["-", "--name", "x", "--digest-first", url],
            2,
            "--digest-first reads a file twice",
        ),
    ];
    for (arguments, code, due) in cases {
        let output = put().args(arguments).output().unwrap();
        let text = stderr_text(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(due), "{arguments:?}: {text}");
    }
}
