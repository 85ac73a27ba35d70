//! The requests of sessions, and what comes of the answers.

use resup_digests::{Algorithm, Digest};

use base64::prelude::{Engine as _, BASE64_STANDARD};

use super::*;
use crate::protocol::script::{job, segment, Bytes, Reply, Script};

const AT: &str = "https://host/upload?uploadType=resumable";
const CREATED: &str = "https://host/upload?uploadType=resumable&name=a+b.txt";
const URL: &str = "https://host/upload?upload_id=7";

/// A URL that does not show what it is.
const OTHER: &str = "https://host/files";

fn session(at: &str) -> Session {
    Session::at(Endpoint::parse(at).unwrap())
}

fn locate(at: &str, key: Option<&str>, script: &Script) -> Result<Answer, Error> {
    session(at).locate(script, &job(), key)
}

#[test]
fn a_session_is_created_where_the_url_is_none() {
    for status in [400, 403, 404, 405] {
        let script = Script::new(&[(status, &[]), (404, &[]), (200, &[("location", URL)])]);
        let answer = locate(OTHER, None, &script).unwrap();
        assert_eq!((answer.state, answer.offset), (State::New, 0));
        assert_eq!(answer.id.as_deref(), Some(URL));
        let seen = script.seen();
        let lines: Vec<&str> = seen.iter().map(|seen| seen.line.as_str()).collect();
        let lines_wanted = [
            format!("PUT {OTHER}"),
            format!("GET {OTHER}"),
            format!("POST {OTHER}"),
        ];
        assert_eq!(lines, lines_wanted);
        assert_eq!(seen[0].header("content-range"), Some("bytes */10"));
        assert_eq!(seen[0].body, "");
        assert_eq!(seen[2].header("x-upload-content-length"), Some("10"));
        assert_eq!(seen[2].header("x-upload-content-type"), Some("text/plain"));
        assert_eq!(seen[2].body, r#"{"name":"a b.txt"}"#);
    }
}

#[test]
fn at_googles_url_nothing_is_asked_and_the_name_is_added() {
    for (at, created) in [(AT, CREATED), (CREATED, CREATED)] {
        let script = Script::new(&[(200, &[("location", URL)])]);
        locate(at, None, &script).unwrap();
        assert_eq!(script.lines(), [format!("POST {created}")]);
    }
}

#[test]
fn a_url_that_answers_as_a_session_is_one() {
    for (range, offset) in [
        (&[][..], 0),
        (&[("range", "bytes=0-6")], 7),
        (&[("range", "0-6")], 7),
        (&[("range", "bytes=0--1")], 0),
        (&[("range", "bytes=0-0")], 0),
        // All of them, and not complete: one more makes it so.
        (&[("range", "bytes=0-9")], 9),
    ] {
        for key in [None, Some(URL)] {
            let script = Script::new(&[(308, range)]);
            let answer = locate(URL, key, &script).unwrap();
            assert_eq!((answer.offset, answer.id.as_deref()), (offset, Some(URL)));
            assert_eq!(script.lines(), [format!("PUT {URL}")]);
        }
    }
    for range in [
        "bytes=1-6",
        "bytes=0-x",
        "bytes 0-6",
        "",
        "bytes=0-99999999999999999999",
    ] {
        let script = Script::new(&[(308, &[])]).with_field(0, "range", range);
        let error = locate(URL, Some(URL), &script).unwrap_err().to_string();
        assert!(error.contains("is no range from 0 on"), "{error}");
    }
    let script = Script::new(&[(308, &[("range", "bytes=0-10")])]);
    let error = locate(URL, Some(URL), &script).unwrap_err();
    assert!(matches!(error, Error::BadOffset { .. }), "{error}");
}

#[test]
fn a_308_to_another_place_is_not_a_session() {
    let elsewhere: Reply<'_> = (308, &[("location", "https://other/x")]);
    let script = Script::new(&[elsewhere, (404, &[]), elsewhere]);
    let error = locate(OTHER, None, &script).unwrap_err().to_string();
    assert!(
        error.contains("308 (it points to https://other/x"),
        "{error}"
    );
}

#[test]
fn a_session_that_has_gone_is_replaced_unless_the_program_gave_it() {
    for status in [404, 410, 499] {
        let script = Script::new(&[(status, &[]), (201, &[("location", URL)])]);
        let answer = locate(AT, Some("https://host/old"), &script).unwrap();
        assert_eq!(answer.id.as_deref(), Some(URL));
        let script = Script::new(&[(status, &[])]);
        let error = locate(URL, Some(URL), &script).unwrap_err().to_string();
        assert!(error.contains("there is no session at this URL"), "{error}");
    }
}

#[test]
fn a_success_is_believed_where_it_is_about_this_file() {
    let sized = |size: &str| format!(r#"{{"size":{size},"webUrl":"https://host/f"}}"#);
    for body in [sized("10"), sized("\"10\"")] {
        for key in [None, Some(URL)] {
            let script = Script::new(&[(200, &[])]).with_body(&body);
            let answer = locate(URL, key, &script).unwrap();
            assert_eq!(answer.state, State::Complete);
            assert_eq!(answer.location.as_deref(), Some("https://host/f"));
        }
    }
    // Google's XML interface answers so; but a server of another kind, too.
    let script = Script::new(&[(200, &[])]);
    let answer = locate(URL, Some(URL), &script).unwrap();
    assert_eq!(answer.state, State::Complete);
    // Google Drive tells no size.
    let drive = r#"{"kind":"drive#file","id":"7","name":"a b.txt"}"#;
    let script = Script::new(&[(200, &[])]).with_body(drive);
    let answer = locate(URL, Some(URL), &script).unwrap();
    assert_eq!(answer.state, State::Complete);
    for (key, body) in [
        (None, ""),
        (None, drive),
        (None, "{}"),
        (None, "<p>log in"),
        (Some(URL), r#"{"error":"log in","id":7}"#),
        (Some(URL), r#"{"size":10,"nextExpectedRanges":["7-"]}"#),
    ] {
        let script = Script::new(&[(200, &[])]).with_body(body);
        let error = locate(URL, key, &script).unwrap_err().to_string();
        assert!(error.contains("nothing in it shows"), "{body}: {error}");
    }
    let script = Script::new(&[(200, &[])]).with_body(&sized("11"));
    let error = locate(URL, None, &script).unwrap_err().to_string();
    assert!(
        error.contains("the file there has 11 bytes, this one has 10"),
        "{error}"
    );
}

#[test]
fn graph_is_known_by_its_answers() {
    let at = "https://host/drive/items/1:/f:/createUploadSession";
    let session = session(at);
    let script = Script::new(&[(200, &[])]);
    let script = script.with_bodies(&[r#"{"uploadUrl":"https://other/up/7"}"#]);
    let answer = session.locate(&script, &job(), None).unwrap();
    let url = "https://other/up/7";
    assert_eq!(answer.id.as_deref(), Some(url));
    assert_eq!(answer.max_segment, Some(52_428_800));
    assert_eq!(answer.max_segment.unwrap() % (320 << 10), 0);
    assert_eq!(script.seen()[0].body, "{}");
    // After a break it is asked by GET.
    let script = Script::new(&[(200, &[])]).with_body(r#"{"nextExpectedRanges":["7-","12-15"]}"#);
    let answer = session.locate(&script, &job(), Some(url)).unwrap();
    assert_eq!(answer.offset, 7);
    assert_eq!(script.lines(), [format!("GET {url}")]);
    let script = Script::new(&[(202, &[]), (201, &[])]);
    let script = script.with_bodies(&[r#"{"nextExpectedRanges":["9-"]}"#, r#"{"size":10}"#]);
    let mut bytes = Bytes(b"78");
    let outcome = session
        .send(&script, &job(), segment(url, 7, &mut bytes))
        .unwrap();
    assert!(
        matches!(outcome, Outcome::Accepted(Answer { offset: 9, .. })),
        "{outcome:?}"
    );
    let mut bytes = Bytes(b"9");
    let outcome = session
        .send(&script, &job(), segment(url, 9, &mut bytes))
        .unwrap();
    let Outcome::Accepted(answer) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(answer.state, State::Complete);
    assert_eq!(
        script.seen()[1].header("content-range"),
        Some("bytes 9-9/10")
    );
}

#[test]
fn an_answer_that_says_more_than_was_sent_is_not_believed() {
    let script = Script::new(&[(308, &[("range", "bytes=0-8")])]);
    let mut bytes = Bytes(b"01234");
    let error = session(AT)
        .send(&script, &job(), segment(URL, 0, &mut bytes))
        .unwrap_err();
    assert!(
        error.to_string().contains("9, but bytes up to 5 were sent"),
        "{error}"
    );
}

#[test]
fn the_md5_of_the_finished_file_is_compared_with_the_sources() {
    let digest = Digest::of(Algorithm::Md5, b"0123456789");
    let with = |digest: Digest| Job {
        digests: vec![digest],
        ..job()
    };
    let other = Digest::of(Algorithm::Md5, b"other");
    let body = format!(
        r#"{{"md5Hash":"{}"}}"#,
        BASE64_STANDARD.encode(digest.bytes())
    );
    for (job, is_right) in [(with(digest), true), (with(other), false), (job(), true)] {
        let script = Script::new(&[(200, &[])]).with_body(&body);
        let mut bytes = Bytes(b"56789");
        let result = session(AT).send(&script, &job, segment(URL, 5, &mut bytes));
        match result {
            Ok(_) => assert!(is_right),
            Err(error) => {
                assert!(!is_right);
                assert!(error.to_string().contains(&digest.hex()), "{error}");
            }
        }
    }
}

#[test]
fn a_page_in_place_of_the_last_answer_is_asked_about() {
    for page in [
        "<p>log in",
        r#"{"message":"log in"}"#,
        r#"{"error":"log in"}"#,
        r#"{"nextExpectedRanges":["7-"]}"#,
    ] {
        let script = Script::new(&[(200, &[]), (308, &[("range", "bytes=0-6")])]);
        let script = script.with_bodies(&[page, ""]);
        let mut bytes = Bytes(b"56789");
        let outcome = session(AT)
            .send(&script, &job(), segment(URL, 5, &mut bytes))
            .unwrap();
        assert!(
            matches!(outcome, Outcome::Accepted(Answer { offset: 7, .. })),
            "{page}: {outcome:?}"
        );
        assert_eq!(script.lines().len(), 2);
    }
}

#[test]
fn an_answer_of_a_sites_own_counts_where_a_session_of_nobodys_is_refused() {
    let done = [
        "stored",
        "{}",
        r#"{"name":"a b.txt"}"#,
        r#"{"message":"done","size":null}"#,
    ];
    for body in done {
        for (refused, again, offset) in [
            (404, (201, &[][..]), Some(10)),
            (400, (200, &[]), Some(10)),
            (404, (308, &[("range", "bytes=0-6")]), Some(7)),
            (404, (503, &[]), None),
        ] {
            let script = Script::new(&[(200, &[]), (refused, &[]), again]);
            let script = script.with_bodies(&[body, "", body]);
            let answer = locate(AT, Some(URL), &script);
            assert_eq!(answer.ok().map(|it| it.offset), offset, "{body} {again:?}");
            let seen = script.seen();
            assert!(seen[1].line.starts_with(&format!("PUT {URL}")));
            assert_eq!(seen[1].line.len(), seen[0].line.len() + 32);
            assert_eq!(seen[2].line, seen[0].line);
            assert!(seen
                .iter()
                .all(|it| it.header("content-range") == Some("bytes */10") && it.body.is_empty()));
        }
        // A page in the server's place answers each question alike.
        for status in [200, 302, 403, 500] {
            let script = Script::new(&[(200, &[]), (status, &[])]).with_body(body);
            let error = locate(AT, Some(URL), &script).unwrap_err().to_string();
            assert!(error.contains("nothing in it shows"), "{body}: {error}");
        }
        // After the last bytes the same question decides.
        let script = Script::new(&[(200, &[]), (200, &[]), (404, &[]), (200, &[])]);
        let script = script.with_bodies(&[body, body, "", body]);
        let mut bytes = Bytes(b"56789");
        let outcome = session(AT)
            .send(&script, &job(), segment(URL, 5, &mut bytes))
            .unwrap();
        let Outcome::Accepted(answer) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!((answer.state, answer.offset), (State::Complete, 10));
        script.lines();
    }
}

#[test]
fn a_question_wants_the_whole_answer() {
    /// An exchange whose answers must be wanted whole.
    struct Whole(Script);
    impl Exchange for Whole {
        fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
            assert!(matches!(request.needs, Needs::Whole), "{}", request.method);
            self.0.exchange(request)
        }
    }
    let next = r#"{"nextExpectedRanges":["7-"]}"#;
    let script = Script::new(&[(405, &[]), (200, &[])]).with_last_body(next);
    let whole = Whole(script);
    let answer = session(OTHER).locate(&whole, &job(), Some(URL)).unwrap();
    assert_eq!(answer.offset, 7);
    whole.0.lines();
}

#[test]
fn an_earlier_session_of_the_same_name_is_removed() {
    let has_bytes: Reply<'_> = (200, &[("location", URL), ("range", "bytes=0-4")]);
    let script = Script::new(&[has_bytes, (204, &[]), (201, &[("location", URL)])]);
    let answer = locate(AT, None, &script).unwrap();
    assert_eq!(answer.offset, 0);
    assert_eq!(script.lines()[1], format!("DELETE {URL}"));
}

#[test]
fn an_upload_url_of_http_is_not_taken_after_https() {
    let at = "https://host/drive/items/1:/f:/createUploadSession";
    let long = format!("https://other/{}", "x".repeat(9000));
    for (url, part) in [
        ("http://other/up/7", "\"http://other/up/7\" is http, though"),
        (&long, "is not a URL of http"),
        (
            "ftp://other/up/7",
            "\"ftp://other/up/7\" is not a URL of http",
        ),
    ] {
        let script = Script::new(&[(200, &[])]);
        let script = script.with_body(&format!(r#"{{"uploadUrl":"{url}"}}"#));
        let error = locate(at, None, &script).unwrap_err().to_string();
        assert!(
            error.contains("its uploadUrl \"") && error.contains(part),
            "{error}"
        );
    }
}
