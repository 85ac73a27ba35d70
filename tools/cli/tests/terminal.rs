//! Bars on a terminal, plain lines in a pipe.

mod common;

use std::path::Path;

use common::{
    assert_resumes, events, exit_and_last_line, make_file, of_kind, put, put_on_terminal,
    stderr_text,
};
use resup_digests::{Algorithm, Digest};
use resup_test_support::model::ModelReceiver;
use resup_test_support::receiver::Receiver;
use resup_test_support::scripted::{ScriptedServer, Step};

fn words(paths: &[&Path], endpoint: &str) -> String {
    let quoted = paths.iter().map(|path| format!("'{}' ", path.display()));
    quoted.collect::<String>() + endpoint
}

#[test]
fn ctrl_c_on_bars_ends_with_130_and_the_next_run_continues() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let small = make_file(&dir, "小.bin", 1000);
    let large = make_file(&dir, "large.bin", 8 << 20);
    let words = words(&[&small, &large], &receiver.endpoint());
    let Some(mut terminal) = put_on_terminal(&format!("--rate 2M {words}")) else {
        return;
    };
    for seen in [
        "小.bin: done, 1.00 kB",
        "of 8.39 MB",
        "MB/s, ",
        "s left",
        "=",
        "1 of 2 files ended",
    ] {
        terminal.wait_for(seen);
    }
    terminal.type_keys(b"\x03");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(130), "{screen}");
    assert!(
        screen.contains("resup: interrupted; 1 of 2 files complete."),
        "{screen}"
    );
    assert!(
        screen.ends_with("run the same command again to continue\r\n"),
        "{screen}"
    );
    assert_resumes(&large, &receiver.endpoint());
}

#[test]
fn a_wait_counts_down_on_the_bar() {
    let server = ScriptedServer::start(vec![Step::reply(503, r#"{"message":"busy"}"#)]);
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    let words = words(&[&file], &server.endpoint());
    let Some(mut terminal) = put_on_terminal(&format!("--retry-max-wait 20 {words}")) else {
        return;
    };
    terminal.wait_for("waiting ");
    terminal.type_keys(b"\x03\x03");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(130), "{screen}");
    // The log tells why, and so does the line itself.
    let reason = " s: the server refused with HTTP status 503";
    let waits = screen.lines().filter(|line| line.contains("waiting "));
    assert!(waits.clone().any(|line| line.contains(reason)), "{screen}");
    assert!(screen.contains("HTTP status 503: busy"), "{screen}");
}

#[test]
fn a_pipe_gets_lines_without_escape_codes() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let files = [make_file(&dir, "a", 1000), make_file(&dir, "b", 2_000_000)];
    let output = put()
        .args(&files)
        .arg("-vv")
        .arg(receiver.endpoint())
        .output()
        .unwrap();
    let text = stderr_text(&output);
    assert!(!text.contains(['\x1b', '\r']), "{text}");
    for file in &files {
        assert!(
            text.contains(&format!("{}: done, ", file.display())),
            "{text}"
        );
    }
    assert!(
        text.contains("from 0 of 1000"),
        "the log is missing: {text}"
    );
    assert_eq!(exit_and_last_line(&output).0, 0);
    let (_, last) = exit_and_last_line(&output);
    assert!(
        last.starts_with("2 files complete, 2.00 MB sent in "),
        "{last}"
    );
    let output = put()
        .args(&files)
        .arg("-q")
        .arg(receiver.endpoint())
        .output()
        .unwrap();
    assert_eq!(stderr_text(&output), "");
}

#[test]
fn json_has_the_events_of_every_file() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let files = [make_file(&dir, "一", 0), make_file(&dir, "二", 1_000_000)];
    let endpoint = receiver.endpoint();
    let args = files.iter().map(|file| file.as_os_str());
    let (code, events) = events(args.chain(["--rate=2M".as_ref(), endpoint.as_ref()]));
    assert_eq!(code, 0);
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(kinds[0], "start");
    assert_eq!(kinds[kinds.len() - 1], "summary");
    assert!(kinds.contains(&"progress"), "{kinds:?}");
    let states = of_kind(&events, "state");
    for state in ["locating", "sending", "complete"] {
        assert!(
            states.iter().any(|event| event["state"] == state),
            "{state}"
        );
    }
    assert!(states.iter().all(|event| event["error"].is_null()));
    let summary = of_kind(&events, "summary")[0];
    assert_eq!(
        (summary["files"].as_u64(), summary["done"].as_u64()),
        (Some(2), Some(2))
    );
    assert_eq!(summary["bytes_sent"], 1_000_000);
    for (file, done) in files.iter().zip(of_kind(&events, "done")) {
        assert_eq!(done["file"].as_str(), file.to_str());
        let algorithm = done["digest_algorithm"].as_str().unwrap();
        let algorithm = Algorithm::of_name(algorithm).unwrap();
        let digest = Digest::of(algorithm, &std::fs::read(file).unwrap());
        assert_eq!(done["digest"].as_str(), Some(&*digest.hex()));
    }
}

#[test]
fn json_tells_why_an_upload_waits() {
    let server = ScriptedServer::start(vec![Step::reply(503, r#"{"message":"busy"}"#)]);
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    let endpoint = server.endpoint();
    let options = ["--retries=1", "--retry-max-wait=0.5"].map(AsRef::as_ref);
    let (code, events) = events(
        options
            .into_iter()
            .chain([file.as_os_str(), endpoint.as_ref()]),
    );
    assert_eq!(code, 6);
    let states = of_kind(&events, "state");
    let waiting = states.iter().find(|event| event["state"] == "waiting");
    let told = &waiting.unwrap()["error"];
    assert_eq!(told, "the server refused with HTTP status 503: busy");
}
