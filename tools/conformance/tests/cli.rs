//! The kit's command line: exit codes, table, filter.

mod common;

use std::net::TcpListener;
use std::process::Output;

use common::{check, everything, kit, JOE_AND_EVE};
use resup_test_support::model::{Flaw, ModelReceiver, Options};

/// Returns the exit code, standard output and standard error.
fn text(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("an exit code");
    (code, text(&output.stdout), text(&output.stderr))
}

/// Runs the kit, and checks that it checks nothing and says why.
fn assert_nothing_checked(arguments: &[&str], why: &str) {
    let (code, _, errors) = text(&kit().args(arguments).output().unwrap());
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains(why), "{errors}");
}

#[test]
fn the_exit_code_is_2_if_nothing_can_be_checked() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/upload", nobody.local_addr().unwrap());
    drop(nobody);
    assert_nothing_checked(&[&url], "no connection to 127.0.0.1");
    assert_nothing_checked(&[], "URL");
    assert_nothing_checked(&["ftp://x/"], "does not begin with http");
    assert_nothing_checked(&[&url, "--filter", "nonsense"], "no check has");
    let login = ["--login", "http://other.invalid/login"];
    assert_nothing_checked(&[&[&*url], &login[..]].concat(), "other.invalid");

    let receiver = ModelReceiver::with(everything());
    let login = receiver.endpoint().replace("/upload", "/login");
    let wrong = ["--login", &login, "--login-field", "user=joe"];
    assert_nothing_checked(
        &[&[&*receiver.endpoint()], &wrong[..]].concat(),
        "the login was refused",
    );
}

#[test]
fn the_table_has_the_verdicts_and_no_secret() {
    let receiver = ModelReceiver::with(everything());
    let mut kit = kit();
    kit.arg(receiver.endpoint()).args(JOE_AND_EVE);
    let (code, table, errors) = text(&kit.args(["--filter", "login"]).output().unwrap());
    assert_eq!((code, &*errors), (0, ""));
    assert!(table.contains("\n  pass           login-needed"), "{table}");
    assert!(
        table.contains("\n  not supported  login-session"),
        "{table}"
    );
    assert!(table.contains("seed: "), "{table}");
    assert!(
        table.ends_with("\n4 passed, 0 failed, 1 not supported\n"),
        "{table}"
    );
    for secret in ["password of joe", "token-of-eve", "geheim"] {
        assert!(!table.contains(secret), "{table}");
    }
}

#[test]
fn a_failure_has_its_rule_and_the_sentence_of_the_document() {
    let receiver = ModelReceiver::with(Options {
        flaw: Some(Flaw::ConflictWithoutOffset),
        ..Options::default()
    });
    let mut kit = kit();
    let filter = [&*receiver.endpoint(), "--filter", "conflict-offset-zero"];
    let (code, table, _) = text(&kit.args(filter).output().unwrap());
    assert_eq!(code, 1, "{table}");
    for line in [
        "  must hold: offset 0 without restart is an offset like any other: 409 where bytes are held\n",
        "  docs/PROTOCOL.md: \"Without the field an `offset` of `0` is an offset like any other.\"\n",
    ] {
        assert!(table.contains(line), "{table}");
    }
}

#[test]
fn a_filter_chooses_by_name_and_by_section() {
    let receiver = ModelReceiver::start();
    let found = check(&receiver.endpoint(), &["--filter", "identity-m"]);
    let names: Vec<_> = found.checks.keys().collect();
    assert_eq!(
        names,
        ["identity-md5", "identity-md5-first", "identity-mtime"]
    );
    let found = check(&receiver.endpoint(), &["--filter", "Signing"]);
    assert!(found.checks.keys().all(|id| id.starts_with("sign-")));
    assert!(!found.checks.is_empty());
}

#[test]
fn the_document_has_every_check() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONFORMANCE.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (code, list, _) = text(&kit().args(["--list", "--json"]).output().unwrap());
    assert_eq!(code, 0);
    let mut section = String::new();
    let mut documented = Vec::new();
    for line in document.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            section = heading.to_owned();
        } else if let Some(row) = line.strip_prefix("| `").filter(|_| !section.is_empty()) {
            documented.push(format!("{section}: {row}"));
        }
    }
    let mut checks: Vec<String> = list
        .lines()
        .map(|line| {
            let check: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| check[name].as_str().unwrap().to_owned();
            format!(
                "{}: {}` | {} |",
                text("section"),
                text("check"),
                text("holds")
            )
        })
        .collect();
    checks.sort();
    documented.sort();
    assert_eq!(documented, checks);
}
