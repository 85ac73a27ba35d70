//! Dialects of forms on the command line.

mod common;

use std::fs;
use std::process::Output;

use common::{exit_and_last_line, make_file, put, stderr_text};
use resup_test_support::scripted::{reply, Read, ScriptedServer, Step};

fn server(body: &str) -> ScriptedServer {
    ScriptedServer::start(vec![Step::new().read(Read::All).write(reply(200, body))])
}

/// Uploads a small file; gives what the command wrote.
fn run(server: &ScriptedServer, arguments: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f.txt", 100);
    let mut command = put();
    command.env("XDG_STATE_HOME", dir.path()).args(arguments);
    command
        .args(["--retries", "0"])
        .arg(file)
        .arg(server.endpoint());
    command.output().unwrap()
}

#[test]
fn a_plain_form_is_sent_with_its_file_in_the_field_that_was_named() {
    for (arguments, field) in [
        (&["--dialect", "plain"][..], "file"),
        (&["--file-field", "photo"], "photo"),
        (&["--success", "200"], "file"),
        (
            &[
                "--dialect",
                "plain",
                "--file-field",
                "photo",
                "--field",
                "a=b",
            ],
            "photo",
        ),
    ] {
        let server = server("{}");
        let output = run(&server, &[arguments, &["-v"]].concat());
        let text = stderr_text(&output);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("from 0 of 100 bytes on, by plain"), "{text}");
        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        let body = requests[0].body_text();
        let part = format!("name=\"{field}\"; filename=\"f.txt\"");
        assert!(body.contains(&part), "{body}");
        assert_eq!(
            body.contains("name=\"a\"\r\n\r\nb\r\n"),
            arguments.contains(&"a=b")
        );
    }
}

#[test]
fn what_success_is_can_be_said() {
    let expression = "200 and json:/ok=true";
    let output = run(&server(r#"{"ok": true}"#), &["--success", expression]);
    assert!(output.status.success(), "{}", stderr_text(&output));
    let output = run(&server(r#"{"ok": false}"#), &["--success", expression]);
    let (exit, line) = exit_and_last_line(&output);
    assert_eq!(exit, 6, "{line}");
    assert!(line.contains("success needs json:/ok=true"), "{line}");
}

#[test]
fn a_dialect_may_be_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.json");
    let text = r#"{"chunk_size": 40, "fields": {"n": "{index}"}, "repeat": "chunk"}"#;
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let server = server("{}");
    let output = run(&server, &["--dialect", path, "--file-field", "part"]);
    assert!(output.status.success(), "{}", stderr_text(&output));
    let bodies: Vec<_> = server.requests().iter().map(|it| it.body_text()).collect();
    assert_eq!(bodies.len(), 3);
    for (index, body) in bodies.iter().enumerate() {
        assert!(
            body.contains(&format!("name=\"n\"\r\n\r\n{index}\r\n")),
            "{body}"
        );
        assert!(body.contains("name=\"part\"; filename"), "{body}");
    }
}

#[test]
fn a_dialect_that_is_none_is_a_mistake_of_the_command_line() {
    let server = server("{}");
    for (arguments, part) in [
        (&["--dialect", "tus"][..], "dialect \"tus\" is not known"),
        (
            &["--dialect", "no/such.json"],
            "\"no/such.json\" cannot be read",
        ),
        (
            &["--success", "fine"],
            "has \"fine\" for the key \"success\"",
        ),
        (
            &["--dialect", "plain", "--protocol", "tus"],
            "cannot be used with",
        ),
        (
            &["--dialect", "plain", "--digest", "md5"],
            "a dialect (--dialect)",
        ),
    ] {
        let output = run(&server, arguments);
        let text = stderr_text(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(server.requests().len(), 0);
}
