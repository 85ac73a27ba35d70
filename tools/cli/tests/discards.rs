//! `resup put --discard`.

mod common;

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use common::{exit_and_last_line, make_file, put, wait_for};
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::scripted::{End, Read, ScriptedServer, Step, Tus};
use resup_test_support::tools;

const SIZE: u64 = 200_000;

fn run(endpoint: &str, home: &Path, arguments: &[&str], files: &[&Path]) -> Output {
    put()
        .env("XDG_STATE_HOME", home)
        .args(arguments)
        .args(files)
        .arg(endpoint)
        .output()
        .unwrap()
}

/// Begins an upload, and kills the command once the server has some of it.
fn begin(receiver: &ModelReceiver, file: &Path) {
    let mut child = put()
        .args(["--rate", "100k"])
        .arg(file)
        .arg(receiver.endpoint())
        .spawn()
        .unwrap();
    wait_for("some bytes", || receiver.held("f") > Some(0));
    tools::signal(child.id(), "KILL");
    child.wait().unwrap();
}

#[test]
fn what_a_killed_command_has_sent_is_dropped() {
    let receiver = ModelReceiver::with(Options::newest());
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", SIZE);
    begin(&receiver, &file);
    let output = run(&receiver.endpoint(), dir.path(), &["--discard"], &[&file]);
    let (exit, line) = exit_and_last_line(&output);
    assert_eq!(exit, 0, "{line}");
    assert!(line.ends_with("f: discarded"), "{line}");
    assert_eq!(receiver.held("f"), None);

    let other = make_file(&dir, "g", SIZE);
    let files: [&Path; 2] = [&file, &other];
    let output = run(
        &receiver.endpoint(),
        dir.path(),
        &["--discard", "--json"],
        &files,
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches(r#""event":"discarded""#).count(), 2, "{text}");
    assert!(text.contains(r#""done":2"#), "{text}");
    let output = run(&receiver.endpoint(), dir.path(), &["--discard"], &files);
    let (_, line) = exit_and_last_line(&output);
    assert!(line.starts_with("2 files discarded in "), "{line}");
}

#[test]
fn a_finished_file_stays_and_a_server_may_not_offer_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", SIZE);
    for (options, words) in [
        (Options::newest(), "the upload is finished"),
        (Options::default(), "the server does not offer that"),
    ] {
        let receiver = ModelReceiver::with(options);
        run(&receiver.endpoint(), dir.path(), &[], &[&file]);
        let output = run(&receiver.endpoint(), dir.path(), &["--discard"], &[&file]);
        let (exit, line) = exit_and_last_line(&output);
        assert_eq!(exit, 6, "{line}");
        assert!(line.contains(words), "{line}");
        assert_eq!(receiver.files().len(), 1);
    }
}

#[test]
fn the_commands_own_state_file_tells_the_upload() {
    let mut tus = Tus::default();
    let server = ScriptedServer::start_with(move |head, _| match head.method.as_str() {
        "DELETE" => Step::new()
            .read(Read::All)
            .write("HTTP/1.1 204 No Content\r\nTus-Resumable: 1.0.0\r\n\r\n"),
        "OPTIONS" => Step::new().read(Read::All).write(
            "HTTP/1.1 204 No Content\r\nTus-Resumable: 1.0.0\r\nTus-Version: 1.0.0\r\n\
             Tus-Extension: creation,termination\r\n\r\n",
        ),
        "PATCH" if tus.offset > 0 => Step::new().read(Read::HeadOnly).end(End::HoldOpen),
        _ => tus.step(head),
    });
    let (dir, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = make_file(&dir, "f", SIZE);
    let mut child = put()
        .env("XDG_STATE_HOME", home.path())
        .args(["--segment", "40000"])
        .arg(&file)
        .arg(server.endpoint())
        .spawn()
        .unwrap();
    let patches = || {
        let requests = server.requests();
        let patches = requests.iter().filter(|it| it.head.method == "PATCH");
        patches.count()
    };
    wait_for("the second part", || patches() == 2);
    tools::signal(child.id(), "KILL");
    child.wait().unwrap();
    let states = home.path().join("resup");
    assert_eq!(fs::read_dir(&states).unwrap().count(), 1);
    let output = run(&server.endpoint(), home.path(), &["--discard"], &[&file]);
    let (exit, line) = exit_and_last_line(&output);
    assert_eq!(exit, 0, "{line}");
    assert_eq!(server.requests().pop().unwrap().head.method, "DELETE");
    assert_eq!(fs::read_dir(&states).unwrap().count(), 0);
    // Nothing tells its URL any more.
    let output = run(&server.endpoint(), home.path(), &["--discard"], &[&file]);
    let (exit, line) = exit_and_last_line(&output);
    assert_eq!(exit, 1, "{line}");
    assert!(line.contains("there is nothing to discard"), "{line}");
}

#[test]
fn a_signal_ends_it() {
    let hang = Step::new().read(Read::All).end(End::HoldOpen);
    let server = ScriptedServer::start(vec![hang]);
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", SIZE);
    let mut child = put()
        .arg("--discard")
        .arg(&file)
        .arg(server.endpoint())
        .spawn()
        .unwrap();
    wait_for("the request", || !server.requests().is_empty());
    std::thread::sleep(Duration::from_millis(50));
    tools::signal(child.id(), "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}
