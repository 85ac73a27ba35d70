//! Keys that are wrong: each is named, and where that can be told, with the right value.

use resup_test_support::scripted::{reply_with, Read, Step};

use super::check;
use super::common::of_kind;
use super::server::{Answers, Server};

/// A dialect and a server that do not fit.
pub struct Case {
    pub dialect: String,
    pub answers: Answers,
    pub exit: i32,
    pub key: &'static str,
    pub why: &'static str,
    pub proposal: Option<&'static str>,
}

/// Checks that the first finding is the one that a case wants.
#[track_caller]
pub fn assert_found(case: Case) {
    let server = Server::start(case.answers);
    let (exit, events) = check(&case.dialect, &server.url(), &[]);
    let findings = of_kind(&events, "finding");
    let first = findings
        .first()
        .unwrap_or_else(|| panic!("nothing was found: {events:#?}"));
    assert_eq!(first["key"], case.key, "{events:#?}");
    assert!(first["why"].as_str().unwrap().contains(case.why), "{first}");
    assert_eq!(first["proposal"].as_str(), case.proposal, "{first}");
    assert_eq!(exit, case.exit, "{events:#?}");
    let summary = events.last().unwrap();
    assert_eq!(summary["wrong"][0], case.key);
    assert_eq!(summary["exit_code"], case.exit);
}

/// Writes a dialect without chunks, with such a `success`.
fn success(expression: &str) -> String {
    serde_json::json!({"success": expression}).to_string()
}

fn sent(status: u16, body: &str) -> Answers {
    Answers {
        sent: Step::reply(status, body),
        ..Answers::default()
    }
}

/// Answers with header fields. The last `Content-Type` counts.
fn sent_with(status: u16, headers: &[(&str, &str)], body: &str) -> Answers {
    Answers {
        sent: Step::new()
            .read(Read::All)
            .write(reply_with(status, headers, body)),
        ..Answers::default()
    }
}

#[test]
fn a_pointer_of_success_that_leads_nowhere() {
    assert_found(Case {
        dialect: success("200-299 and json:/ok=true"),
        answers: sent(200, r#"{"data": {"success": true}}"#),
        exit: 6,
        key: "success",
        why: "the body has nothing at /ok",
        proposal: Some(r#""success": "200-299 and json:/data/success=true""#),
    });
}

#[test]
fn a_body_that_is_no_json() {
    assert_found(Case {
        dialect: success("200 and json:/ok"),
        answers: sent(200, "Thank you, it is stored."),
        exit: 7,
        key: "success",
        why: "needs JSON, and the body is none",
        proposal: Some(r#""success": "200 and text:Thank you, it""#),
    });
}

#[test]
fn words_that_are_spelled_otherwise() {
    assert_found(Case {
        dialect: success("text:thank you"),
        answers: sent(200, "Well, Thank You!"),
        exit: 6,
        key: "success",
        why: "does not have the words \"thank you\"",
        proposal: Some(r#""success": "200-299 and text:Thank You""#),
    });
}

#[test]
fn a_status_of_success_that_is_missing() {
    assert_found(Case {
        dialect: success("200 and not text:sorry"),
        answers: sent(201, r#"{"ok": true}"#),
        exit: 6,
        key: "success",
        why: "answers 201, which is none of 200",
        proposal: Some(r#""success": "200 201 and not text:sorry""#),
    });
}

#[test]
fn a_failure_with_a_status_of_success() {
    assert_found(Case {
        dialect: success("200"),
        answers: sent(200, r#"{"error": "no room"}"#),
        exit: 7,
        key: "success",
        why: "the body says that it has failed: \"error\" is no room",
        proposal: Some(r#""success": "200 and not json:/error""#),
    });
}

#[test]
fn a_failure_that_the_server_tells() {
    assert_found(Case {
        dialect: success("200 and json:/success"),
        answers: sent(
            200,
            r#"{"success": false, "error": "field 'upload' is missing"}"#,
        ),
        exit: 6,
        key: "fields",
        why: "the server says that it has failed",
        proposal: None,
    });
}

#[test]
fn a_page_in_place_of_an_answer() {
    assert_found(Case {
        dialect: success("200 and json:/ok"),
        answers: sent(200, "<!DOCTYPE html><html><body>Welcome</body></html>"),
        exit: 7,
        key: "url",
        why: "an HTML page came",
        proposal: None,
    });
}

#[test]
fn a_login_page() {
    let page = r#"<html><form><input type="password" name="p"></form></html>"#;
    for (expression, exit) in [("200 and json:/ok", 7), ("200", 7), ("201", 6)] {
        assert_found(Case {
            dialect: success(expression),
            answers: sent(200, page),
            exit,
            key: "login",
            why: "a page at which people log in",
            proposal: None,
        });
    }
    assert_found(Case {
        dialect: success("200 302"),
        answers: sent_with(302, &[("Location", "/login?next=upload")], ""),
        exit: 5,
        key: "login",
        why: "a redirect to where people log in",
        proposal: None,
    });
    assert_found(Case {
        dialect: success("200"),
        answers: sent(401, ""),
        exit: 5,
        key: "login",
        why: "answers 401",
        proposal: None,
    });
}

#[test]
fn a_redirect_that_means_success() {
    assert_found(Case {
        dialect: success("200"),
        answers: sent_with(303, &[("Location", "/thanks")], ""),
        exit: 6,
        key: "success",
        why: "a redirect to /thanks",
        proposal: Some(r#""success": "200 303""#),
    });
}

#[test]
fn a_redirect_to_the_right_address() {
    assert_found(Case {
        dialect: success("200"),
        answers: sent_with(308, &[("Location", "/upload/")], ""),
        exit: 6,
        key: "url",
        why: "a redirect to /upload/: the address is that one",
        proposal: None,
    });
}

#[test]
fn a_chunk_that_is_too_large() {
    assert_found(Case {
        dialect: r#"{"chunk_size": 1000, "repeat": "chunk"}"#.to_owned(),
        answers: sent(413, ""),
        exit: 6,
        key: "chunk_size",
        why: "a chunk of 1000 bytes is too large",
        proposal: Some(r#""chunk_size": 500"#),
    });
}

#[test]
fn a_method_that_is_not_allowed() {
    assert_found(Case {
        dialect: success("200"),
        answers: sent_with(405, &[("Allow", "PUT, GET")], ""),
        exit: 6,
        key: "method",
        why: "it takes no POST at this address, but PUT, GET",
        proposal: Some(r#""method": "PUT""#),
    });
}

#[test]
fn an_address_where_nothing_is() {
    assert_found(Case {
        dialect: success("200"),
        answers: sent(404, ""),
        exit: 6,
        key: "url",
        why: "answers 404",
        proposal: None,
    });
}

#[test]
fn fields_that_the_server_does_not_want() {
    for status in [400, 422, 500] {
        assert_found(Case {
            dialect: success("200"),
            answers: sent(status, ""),
            exit: 6,
            key: "fields",
            why: "compare \"file_field\"",
            proposal: None,
        });
    }
}
