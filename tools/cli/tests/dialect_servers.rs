//! `resup dialect check` at the sample servers of the widgets that presets are of. `make servers` fetches them.

mod common;

use std::fs;

use common::{of_kind, resup, stderr_text};
use resup_test_support::forms::{FormApp, Kind, CHUNKED};
use serde_json::Value;

/// Runs the check with chunks of 100 000 bytes.
fn check(server: &FormApp, dialect: &str) -> (i32, Vec<Value>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.json");
    let mut command = resup();
    command.args(["dialect", "check", "--json", "--chunk-size", "100k"]);
    match dialect.starts_with('{') {
        true => {
            fs::write(&path, dialect).unwrap();
            command.arg(&path)
        }
        false => command.arg(dialect),
    };
    let output = command
        .arg(server.endpoint_at(server.addr()))
        .output()
        .unwrap();
    assert_eq!(stderr_text(&output), "");
    let text = String::from_utf8(output.stdout).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (output.status.code().unwrap(), events.collect())
}

#[test]
fn every_sample_server_fits_its_preset() {
    for kind in CHUNKED {
        let Some(server) = FormApp::start(kind) else {
            continue;
        };
        let (exit, events) = check(&server, &server.dialect());
        assert_eq!(exit, 0, "{kind:?}: {events:#?}");
        let name = events[0]["name"].as_str().unwrap();
        let stored = server.files();
        assert!(
            stored.iter().any(|it| it.ends_with(name)),
            "{kind:?}: {name} in {stored:?}"
        );
        let has_resumed = of_kind(&events, "note").iter().any(|it| {
            it["text"]
                .as_str()
                .unwrap()
                .contains("the upload went on at byte")
        });
        let is_asked = matches!(kind, Kind::Resumable | Kind::Flow);
        assert_eq!(has_resumed, is_asked, "{kind:?}: {events:#?}");
    }
}

#[test]
fn what_does_not_fit_a_sample_server_is_named() {
    for (kind, dialect, key) in [
        // It wants 204 for a chunk that it does not have.
        (
            Kind::Resumable,
            r#"{"base": "resumable.js", "test": {"has": "200", "send": "403"}}"#,
            "test.send",
        ),
        (
            Kind::Resumable,
            r#"{"base": "resumable.js", "success": "200 and json:/ok"}"#,
            "success",
        ),
        (
            Kind::Resumable,
            r#"{"base": "resumable.js", "method": "PUT"}"#,
            "url",
        ),
        (
            Kind::Flow,
            r#"{"base": "flow.js", "test": {"has": "200-202", "send": "404"}}"#,
            "test.send",
        ),
        (
            Kind::WebUploader,
            r#"{"base": "webuploader", "success": "json:/ok"}"#,
            "success",
        ),
        (
            Kind::Plupload,
            r#"{"base": "plupload", "success": "201"}"#,
            "success",
        ),
    ] {
        let Some(server) = FormApp::start(kind) else {
            continue;
        };
        let (exit, events) = check(&server, dialect);
        let found = of_kind(&events, "finding");
        assert!(exit == 6 || exit == 7, "{kind:?}, {dialect}: {events:#?}");
        assert_eq!(found[0]["key"], key, "{kind:?}, {dialect}: {events:#?}");
    }
}
