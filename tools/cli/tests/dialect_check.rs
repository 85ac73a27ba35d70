//! `resup dialect check`: what it tells of a dialect and a server that fit each other, and of those that do not.

mod common;
#[path = "dialect_check/server.rs"]
mod server;
#[path = "dialect_check/wrong_keys.rs"]
mod wrong_keys;
#[path = "dialect_check/wrong_questions.rs"]
mod wrong_questions;

use std::fs;

use common::{of_kind, resup, stderr_text};
use resup_test_support::scripted::{End, Read, ScriptedServer, Step};
use serde_json::Value;
use server::{Answers, Server};

/// Runs the check of a dialect; gives its exit code and its events.
fn check(dialect: &str, url: &str, arguments: &[&str]) -> (i32, Vec<Value>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.json");
    let name = match dialect.starts_with('{') {
        true => {
            fs::write(&path, dialect).unwrap();
            path.to_str().unwrap()
        }
        false => dialect,
    };
    let mut command = resup();
    command.args(["dialect", "check", "--json"]).args(arguments);
    let output = command.args([name, url]).output().unwrap();
    assert_eq!(stderr_text(&output), "");
    let text = String::from_utf8(output.stdout).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (output.status.code().unwrap(), events.collect())
}

const ASKED: &str = r#"{"chunk_size": 1000, "repeat": "chunk", "fields": {"id": "{identifier}", "n": "{number}"},
    "success": "200 and json:/ok=true", "test": {"has": "200", "send": "404"}}"#;

#[test]
fn a_dialect_that_fits_is_interrupted_and_goes_on() {
    let server = Server::start(Answers::default());
    let (exit, events) = check(ASKED, &server.url(), &[]);
    assert_eq!(exit, 0, "{events:#?}");
    assert!(of_kind(&events, "finding").is_empty(), "{events:#?}");
    let plan = &events[0];
    assert_eq!(plan["event"], "plan");
    assert_eq!((&plan["size"], &plan["chunks"]), (&2500.into(), &3.into()));
    let name = plan["name"].as_str().unwrap();
    assert!(
        name.starts_with("resup-dialect-check-") && name.ends_with(".bin"),
        "{name}"
    );
    let requests: Vec<_> = of_kind(&events, "request")
        .into_iter()
        .map(|it| format!("{} {}", it["purpose"].as_str().unwrap(), it["chunk"]))
        .collect();
    assert_eq!(
        requests,
        [
            "test 1",
            "send 1",
            "send 2", // The upload, until one chunk is left.
            "test 1",
            "test 2",
            "test 3",
            "send 3", // Another process.
            "test 1",
            "test 2",
            "test 3",
            "test-stranger 1",
        ]
    );
    let sent = &of_kind(&events, "request")[1];
    assert_eq!(sent["method"], "POST");
    assert_eq!(sent["fields"][1], serde_json::json!(["n", "1"]));
    assert_eq!(sent["verdicts"][1]["rule"], "json:/ok=true");
    assert_eq!(sent["verdicts"][1]["is_met"], true);
    let notes: Vec<_> = of_kind(&events, "note")
        .iter()
        .map(|it| it["text"].to_string())
        .collect();
    assert!(
        notes[0].contains("the upload went on at byte 2000"),
        "{notes:?}"
    );
    assert!(
        notes[1].contains("does not have what nobody has sent"),
        "{notes:?}"
    );
    let summary = events.last().unwrap();
    assert_eq!(
        (&summary["event"], &summary["exit_code"]),
        (&"summary".into(), &0.into())
    );
    assert_eq!(summary["left"], name);
    // Nothing stays here.
    let file = plan["file"].as_str().unwrap();
    assert!(
        !fs::exists(file).unwrap()
            && !fs::exists(std::path::Path::new(file).parent().unwrap()).unwrap()
    );
}

#[test]
fn every_preset_can_be_checked_by_its_name_and_from_a_file() {
    for preset in resup::dialect::presets() {
        let requests = |dialect: &str| {
            let server = Server::start(Answers {
                sent: Step::reply(200, r#"{"success": true, "files": [{"name": "f.bin"}]}"#),
                missing: 204,
                state: (preset.name == "jquery-file-upload").then_some(r#"{"file": {"size": N}}"#),
                ..Answers::default()
            });
            let arguments: &[&str] = match preset.name {
                "plain" => &[],
                _ => &["--chunk-size", "1k"],
            };
            let (exit, events) = check(dialect, &server.url(), arguments);
            assert_eq!(exit, 0, "{}: {events:#?}", preset.name);
            of_kind(&events, "request").len()
        };
        let count = requests(preset.name);
        assert!(
            count >= if preset.name == "plain" { 1 } else { 2 },
            "{}",
            preset.name
        );
        assert_eq!(count, requests(preset.text), "{}", preset.name);
    }
}

#[test]
fn a_file_of_the_user_is_sent_and_kept() {
    let server = Server::start(Answers::default());
    let dir = tempfile::tempdir().unwrap();
    let path = common::make_file(&dir, "mine.bin", 700);
    let (exit, events) = check(ASKED, &server.url(), &["--file", path.to_str().unwrap()]);
    assert_eq!(exit, 0, "{events:#?}");
    assert_eq!(
        (&events[0]["size"], &events[0]["chunks"]),
        (&700.into(), &1.into())
    );
    assert_eq!(events.last().unwrap()["left"], "mine.bin");
    assert!(path.exists());
    let missing = dir.path().join("none.bin");
    let mut command = resup();
    command
        .args(["dialect", "check", "plain", &server.url(), "--file"])
        .arg(missing);
    assert_eq!(command.output().unwrap().status.code(), Some(3));
}

#[test]
fn secrets_are_not_told() {
    let dialect = ASKED.replace(
        r#""fields": {"#,
        r#""headers": {"X-Auth-Key": "s3cret-1"}, "fields": {"csrf_token": "s3cret-2", "#,
    );
    let dir = tempfile::tempdir().unwrap();
    let (path, token) = (dir.path().join("d.json"), dir.path().join("token"));
    fs::write(&path, dialect).unwrap();
    fs::write(&token, "s3cret-3").unwrap();
    for json in [&["--json"][..], &[]] {
        let server = Server::start(Answers::default());
        let url = format!("{}?access_token=s3cret-4", server.url());
        let mut command = resup();
        command
            .args(["dialect", "check", "--field", "password=s3cret-5"])
            .args(json);
        command.arg("--token-file").arg(&token).arg(&path).arg(&url);
        let output = command.output().unwrap();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            stderr_text(&output)
        );
        assert_eq!(output.status.code(), Some(0), "{text}");
        for number in [1, 2, 3, 4, 5] {
            assert!(!text.contains(&format!("s3cret-{number}")), "{text}");
        }
        assert!(text.contains("csrf_token"), "{text}");
        let bearer = Some("Bearer s3cret-3");
        let sent = server.requests();
        assert!(sent
            .iter()
            .all(|it| it.head.header("authorization") == bearer));
    }
}

#[test]
fn people_read_each_step_and_what_is_wrong() {
    let server = Server::start(Answers {
        sent: Step::reply(200, r#"{"success": true}"#),
        ..Answers::default()
    });
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.json");
    fs::write(&path, ASKED).unwrap();
    let mut command = resup();
    command
        .args(["dialect", "check"])
        .arg(&path)
        .arg(server.url());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(6), "{text}");
    for line in [
        "2500 bytes in 3 chunks of 1000 bytes, with an interruption after the second. The file stays on the server.",
        "1. Does the server have chunk 1 of 3?",
        "   test.has: 200 - not met (404)",
        "   test.send: 404 - met (404)",
        "2. Chunk 1 of 3",
        "   file in the field \"file\": 1000 bytes from 0 on",
        "   -> 200, content-type=application/json",
        "      {\"success\": true}",
        "   success: 200 - met (200)",
        "   success: json:/ok=true - not met (nothing there)",
        "   WRONG: success: json:/ok=true is not met: the body has nothing at /ok",
        "   TRY: \"success\": \"200 and json:/success=true\"",
        "The dialect and the server do not fit: see success.",
        " now: delete it there.",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
}

#[test]
fn a_servers_text_makes_no_lines_and_controls_no_terminal() {
    let no = "\nThe dialect and the server fit each other: 1 requests.\n\u{1b}[2J\u{9b}2J\u{202e}";
    let body = serde_json::json!({"ok": false, "error": no.repeat(500), "at": no});
    let server = Server::start(Answers {
        sent: Step::reply(200, &body.to_string()),
        ..Answers::default()
    });
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.json");
    for success in ["200 and json:/ok=true", "200", "json:/ok and text:a"] {
        let dialect =
            serde_json::json!({"success": success, "message": "/error", "location": "/at"});
        fs::write(&path, dialect.to_string()).unwrap();
        let mut command = resup();
        command
            .args(["dialect", "check"])
            .arg(&path)
            .arg(server.url());
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(matches!(output.status.code(), Some(6 | 7)), "{text}");
        assert!(
            !text
                .lines()
                .any(|it| it.starts_with("The dialect and the server fit")),
            "{text}"
        );
        assert!(text.lines().all(|it| it.chars().count() < 5000), "{text}");
        let is_bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(is_bad), "{text:?}");
    }
}

#[test]
fn a_file_whose_answer_was_lost_may_be_on_the_server() {
    let server = ScriptedServer::start(vec![Step::new().read(Read::All).end(End::Close)]);
    let (exit, events) = check("plain", &server.endpoint(), &[]);
    assert_eq!(exit, 4, "{events:#?}");
    let summary = events.last().unwrap();
    assert_eq!(summary["left"], events[0]["name"], "{summary}");
}

#[test]
fn a_mistake_of_the_command_line_sends_nothing() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.json");
    let own = path.to_str().unwrap();
    for (text, arguments, part) in [
        (
            r#"{"success": "fine"}"#,
            &[][..],
            "has \"fine\" for the key \"success\"",
        ),
        (
            r#"{"chunk_size": "1M"}"#,
            &[],
            "has \"1M\" for the key \"chunk_size\"",
        ),
        (r#"{"base": "plain""#, &[], "is not a JSON object"),
        ("{}", &["--chunk-size", "1k"], "has no \"chunk_size\""),
        (
            "{}",
            &["-d", "a/b"],
            "directory is set, and no text of the dialect",
        ),
        (r#"{"chunk_size": 1099511627776}"#, &[], "give --chunk-size"),
        (
            r#"{"chunk_size": 9, "done": {"url": "http://other/"}}"#,
            &[],
            "no address at the client's server",
        ),
    ] {
        fs::write(&path, text).unwrap();
        let mut command = resup();
        command
            .args(["dialect", "check", own, &server.endpoint()])
            .args(arguments);
        let output = command.output().unwrap();
        let told = stderr_text(&output);
        assert_eq!(output.status.code(), Some(2), "{text}: {told}");
        assert!(
            told.contains(part) && told.contains("resup dialect check"),
            "{text}: {told}"
        );
    }
    let output = resup()
        .args(["dialect", "check", "tus", &server.endpoint()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_text(&output).contains("\"tus\" is not known"));
    assert!(server.requests().is_empty());
}

#[test]
fn a_server_that_is_not_there_is_the_networks_failure() {
    let server = Server::start(Answers::default());
    let url = server.url();
    drop(server);
    let (exit, events) = check(ASKED, &url, &[]);
    assert_eq!(exit, 4, "{events:#?}");
    assert!(of_kind(&events, "finding").is_empty());
    assert_eq!(events.last().unwrap()["left"], Value::Null);
}
