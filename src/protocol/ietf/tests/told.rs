//! What a server tells of an upload: types of refusals, limits, and fields with parameters.

use super::*;

/// Sends the last five bytes; the first response has this body.
fn send_refused(replies: &[Reply<'_>], kind: &str) -> (Result<Outcome, Error>, usize) {
    let (learned, script) = (Learned::default(), Script::new(replies));
    let types = "https://iana.org/assignments/http-problem-types#";
    let body = format!(r#"{{"type":"{types}{kind}"}}"#);
    let script = script.with_body(&body);
    let outcome = ietf(&learned).send(&script, &job(), segment(URL, 5, &mut Bytes(b"67890")));
    (outcome, script.lines().len())
}

#[test]
fn a_refusal_of_a_known_type_is_acted_on() {
    let at = |offset: u64| {
        format!(
            r#"mismatching-upload-offset","expected-offset":{offset},"provided-offset":5,"x":"y"#
        )
    };
    let has: Reply<'_> = (204, &[("upload-offset", "3"), ("upload-complete", "?0")]);
    let no: Reply<'_> = (409, &[]);
    // An offset that can be saves the question.
    for (offset, replies) in [(2, &[no][..]), (5, &[no, has]), (11, &[no, has])] {
        let (outcome, requests) = send_refused(replies, &at(offset));
        let Ok(Outcome::OffsetMismatch(answer)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(requests, replies.len(), "{offset}");
        assert_eq!(answer.offset, if requests == 1 { offset } else { 3 });
    }
    // It is complete, as the server says when it is asked.
    let done: Reply<'_> = (204, &[("upload-offset", "10"), ("upload-complete", "?1")]);
    let completed: Reply<'_> = (400, &[("upload-complete", "?1")]);
    for after in [done, (404, &[])] {
        let (outcome, _) = send_refused(&[completed, after], "completed-upload");
        assert!(
            matches!(&outcome, Ok(Outcome::Accepted(it)) if it.state == State::Complete),
            "{outcome:?}"
        );
    }
    let short: Reply<'_> = (204, &[("upload-offset", "7"), ("upload-complete", "?1")]);
    assert!(send_refused(&[completed, short], "completed-upload")
        .0
        .is_err());
    let unknown = send_refused(&[(400, &[])], "other").0;
    assert!(unknown.is_err_and(|error| !error.is_passing()));
}

#[test]
fn another_length_at_the_server_begins_anew_once() {
    let learned = Learned::default();
    let ietf = ietf(&learned);
    let send = || {
        let body = r#"{"type":"https://iana.org/assignments/http-problem-types#inconsistent-upload-length"}"#;
        let script = Script::new(&[(400, &[])]).with_body(body);
        ietf.send(&script, &job(), segment(URL, 5, &mut Bytes(b"67890")))
    };
    let words = "another length for this upload than 10 bytes";
    let Ok(Outcome::UnknownUpload(refusal)) = send() else {
        panic!();
    };
    assert!(refusal.to_string().contains(words), "{refusal}");
    let again = send().unwrap_err();
    assert!(again.to_string().contains(words), "{again}");
    assert!(!again.is_passing());
}

#[test]
fn a_file_that_the_limits_exclude_is_refused_before_its_first_byte() {
    for (limit, words, kind) in [
        (
            "max-size=9;x",
            "takes files of at most 9 bytes, and this one has 10",
            RefusalKind::TooLarge,
        ),
        (
            "max-age=1, min-size=11",
            "takes files of at least 11 bytes, and this one has 10",
            RefusalKind::Other,
        ),
    ] {
        let limit = ("upload-limit", limit);
        let (answer, lines) = locate(&[(201, &[("location", URL), limit]), (204, &[])], None);
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused(kind));
        let text = error.to_string();
        assert!(
            text.starts_with("the server does not take the file (it takes"),
            "{text}"
        );
        assert!(text.contains(words), "{text}");
        assert_eq!(lines, [format!("POST {AT}"), format!("DELETE {URL}")]);
        // The limit may have changed since the upload began.
        let has = [("upload-offset", "5"), ("upload-complete", "?0"), limit];
        let (answer, lines) = locate(&[(204, &has)], Some(URL));
        assert!(answer.unwrap_err().to_string().contains(words));
        assert_eq!(lines.len(), 1);
    }
    let fits = ("upload-limit", "max-size=10, min-size=10");
    let (answer, _) = locate(&[(201, &[("location", URL), fits])], None);
    assert!(answer.is_ok());
}

#[test]
fn later_limits_of_an_append_go_before() {
    let learned = Learned::default();
    let ietf = ietf(&learned);
    let limits = |value| ("upload-limit", value);
    let has = |limit| {
        [
            ("upload-offset", "5"),
            ("upload-complete", "?0"),
            limits(limit),
        ]
    };
    let first = [
        ("location", URL),
        limits("max-append-size=7, min-append-size=2, max-age=60"),
    ];
    let (later, last) = (
        has("max-append-size=3,max-age=60"),
        has("min-append-size=1,max-age=9"),
    );
    let script = Script::new(&[(201, &first), (204, &later), (204, &last)]);
    let told = [None, Some(URL), Some(URL)].map(|key| {
        let answer = ietf.locate(&script, &job(), key).unwrap();
        (answer.max_segment, answer.min_segment, ietf.notes().len())
    });
    assert_eq!(
        told,
        [
            (Some(7), Some(2), 1),
            (Some(3), Some(2), 0),
            (Some(3), Some(1), 1)
        ]
    );
}

#[test]
fn fields_may_have_parameters_and_numbers_are_integers() {
    let answer = |offset, flag| {
        let fields = [("upload-offset", offset), ("upload-complete", flag)];
        locate(&[(204, &fields)], Some(URL)).0
    };
    let found = answer("5;x", "?0;a=b").unwrap();
    assert_eq!((found.state, found.offset), (State::Partial, 5));
    assert_eq!(answer("10;x=1", "?1;a").unwrap().state, State::Complete);
    for bad in ["-5", "5.0", "1000000000000000", "5 5"] {
        let error = answer(bad, "?0").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadResponse, "{bad}");
    }
}

#[test]
fn an_upload_that_stays_incomplete_with_all_bytes_is_no_question_of_digests() {
    let all: Reply<'_> = (204, &[("upload-offset", "10"), ("upload-complete", "?0")]);
    let (learned, script) = (Learned::default(), Script::new(&[all]));
    let outcome = ietf(&learned).send(&script, &job(), segment(URL, 10, &mut Bytes(b"")));
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadResponse);
    assert!(
        error
            .to_string()
            .contains("it has all 10 bytes, and does not call the upload complete"),
        "{error}"
    );
    let (learned, script) = (Learned::default(), Script::new(&[all]));
    let outcome = ietf(&learned).send(&script, &job(), segment(URL, 5, &mut Bytes(b"67890")));
    assert!(outcome.is_ok(), "the flag alone may finish it");
}
