//! What counts as success.

use http::{HeaderName, HeaderValue};

use crate::error::{ErrorKind, RefusalKind};
use crate::http::Response;
use crate::protocol::dialect::success::Success;

fn response(status: u16, location: Option<&str>, body: &str) -> Response {
    let location = location.map(|to| {
        let name = HeaderName::from_static("location");
        (name, HeaderValue::from_str(to).unwrap())
    });
    Response {
        status,
        headers: location.into_iter().collect(),
        body: body.as_bytes().to_vec(),
        ..Response::default()
    }
}

#[test]
fn an_expression_says_what_counts_as_success() {
    let (ok, no, odd) = (None, Some("the server "), Some("no JSON"));
    for (expression, status, body, expected) in [
        ("200-299", 204, "", ok),
        ("200-299", 302, "", no),
        ("200,303", 303, "", ok),
        ("200,303", 201, "", no),
        ("json:/done", 200, r#"{"done": true}"#, ok),
        ("json:/done", 200, r#"{"done": false}"#, no),
        ("json:/done", 200, r#"{"done": null}"#, no),
        ("json:/done", 200, r#"{"done": ""}"#, no),
        ("json:/done", 200, r#"{"done": {}}"#, ok),
        ("json:/done", 200, r#"{}"#, no),
        ("json:/done", 200, "<p>done", odd),
        ("json:/done", 404, r#"{"done": true}"#, no),
        ("json:/a/0=7", 200, r#"{"a": [7]}"#, ok),
        ("json:/a/0=7", 200, r#"{"a": ["7"]}"#, ok),
        ("json:/a/0=7", 200, r#"{"a": [8]}"#, no),
        ("json:/a=null", 200, r#"{"a": null}"#, ok),
        ("json:/a=null", 200, r#"{}"#, no),
        ("json:/a=b c", 200, "\u{feff}{\"a\": \"b c\"}", ok),
        (
            "201 and json:/a=1 and not json:/error",
            201,
            r#"{"a": 1}"#,
            ok,
        ),
        (
            "201 and json:/a=1 and not json:/error",
            201,
            r#"{"a": 1, "error": "x"}"#,
            no,
        ),
        (
            "201 and json:/a=1 and not json:/error",
            200,
            r#"{"a": 1}"#,
            no,
        ),
        ("not json:/error", 200, "OK", odd),
        ("text:Thank you", 200, "<p>Thank you, Joe", ok),
        ("text:Thank you", 200, "<p>Log in", no),
        ("not text:too large", 200, "<p>It is too large.", no),
    ] {
        let success = Success::read(expression).unwrap();
        let result = success.check(&response(status, None, body));
        let told = result.err().map(|error| error.to_string());
        assert_eq!(
            told.is_some(),
            expected.is_some(),
            "{expression} {status} {body}: {told:?}"
        );
        if let Some((told, expected)) = told.zip(expected) {
            let expected = match status {
                200..=299 if expected == "refused with" => "does not take the file",
                _ => expected,
            };
            assert!(told.contains(expected), "{told}");
        }
    }
}

#[test]
fn what_a_cut_body_does_not_have_decides_nothing() {
    let cut = |body| Response {
        is_cut: true,
        ..response(200, None, body)
    };
    for (expression, body, is_met) in [
        ("not text:too large", "<p>Thank", None),
        ("text:Thank you", "<p>Thank", None),
        (
            "text:Thank you and not text:too large",
            "<p>Thank you",
            None,
        ),
        ("text:Thank", "<p>Thank", Some(true)),
        ("not text:too large", "<p>It is too large. Th", Some(false)),
    ] {
        let result = Success::read(expression).unwrap().check(&cut(body));
        match (is_met, result) {
            (Some(true), Ok(())) => {}
            (Some(false), Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Other));
            }
            (None, Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::BadResponse);
                let told = error.to_string();
                assert!(told.contains("were read"), "{told}");
            }
            (_, other) => panic!("{expression}: {other:?}"),
        }
    }
}

#[test]
fn a_redirect_to_a_login_is_no_success() {
    let success = Success::read("200-299 302 303").unwrap();
    for (to, is_success) in [
        ("/files", true),
        ("/author/7", true),
        ("/login", false),
        ("/accounts/login/?next=/upload", false),
        ("https://id.example/Sign-In", false),
        ("/upload?error=size", false),
    ] {
        let result = success.check(&response(302, Some(to), ""));
        assert_eq!(result.is_ok(), is_success, "{to}");
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::NotAllowed));
        }
    }
}

#[test]
fn a_word_that_joins_conditions_can_be_looked_for() {
    for (expression, body) in [
        ("200 and regex:rock[ ]and roll", "<p>rock and roll"),
        (
            "200 and regex:rock[ ]and roll and not text:no room",
            "rock and roll",
        ),
        ("not regex:lost[ ]and found", "lost or found"),
    ] {
        let success = Success::read(expression).unwrap();
        assert!(
            success.check(&response(200, None, body)).is_ok(),
            "{expression}"
        );
        assert!(
            success
                .check(&response(200, None, "lost and found"))
                .is_err(),
            "{expression}"
        );
    }
    for expression in ["200 and text:rock and roll", "regex:rock and roll"] {
        let why = Success::read(expression).unwrap_err();
        assert!(why.contains("\"[ ]and \""), "{why}");
    }
}

#[test]
fn webuploaders_errors_are_no_success() {
    use crate::protocol::dialect::Spec;
    let spec = Spec::read("webuploader").unwrap();
    let message = spec.message.as_ref().unwrap();
    // The first two are those of its sample server.
    for (body, told) in [
        (r#"{"jsonrpc" : "2.0", "result" : null, "id" : "id"}"#, None),
        (
            r#"{"jsonrpc" : "2.0", "error" : {"code": 103, "message": "Failed to move uploaded file."}, "id" : "id"}"#,
            Some("Failed to move uploaded file."),
        ),
        (
            "{\"error\":\n{\"code\":1,\"message\":\"no room\"}}",
            Some("no room"),
        ),
        (r#"{"error": null}"#, None),
        (r#"{"error": 0, "url": "/f/error"}"#, None),
        ("", None),
        ("stored", None),
    ] {
        let response = response(200, None, body);
        assert_eq!(
            spec.success.check(&response).is_err(),
            told.is_some(),
            "{body}"
        );
        assert_eq!(message.text(&response).as_deref(), told, "{body}");
    }
    let warned = response(
        200,
        None,
        "<br />Warning: x<br />{\"error\": {\"code\": 1}}",
    );
    assert!(spec.success.check(&warned).is_err());
    // What was not read may be an error.
    let cut = Response {
        is_cut: true,
        ..response(200, None, "{\"jsonrpc\"")
    };
    assert!(spec.success.check(&cut).is_err());
    assert!(spec.success.check(&response(500, None, "")).is_err());
}
