//! What a hook may be: a program, or a server with TLS, and what it may not be.

#![cfg(unix)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::accounts::admin_fails;
use common::hook::{by_form, free_port, metric, wait_until};
use common::{program, Receiver, Upload};
use resup_test_support::scripted::{ScriptedServer, Step};
use serde_json::Value;

#[test]
fn a_program_is_told_on_its_standard_input_until_it_takes_the_message() {
    let dir = tempfile::tempdir().unwrap();
    let path = script(
        dir.path(),
        "hook",
        "cat >> \"$0.lines\"; echo >> \"$0.lines\"\n\
         test -n \"$RESUP_FILES\" || exit 3\n\
         test -z \"$RESUP_RECEIVER_HOOK_TIMEOUT\" || exit 4\n\
         head -c 300000 /dev/zero || exit 6\n\
         cp \"$RESUP_FILES/$(sed -n 's/.*\"place\":\"\\([^\"]*\\)\".*/\\1/p' \"$0.lines\" | tail -n 1)\" \"$0.copy\" || exit 5\n\
         test \"$(wc -l < \"$0.lines\")\" -ge 2 || { echo not yet >&2; exit 1; }\n",
    );
    let data = tempfile::tempdir().unwrap();
    let flags = ["--hook-after", path.to_str().unwrap()];
    let receiver = Receiver::start_changed(data, &flags, |command| {
        command.env("RESUP_RECEIVER_HOOK_TIMEOUT", "10");
    });
    let file = Upload::new("a b", 1000);
    by_form(&receiver, &file);
    let lines = || {
        let text = fs::read_to_string(dir.path().join("hook.lines")).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<Value>>()
    };
    wait_until("the second run", || lines().len() == 2);
    assert_eq!(lines()[0], lines()[1]);
    assert_eq!(lines()[0]["data"]["name"], "a b");
    wait_until("the copy", || {
        fs::read(dir.path().join("hook.copy")).is_ok_and(|copy| copy == file.content)
    });
    by_form(&receiver, &Upload::new("c", 1000));
    wait_until("the next one", || lines().len() == 3);
}

/// Writes a program. Returns its path.
fn script(dir: &Path, name: &str, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_hook_by_https_needs_a_certificate_that_the_system_trusts() {
    for is_trusted in [true, false] {
        let server = ScriptedServer::start_tls(vec![Step::reply(200, "{}")]);
        let data = tempfile::tempdir().unwrap();
        let authorities = tempfile::tempdir().unwrap();
        let other = resup_test_support::tls::Authority::new();
        let roots = authorities.path().join("roots.pem");
        let trusted = if is_trusted {
            server.ca_pem()
        } else {
            other.pem()
        };
        fs::write(&roots, trusted).unwrap();
        let url = format!("https://localhost:{}/hook", server.addr().port());
        let metrics = free_port().to_string();
        let flags = ["--hook-after", &url, "--metrics-listen", &metrics];
        let receiver = Receiver::start_changed(data, &flags, move |command| {
            command
                .env("SSL_CERT_FILE", &roots)
                .env_remove("SSL_CERT_DIR");
        });
        by_form(&receiver, &Upload::new("a", 1000));
        let result = if is_trusted { "taken" } else { "failed" };
        let name = format!("resup_hook_deliveries_total{{result=\"{result}\"}}");
        wait_until("an attempt", || metric(&metrics, &name).is_some());
        assert_eq!(server.requests().len(), usize::from(is_trusted));
    }
}

#[test]
fn settings_of_hooks_that_cannot_work_end_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let plain = dir.path().join("plain");
    fs::write(&plain, "whsec_c2hvcnQ=\n").unwrap();
    let plain = plain.display().to_string();
    for (flags, words) in [
        (
            &["--hook-after", "/no/such/program"][..],
            "there is no program /no/such/program",
        ),
        (
            &["--hook-before", &plain],
            "is not a program that this user may run",
        ),
        (
            &["--hook-after", "ftp://example.org/"],
            "http:// or https://",
        ),
        (
            &["--hook-after", "http://joe:x@example.org/"],
            "no password",
        ),
        (
            &[
                "--hook-after",
                "http://127.0.0.1:9/",
                "--hook-secret-file",
                &plain,
            ],
            "openssl rand -base64 32",
        ),
        (
            &[
                "--hook-after",
                "http://127.0.0.1:9/",
                "--hook-secret-file",
                "/no/such/file",
            ],
            "cannot read the hooks' secret /no/such/file",
        ),
    ] {
        let error = admin_fails(&data, &[flags, &["--listen", "127.0.0.1:0"]].concat(), "");
        assert!(error.contains(words), "{flags:?}: {error}");
    }
    let help = program(&data).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(
        help.contains("--hook-before") && help.contains("--hook-secret-file"),
        "{help}"
    );
}
