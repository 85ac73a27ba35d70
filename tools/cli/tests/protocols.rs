//! Servers of other protocols, and the files with the URLs of unfinished uploads.

mod common;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, SystemTime};

use common::{exit_and_last_line, make_file, put, stderr_text, wait_for};
use resup_test_support::model::ModelReceiver;
use resup_test_support::scripted::{End, Read, ScriptedServer, Step, Tus};
use resup_test_support::tools;
use serde_json::Value;

const SIZE: u64 = 200_000;

/// Starts a tus server that takes 40 000 bytes, twice, and then nothing of one request.
fn server() -> ScriptedServer {
    let (mut tus, mut has_held) = (Tus::default(), false);
    ScriptedServer::start_with(move |head, _| {
        if head.method == "PATCH" && tus.offset == 80_000 && !has_held {
            has_held = true;
            return Step::new().read(Read::HeadOnly).end(End::HoldOpen);
        }
        tus.step(head)
    })
}

/// Kills an upload of `file` amid a request, and gives the state files that it leaves.
fn kill(server: &ScriptedServer, file: &Path, home: &Path, arguments: &[&str]) -> Vec<PathBuf> {
    let before = server.requests().len();
    let mut child = put()
        .env("XDG_STATE_HOME", home)
        .args(["--segment", "40000"])
        .args(arguments)
        .arg(file)
        .arg(server.endpoint())
        .spawn()
        .unwrap();
    wait_for("the third part", || {
        let requests = server.requests();
        let patches = requests[before..].iter();
        patches.filter(|it| it.head.method == "PATCH").count() == 3
    });
    tools::signal(child.id(), "KILL");
    child.wait().unwrap();
    entries(&home.join("resup"))
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn run(server: &ScriptedServer, file: &Path, home: &Path, arguments: &[&str]) -> Output {
    put()
        .env("XDG_STATE_HOME", home)
        .args(["--segment", "40000"])
        .args(arguments)
        .arg(file)
        .arg(server.endpoint())
        .output()
        .unwrap()
}

/// Gives the last event of this kind.
fn event(output: &Output, kind: &str) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut events = events.filter(|event: &Value| event["event"] == kind);
    events.next_back().unwrap_or_else(|| panic!("{text}"))
}

/// Gives how many uploads were begun.
fn begun(server: &ScriptedServer) -> usize {
    let requests = server.requests();
    let begun = requests
        .iter()
        .filter(|it| it.head.header("upload-length").is_some());
    begun.count()
}

#[test]
fn what_a_killed_command_has_sent_is_not_sent_again() {
    for arguments in [&[][..], &["--protocol", "tus"]] {
        let (server, home) = (server(), tempfile::tempdir().unwrap());
        let dir = tempfile::tempdir().unwrap();
        let file = make_file(&dir, "f", SIZE);
        let left = kill(&server, &file, home.path(), arguments);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(mode(&left[0]), 0o600);
        assert_eq!(mode(&home.path().join("resup")), 0o700);

        let output = run(
            &server,
            &file,
            home.path(),
            &[arguments, &["--json"]].concat(),
        );
        let done = event(&output, "done");
        assert_eq!(done["protocol"], "tus");
        assert_eq!(done["bytes_skipped"], 80_000);
        assert_eq!(done["bytes_sent"], SIZE - 80_000);
        assert_eq!(begun(&server), 1);
        assert!(entries(&home.path().join("resup")).is_empty());
        let bodies = server
            .requests()
            .into_iter()
            .filter(|it| it.head.method == "PATCH" && it.body_len > 0);
        let sent: Vec<u8> = bodies.flat_map(|it| it.body).collect();
        assert!(sent == fs::read(&file).unwrap());
    }
}

#[test]
fn another_file_name_or_place_is_another_upload() {
    let (server, home) = (server(), tempfile::tempdir().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", SIZE);
    kill(&server, &file, home.path(), &[]);
    for (count, arguments) in [
        (2, &["--name", "other"][..]),
        (3, &["--directory", "other"]),
        (4, &["--field", "a=b"]),
    ] {
        let output = run(&server, &file, home.path(), arguments);
        assert!(output.status.success(), "{}", stderr_text(&output));
        assert_eq!(begun(&server), count, "{arguments:?}");
    }
    // Nor is another version of the file the same one.
    let time = SystemTime::now() - Duration::from_secs(60);
    File::open(&file).unwrap().set_modified(time).unwrap();
    assert!(run(&server, &file, home.path(), &[]).status.success());
    assert_eq!(begun(&server), 5);
}

#[test]
fn an_upload_by_forms_leaves_no_file() {
    let (receiver, home) = (ModelReceiver::start(), tempfile::tempdir().unwrap());
    let dir = tempfile::tempdir().unwrap();
    // It is there after an upload by tus.
    let states = home.path().join("resup");
    fs::create_dir(&states).unwrap();
    let file = make_file(&dir, "f", 20 << 20);
    let mut child = put()
        .env("XDG_STATE_HOME", home.path())
        .args(["--rate", "12M", "--segment", "1M"])
        .arg(&file)
        .arg(receiver.endpoint())
        .spawn()
        .unwrap();
    // From 8 MiB on a state file would be written.
    wait_for("a part of the file", || receiver.held("f") > Some(10 << 20));
    assert!(entries(&states).is_empty());
    tools::signal(child.id(), "KILL");
    child.wait().unwrap();
    assert!(entries(&states).is_empty());
}

#[test]
fn files_of_uploads_that_nobody_resumes_are_deleted() {
    let (receiver, home) = (ModelReceiver::start(), tempfile::tempdir().unwrap());
    let directory = home.path().join("resup");
    fs::create_dir(&directory).unwrap();
    let make = |name: &str, days: u64| {
        let file = File::create(directory.join(name)).unwrap();
        let age = Duration::from_secs(days * 24 * 60 * 60);
        file.set_modified(SystemTime::now() - age).unwrap();
    };
    let name = |digit: &str| digit.repeat(64);
    make(&name("a"), 31);
    make(&format!("{}.12", name("b")), 31);
    make(&name("c"), 29);
    make("notes.txt", 400);
    let dir = tempfile::tempdir().unwrap();
    let output = put()
        .env("XDG_STATE_HOME", home.path())
        .arg(make_file(&dir, "f", 10))
        .arg(receiver.endpoint())
        .output()
        .unwrap();
    assert!(output.status.success());
    let mut left = entries(&directory);
    left.sort();
    assert_eq!(
        left,
        [directory.join(name("c")), directory.join("notes.txt")]
    );
}

#[test]
fn without_a_place_for_the_url_the_upload_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 100);
    let upload = |home: Option<&str>, arguments: &[&str]| {
        let mut tus = Tus::default();
        let server = ScriptedServer::start_with(move |head, _| tus.step(head));
        let mut command = put();
        command.env_remove("XDG_STATE_HOME").env_remove("HOME");
        command.envs(home.map(|home| ("XDG_STATE_HOME", home)));
        let output = command.args(arguments).arg(&file).arg(server.endpoint());
        let output = output.output().unwrap();
        assert!(output.status.success());
        stderr_text(&output)
    };
    for arguments in [&[][..], &["--protocol=tus"]] {
        let text = upload(Some("/dev/null"), arguments);
        assert!(text.contains("the state file \"/dev/null/resup/"), "{text}");
        assert!(
            text.contains("cannot be written, so another process begins anew"),
            "{text}"
        );
    }
    let text = upload(None, &["--protocol=tus"]);
    assert!(text.contains("set XDG_STATE_HOME or HOME"), "{text}");
    let text = upload(None, &[]);
    assert!(
        text.contains("without a state file another process begins anew"),
        "{text}"
    );
    assert_eq!(upload(None, &["--protocol=tus", "--quiet"]), "");
}

#[test]
fn the_protocol_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (home, file) = (tempfile::tempdir().unwrap(), make_file(&dir, "f", 100));
    let mut tus = Tus::default();
    let server = ScriptedServer::start_with(move |head, _| tus.step(head));
    let text = stderr_text(&run(&server, &file, home.path(), &[]));
    assert!(
        text.contains("the server speaks tus, not form resume"),
        "{text}"
    );
    let text = stderr_text(&run(&server, &file, home.path(), &["-v", "--protocol=tus"]));
    assert!(text.contains("f: from 0 of 100 bytes on, by tus"), "{text}");
    let failed = run(&server, &file, home.path(), &["--json", "--protocol=form"]);
    assert_eq!(event(&failed, "failed")["protocol"], Value::Null);
    let receiver = ModelReceiver::start();
    let output = put()
        .arg("--json")
        .arg(&file)
        .arg(receiver.endpoint())
        .output();
    assert_eq!(event(&output.unwrap(), "done")["protocol"], "form");
}

#[test]
fn what_a_protocol_does_not_have_is_not_asked_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 100);
    let secret = dir.path().join("secret");
    fs::write(&secret, "geheim").unwrap();
    let secret = secret.to_str().unwrap();
    let server = server();
    for protocol in ["tus", "ietf", "dav", "session"] {
        for arguments in [["--digest", "sha256"], ["--sign-secret-file", secret]] {
            let output = put()
                .args(["--protocol", protocol])
                .args(arguments)
                .arg(&file)
                .arg(server.endpoint())
                .output()
                .unwrap();
            let text = stderr_text(&output);
            assert_eq!(exit_and_last_line(&output).0, 2, "{text}");
            assert!(text.contains(arguments[0]), "{text}");
            assert!(text.contains(&format!("--protocol {protocol}")), "{text}");
        }
    }
    assert_eq!(server.requests().len(), 0);
}
