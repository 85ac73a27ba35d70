//! The exit codes, and the last line of the output.

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::process::Output;

use common::{
    events, exit_and_last_line, make_file, of_kind, put, put_on_terminal, resup, stderr_text,
    wait_for,
};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::hole::Hole;
use resup_test_support::model::ModelReceiver;
use resup_test_support::scripted::{json, reply, End, Read, ScriptedServer, Step};

fn put_without_retries(file: &Path, endpoint: &str, more: &[&str]) -> Output {
    put()
        .args(["--retries", "0"])
        .arg(file)
        .arg(endpoint)
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn a_digest_that_the_server_does_not_use_is_a_refusal() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    for (digest, code) in [("blake3", 6), ("md5", 0)] {
        let server = ScriptedServer::start_with(|head, _| {
            let held = if head.boundary().is_some() {
                "complete"
            } else {
                "new"
            };
            let offset = if held == "new" { 0 } else { 10 };
            Step::reply(200, &json(held, offset, "k"))
        });
        let more = ["--digest", digest, "--connections", "2", "--json"];
        let output = put_without_retries(&file, &server.endpoint(), &more);
        assert_eq!(output.status.code(), Some(code), "{digest}");
        let text = String::from_utf8(output.stdout).unwrap();
        let told = match code {
            0 => r#""digest_algorithm":"md5""#,
            _ => "the digest BLAKE3 was asked for",
        };
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn a_wrong_command_line_sends_nothing() {
    let server = ScriptedServer::start(vec![Step::reply(500, "{}")]);
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    let other = dir.path().join("d");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("f"), "f").unwrap();
    let (file, dir, url) = (
        file.to_str().unwrap(),
        other.to_str().unwrap(),
        server.endpoint(),
    );
    let twin = format!("{dir}/f");
    for (args, words) in [
        (&[][..], "required"),
        (&[file], "must be a URL such as https://"),
        (&[&url], "there is no FILE before the URL"),
        (
            &[file, "ftp://example.org/"],
            "its scheme is not http or https",
        ),
        (&[file, dir, &url], "is a directory; add --recursive"),
        (&[file, &twin, &url], "would both be \"f\" on the server"),
        (
            &[file, &twin, "--name", "x", &url],
            "--name is for a single file",
        ),
        (&[file, "--name", "a/b", &url], "contains / or NUL"),
        (&[file, "--field", "a", &url], "write it as NAME=VALUE"),
        (&[file, "--field", "=1", &url], "field name"),
        (&[file, "--content-type", "text", &url], "type/subtype"),
        (&[file, "--rate", "fast", &url], "not a size"),
        (&[file, "--segment", "0", &url], "or as auto"),
        (&[file, "--connections", "7", &url], "7 is not in 1..=6"),
        (
            &[file, "--digest", "crc32", &url],
            "blake3, sha256, md5, none]",
        ),
        (
            &[file, "--digest", "none", "--digest-first", &url],
            "leave one of them out",
        ),
        (
            &[file, "--stall-timeout", "0", &url],
            "stall timeout must be more than 0",
        ),
        (
            &[file, "--retry-timeout", "soon", &url],
            "not a time; write it as",
        ),
        (&[file, "-qv", &url], "cannot be used with"),
        (&[file, "--cookie", "hunter2", &url], "NAME=VALUE"),
        (&[file, "--header", "hunter2", &url], "NAME: VALUE"),
    ] {
        let output = put().args(args).output().unwrap();
        let text = stderr_text(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(
            text.starts_with("error: ") && text.contains(words),
            "{args:?}: {text}"
        );
        assert!(!text.contains("hunter2"), "{text}"); // It may be a secret.
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_file_that_cannot_be_read_is_reported_before_anything_is_sent() {
    let server = ScriptedServer::start(vec![Step::reply(500, "{}")]);
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "there", 10);
    for (missing, words) in [
        ("gone", "gone\" does not exist"),
        ("/dev/null", "not a regular file"),
    ] {
        let missing = dir.path().join(missing);
        let output = put()
            .arg(&file)
            .arg(missing)
            .arg(server.endpoint())
            .output()
            .unwrap();
        let (code, last) = exit_and_last_line(&output);
        assert_eq!(code, 3);
        assert!(
            last.starts_with("resup: ") && last.contains(words),
            "{last}"
        );
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_file_that_changes_during_its_upload_ends_with_3() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "changing", 8 << 20);
    let slow = |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(8 << 20),
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(receiver.addr(), slow, 0);
    let child = put()
        .arg(&file)
        .arg(receiver.endpoint_at(proxy.addr()))
        .spawn()
        .unwrap();
    wait_for("a part of the file", || proxy.bytes_up() > 1 << 20);
    File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(9)
        .unwrap();
    let (code, last) = exit_and_last_line(&child.wait_with_output().unwrap());
    assert_eq!(code, 3, "{last}");
    assert!(
        last.contains("changed while it was being uploaded"),
        "{last}"
    );
}

#[test]
fn network_failures_end_with_4() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    let hole = Hole::new();
    let silent = ScriptedServer::start(vec![Step::new().read(Read::All).end(End::HoldOpen)]);
    let resetting = ScriptedServer::start(vec![Step::new().end(End::Reset)]);
    let unknown_ca = ScriptedServer::start_tls(vec![Step::reply(500, "{}")]);
    for (endpoint, more, words) in [
        (
            format!("http://{}/", hole.addr()),
            &["--connect-timeout", "0.2"][..],
            "took too long",
        ),
        (
            silent.endpoint(),
            &["--response-timeout", "0.2"],
            "took too long",
        ),
        (resetting.endpoint(), &[], "was lost: "),
        (unknown_ca.endpoint(), &[], "TLS with 127.0.0.1"),
    ] {
        let (code, last) = exit_and_last_line(&put_without_retries(&file, &endpoint, more));
        assert_eq!(code, 4, "{last}");
        assert!(
            last.starts_with(&format!("resup: {}: ", file.display())),
            "{last}"
        );
        assert!(last.contains(words), "{last}");
    }
}

#[test]
fn refusals_end_with_their_status_and_the_servers_message() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "报告.bin", 10);
    // The message reaches the terminal without its escape code.
    for (status, code) in [(401, 5), (403, 5), (404, 6), (413, 6), (503, 6), (507, 6)] {
        let server = ScriptedServer::start(vec![Step::reply(
            status,
            r#"{"message":"请先\u001b[1m登录"}"#,
        )]);
        let output = put_without_retries(&file, &server.endpoint(), &["-q"]);
        let expected = format!(
            "resup: {}: the server refused with HTTP status {status}: 请先[1m登录",
            file.display()
        );
        assert_eq!(exit_and_last_line(&output), (code, expected));
        assert_eq!(stderr_text(&output).lines().count(), 1);
        let (json_code, events) = events([
            "--retries=0".as_ref(),
            file.as_os_str(),
            server.endpoint().as_ref(),
        ]);
        let failed = of_kind(&events, "failed")[0];
        assert_eq!(
            (json_code, failed["http_status"].as_u64()),
            (code, Some(status.into()))
        );
        assert_eq!(failed["server_message"], "请先[1m登录");
        assert_eq!(
            failed["kind"],
            if code == 5 { "not-allowed" } else { "refused" }
        );
    }
}

#[test]
fn a_login_at_a_wrong_url_ends_with_5() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    for (status, expected) in [(404, 5), (405, 5), (401, 5), (503, 6)] {
        let server = ScriptedServer::start(vec![Step::reply(status, "{}")]);
        let login = format!("http://{}/nowhere", server.addr());
        let more = ["--login", &login, "--login-field", "user=joe"];
        let (code, last) =
            exit_and_last_line(&put_without_retries(&file, &server.endpoint(), &more));
        assert_eq!(code, expected, "{last}");
        assert!(last.contains("/nowhere failed: "), "{last}");
    }
}

#[test]
fn responses_of_other_protocols_end_with_7() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    let html = reply(200, "<html>Welcome</html>");
    for answer in [
        html,
        reply(200, r#"{"state":"partial","offset":11,"id":"1"}"#),
    ] {
        let server = ScriptedServer::start(vec![Step::new().read(Read::All).write(answer)]);
        let (code, last) = exit_and_last_line(&put_without_retries(&file, &server.endpoint(), &[]));
        assert_eq!(code, 7, "{last}");
    }
}

#[test]
fn a_web_page_is_retryable_only_after_a_response_of_the_protocol() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    let page = Step::new()
        .read(Read::All)
        .write(reply(200, "<html>Welcome</html>"));
    let partial = Step::reply(200, &json("partial", 0, "a"));
    for (steps, retryable) in [
        (vec![page.clone()], false),
        (vec![partial, page.clone()], true),
    ] {
        for retries in ["0", "1"] {
            let server = ScriptedServer::start(steps.clone());
            let (code, events) = events([
                "--retries".as_ref(),
                retries.as_ref(),
                "--retry-max-wait=0.05".as_ref(),
                file.as_os_str(),
                server.endpoint().as_ref(),
            ]);
            assert_eq!(code, 7, "{events:?}");
            let failed = of_kind(&events, "failed");
            assert_eq!(failed.len(), 1, "{events:?}");
            assert_eq!(failed[0]["kind"], "answer");
            assert_eq!(failed[0]["retryable"], retryable, "{events:?}");
            let summary = of_kind(&events, "summary")[0];
            assert_eq!(summary["exit_code"], 7);
        }
    }
}

#[test]
fn the_first_failure_on_the_command_line_gives_the_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|name| make_file(&dir, name, 10))
        .collect();
    let statuses = [500_u16, 403, 507];
    let server = ScriptedServer::start_with(move |_, n| match n {
        0 => Step::reply(200, r#"{"state":"complete","offset":10,"id":"1"}"#),
        n => Step::reply(statuses[n as usize], r#"{"message":"no"}"#),
    });
    let output = put()
        .args(["--retries", "0"])
        .args(&files)
        .arg(server.endpoint())
        .output()
        .unwrap();
    let expected = format!(
        "resup: 2 of 3 files failed; the first is {}: the server refused with HTTP status 403: no",
        files[1].display()
    );
    assert_eq!(exit_and_last_line(&output), (5, expected));
}

#[test]
fn other_failures_end_with_1() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = resup().arg("man").stdout(full).output().unwrap();
    let (code, last) = exit_and_last_line(&output);
    assert_eq!(code, 1);
    assert!(last.starts_with("resup: standard output: "), "{last}");

    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    let server = ScriptedServer::start(vec![Step::reply(500, "{}")]);
    let words = format!("--basic anna '{}' {}", file.display(), server.endpoint());
    let Some(mut terminal) = put_on_terminal(&words) else {
        return;
    };
    terminal.wait_for("password of anna: ");
    terminal.type_keys(b"\x04"); // the end of the input
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(1), "{screen}");
    assert!(
        screen.contains("no password of anna from the terminal"),
        "{screen}"
    );
    assert_eq!(server.connections(), 0);
}
