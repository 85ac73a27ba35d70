//! Values in responses, and the offsets that answers to chunks tell.

use http::{HeaderName, HeaderValue};

use super::{dialect, job, SegmentSize, Spec};
use crate::error::{Error, ErrorKind};
use crate::http::Response;
use crate::protocol::dialect::finder::{Finder, Told};
use crate::protocol::dialect::success::Success;
use crate::protocol::script::{segment, Bytes, Script};
use crate::protocol::{Answer, Job, Outcome, Protocol, State};

fn response(headers: &[(&'static str, &'static str)], body: &[u8]) -> Response {
    let fields = headers.iter().map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (name, HeaderValue::from_static(value))
    });
    let mut response = Response {
        status: 200,
        body: body.to_vec(),
        ..Response::default()
    };
    for (name, value) in fields {
        response.headers.append(name, value);
    }
    response
}

#[test]
fn a_text_is_found_at_its_place() {
    let headers = [
        ("x-id", "ab/7"),
        ("x-two", "a"),
        ("x-two", "b"),
        ("x-none", ""),
    ];
    let json = br#"{"a": ["x", 7, null, "", {}]}"#;
    let odd = b"id=\xff\xfe id=\x00k\x80z;";
    for (place, body, found) in [
        ("/a/0", &json[..], Some("x")),
        ("/a/1", json, Some("7")),
        ("/a/2", json, None),
        ("/a/3", json, None),
        ("/a/4", json, None),
        ("/b", json, None),
        ("/a", b"<p>", None),
        ("header:X-Id", b"", Some("ab/7")),
        ("header:x-id regex:/(\\d)", b"", Some("7")),
        ("header:x-id regex:/(\\w\\w)", b"", None),
        ("header:x-other", b"", None),
        // They differ.
        ("header:x-two", b"", None),
        ("header:x-none", b"", None),
        ("regex:\"(x)\"", json, Some("x")),
        ("regex:(?:n|u)(l+)", json, Some("ll")),
        ("regex:z(l)?", b"z", None),
        (
            "regex:(?i)ERROR: ([^<]*)",
            b"<p>Error: no room</p>",
            Some("no room"),
        ),
        ("regex:^(\\S*)", "\u{feff}ok".as_bytes(), Some("ok")),
        // Bytes that are no text are no obstacle.
        ("regex:k.(z)", odd, Some("z")),
        ("regex:id=(\\w)", odd, None),
    ] {
        let finder = Finder::read(place).unwrap();
        let text = finder.text(&response(&headers, body));
        assert_eq!(text.as_deref(), found, "{place}");
    }
}

#[test]
fn a_number_of_bytes_is_one_or_an_error() {
    let read = |place: &str, is_last, headers: &[(&'static str, &'static str)], body: &str| {
        let finder = Finder::read(place).unwrap();
        Told { finder, is_last }.read(&response(headers, body.as_bytes()))
    };
    for (body, expected) in [
        ("7", Some(7)),
        ("\"7\"", Some(7)),
        ("null", None),
        ("0", Some(0)),
        ("18446744073709551615", Some(u64::MAX)),
    ] {
        let body = format!("{{\"n\": {body}}}");
        assert_eq!(read("/n", false, &[], &body), Ok(expected), "{body}");
    }
    for body in [
        "-1",
        "1.5",
        "1e30",
        "18446744073709551616",
        "\"+7\"",
        "\"7 KB\"",
        "\"\"",
        "true",
        "[7]",
    ] {
        let body = format!("{{\"n\": {body}}}");
        let error = read("/n", false, &[], &body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadOffset, "{body}");
        assert!(
            error
                .to_string()
                .ends_with("is not a whole number of bytes, at /n"),
            "{error}"
        );
    }
    let range = "header:Range regex:^0-(\\d+)";
    for (headers, expected) in [
        (&[("range", "0-999")][..], Ok(Some(1000))),
        (&[("range", "0-0/7")], Ok(Some(1))),
        (&[], Ok(None)),
        (&[("range", "0-9"), ("range", "0-9")], Ok(Some(10))),
        (
            &[("range", "0-9"), ("range", "0-19")],
            Err("there are several fields range: \"0-9\" and \"0-19\""),
        ),
        (
            &[("range", "5-9")],
            Err("header:Range regex:^0-(\\d+) finds nothing in \"5-9\""),
        ),
        (&[("range", "0--1")], Err("finds nothing in \"0--1\"")),
        (
            &[("range", "0-18446744073709551615")],
            Err("\"18446744073709551615\" is not a whole number"),
        ),
        (
            &[("range", "0-18446744073709551616")],
            Err("\"18446744073709551616\" is not a whole number"),
        ),
    ] {
        match (read(range, true, headers, ""), expected) {
            (Ok(told), Ok(expected)) => assert_eq!(told, expected, "{headers:?}"),
            (Err(error), Err(part)) => {
                assert_eq!(error.kind(), ErrorKind::BadOffset);
                assert!(error.to_string().contains(part), "{error}");
            }
            (told, _) => panic!("{headers:?}: {told:?}"),
        }
    }
}

#[test]
fn what_a_cut_body_does_not_have_is_no_value() {
    let finder = || Finder::read("regex:size=(\\d+)").unwrap();
    let told = Told {
        finder: finder(),
        is_last: false,
    };
    for (body, number) in [("size=12;", Some(12)), ("size=12", None), ("siz", None)] {
        let cut = Response {
            is_cut: true,
            ..response(&[], body.as_bytes())
        };
        match number {
            Some(number) => assert_eq!(told.read(&cut), Ok(Some(number))),
            None => {
                let error = told.read(&cut).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BadResponse);
                let part = format!("only the first {} bytes of its body were read", body.len());
                assert!(error.to_string().contains(&part), "{error}");
                assert_eq!(finder().text(&cut), None);
            }
        }
    }
    // As much as is ever read, and the pattern that takes the longest.
    let long = Response {
        is_cut: true,
        ..response(&[], &vec![b'a'; 256 * 1024])
    };
    assert_eq!(
        Finder::read("regex:(?:a|a|a){3}(b)").unwrap().text(&long),
        None
    );
}

#[test]
fn an_expression_asks_for_fields_and_patterns() {
    let headers = [
        ("x-ok", "yes"),
        ("x-two", "a"),
        ("x-two", "b"),
        ("x-none", ""),
    ];
    let body = b"<p>Stored \xff 12 files</p>";
    for (expression, is_met) in [
        ("header:X-Ok", true),
        ("not header:X-Ok", false),
        ("header:X-No", false),
        ("not header:X-No", true),
        ("header:X-None", false),
        ("header:x-ok=yes", true),
        ("header:X-Ok = Yes", false),
        ("header:X-Two=b", true),
        ("header:X-Two=a, b", false),
        ("header:X-Two regex:^[b-z]$", true),
        ("header:X-Ok regex:^e", false),
        ("not header:X-No regex:.", true),
        ("regex:\\d+ files", true),
        ("regex:(?i)STORED", true),
        ("200 and header:X-Ok and not regex:(?i)error", true),
        ("not regex:files</p>$", false),
        ("201 and header:X-Ok", false),
    ] {
        let result = Success::read(expression)
            .unwrap()
            .check(&response(&headers, body));
        assert_eq!(result.is_ok(), is_met, "{expression}: {result:?}");
        if let Err(error) = result {
            assert!(matches!(error, Error::Refused(_)), "{error}");
        }
    }
    // Of a body that was cut, a match before its end is one.
    for (expression, is_met) in [
        ("regex:\\d+ files", Some(true)),
        ("not regex:\\d+ files", Some(false)),
        ("regex:</p>$", None),
        ("not regex:(?i)error", None),
    ] {
        let cut = Response {
            is_cut: true,
            ..response(&[], body)
        };
        let result = Success::read(expression).unwrap().check(&cut);
        match (is_met, result) {
            (Some(true), Ok(())) | (Some(false), Err(Error::Refused(_))) => {}
            (None, Err(error @ Error::BadResponse { .. })) => {
                let part = "and only the first 24 bytes of its body were read";
                assert!(error.to_string().contains(part), "{error}");
            }
            (_, other) => panic!("{expression}: {other:?}"),
        }
    }
}

/// Sends one chunk of 10 bytes of 25, to a server that answers so.
fn send(text: &str, offset: u64, body: &str) -> Result<Answer, Error> {
    let job = Job {
        dir: String::new(),
        user: None,
        ..job()
    };
    let spec = Spec::read(text).unwrap();
    let dialect = dialect(&spec, SegmentSize::Fixed(10), &job).unwrap();
    let script = Script::new(&[(200, &[])]).with_body(body);
    let bytes = if offset == 20 {
        &b"01234"[..]
    } else {
        b"0123456789"
    };
    let sent = dialect.send(
        &script,
        &job,
        segment("10.abc.x", offset, &mut Bytes(bytes)),
    );
    script.seen();
    match sent? {
        Outcome::Accepted(answer) => Ok(answer),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_chunk_is_followed_by_the_one_that_the_server_lacks() {
    let counted =
        r#"{"chunk_size": 10, "repeat": "chunk", "fields": {"n": "{number}"}, "offset": "/n"}"#;
    let plain = r#"{"chunk_size": 10, "repeat": "chunk", "offset": "/n"}"#;
    let long =
        r#"{"chunk_size": 10, "last_chunk": "long", "fields": {"n": "{number}"}, "offset": "/n"}"#;
    for (text, offset, told, reached) in [
        (counted, 0, "10", 10),
        (counted, 0, "null", 10),
        (counted, 10, "20", 20),
        (counted, 10, "19", 10),
        (counted, 10, "9", 0),
        (counted, 10, "0", 0),
        (counted, 20, "25", 25),
        (counted, 20, "24", 20),
        (counted, 20, "10", 10),
        (plain, 10, "20", 20),
        (plain, 10, "19", 19),
        (plain, 10, "9", 9),
        (plain, 20, "24", 24),
        (long, 10, "9", 0),
    ] {
        let what = format!("{text} {offset} {told}");
        let answer = send(text, offset, &format!("{{\"n\": {told}}}")).unwrap();
        let state = match reached {
            0 => State::New,
            25 => State::Complete,
            _ => State::Partial,
        };
        assert_eq!((answer.offset, answer.state), (reached, state), "{what}");
    }
    for (text, offset, told, part) in [
        (counted, 0, "11", "11 exceeds the 10 bytes that were sent"),
        (counted, 0, "25", "25 exceeds the 10 bytes"),
        (counted, 20, "26", "26 exceeds the 25 bytes"),
        (plain, 0, "-1", "-1 is not a whole number"),
        (plain, 20, "{}", "{} is not a whole number"),
    ] {
        let error = send(text, offset, &format!("{{\"n\": {told}}}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadOffset, "{text} {told}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = send(counted, 0, "<p>").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadResponse);
}

#[test]
fn a_last_chunk_that_leaves_bytes_missing_is_judged_as_one_before_it() {
    let text = r#"{"chunk_size": 10, "repeat": "chunk", "complete": "200 and json:/done", "offset": "/n"}"#;
    assert_eq!(send(text, 20, "{\"n\": 20}").unwrap().offset, 20);
    let told = send(text, 20, "{\"n\": 25}").unwrap_err().to_string();
    assert!(told.contains("success needs json:/done"), "{told}");
    let answer = send(text, 20, "{\"n\": 25, \"done\": 1}").unwrap();
    assert_eq!(answer.state, State::Complete);
}

#[test]
fn a_server_that_changes_the_name_of_an_upload_is_not_followed() {
    let text = r#"{"base": "jquery-file-upload", "id": "/id"}"#;
    let error = send(text, 10, r#"{"id": "y"}"#).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadResponse);
    assert!(
        error
            .to_string()
            .contains("it calls the upload \"y\", and before it was \"x\""),
        "{error}"
    );
    // Anew, it may have another one.
    let key = |offset, body| send(text, offset, body).unwrap().id;
    assert_eq!(key(0, r#"{"id": "y"}"#).as_deref(), Some("10.abc.y"));
    assert_eq!(key(10, r#"{"id": "x"}"#).as_deref(), Some("10.abc.x"));
    assert_eq!(key(10, "{}").as_deref(), Some("10.abc.x"));
}
