//! Signals that end the command.

mod common;

use std::time::Duration;

use common::{assert_resumes, exit_and_last_line, make_file, put, stderr_text, wait_for};
use resup_test_support::model::ModelReceiver;
use resup_test_support::scripted::{End, ScriptedServer, Step};
use resup_test_support::tools;

#[test]
fn a_signal_ends_the_command_and_the_next_run_continues() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 4 << 20);
    for (name, code, word) in [("INT", 130, "interrupted"), ("TERM", 143, "terminated")] {
        let receiver = ModelReceiver::start();
        let child = put()
            .args(["--rate", "1M"])
            .arg(&file)
            .arg(receiver.endpoint())
            .spawn()
            .unwrap();
        wait_for("a part of the file", || receiver.held("f") > Some(0));
        tools::signal(child.id(), name);
        let (exit_code, last) = exit_and_last_line(&child.wait_with_output().unwrap());
        assert_eq!(exit_code, code);
        assert!(
            last.contains(&format!("{word}; 0 of 1 file complete")),
            "{last}"
        );
        assert!(
            last.contains("run the same command again to continue"),
            "{last}"
        );
        assert_resumes(&file, &receiver.endpoint());
    }
}

#[test]
fn a_signal_before_an_answer_does_not_say_that_the_server_has_something() {
    let dir = tempfile::tempdir().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let child = put()
        .arg(make_file(&dir, "f", 10))
        .arg(format!("http://{}/upload", silent.local_addr().unwrap()))
        .spawn()
        .unwrap();
    let _connection = silent.accept().unwrap();
    tools::signal(child.id(), "INT");
    let (_, last) = exit_and_last_line(&child.wait_with_output().unwrap());
    assert_eq!(
        last,
        "resup: interrupted; 0 of 1 file complete. The server has not answered: run the same command again when it does"
    );
}

#[test]
fn a_second_signal_ends_the_command_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    let server = ScriptedServer::start(vec![Step::new().end(End::HoldOpen)]);
    let child = put().arg(&file).arg(server.endpoint()).spawn().unwrap();
    assert!(server.wait_for(1, Duration::from_secs(30)));
    // Both are there before the program can act on one; the system chooses which comes first.
    for name in ["STOP", "INT", "TERM", "CONT"] {
        tools::signal(child.id(), name);
    }
    let output = child.wait_with_output().unwrap();
    assert!(matches!(output.status.code(), Some(130 | 143)));
    assert!(
        !stderr_text(&output).contains("again"),
        "{}",
        stderr_text(&output)
    );
}
