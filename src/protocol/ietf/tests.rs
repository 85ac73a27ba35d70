//! The requests of the IETF's protocol, and what is made of the responses.

mod told;

use resup_digests::{Algorithm, Digest};

use super::*;
use crate::error::{ErrorKind, RefusalKind};
use crate::protocol::script::{job, segment, Bytes, Reply, Script};
use crate::protocol::{Answer, Outcome, Protocol, State};

const AT: &str = "http://host/files";
const URL: &str = "http://host/u/1";

fn ietf(learned: &Learned) -> Ietf<'_> {
    Ietf::at(Endpoint::parse(AT).unwrap(), learned)
}

fn locate(replies: &[Reply<'_>], key: Option<&str>) -> (Result<Answer, Error>, Vec<String>) {
    let (learned, script) = (Learned::default(), Script::new(replies));
    let answer = ietf(&learned).locate(&script, &job(), key);
    (answer, script.lines())
}

/// Sends the last five bytes.
fn send(replies: &[Reply<'_>]) -> Result<Outcome, Error> {
    let (learned, script) = (Learned::default(), Script::new(replies));
    let outcome = ietf(&learned).send(&script, &job(), segment(URL, 5, &mut Bytes(b"67890")));
    script.seen();
    outcome
}

#[test]
fn an_upload_is_created_without_content_and_then_appended_to() {
    let learned = Learned::default();
    let limit = ("upload-limit", "max-append-size=7, max-size=10");
    let script = Script::new(&[
        (201, &[("location", "/u/1"), limit]),
        (204, &[("upload-offset", "5"), ("upload-complete", "?0")]),
        (200, &[("upload-complete", "?1")]),
    ]);
    let ietf = ietf(&learned);
    let job = Job {
        digests: vec![
            Digest::of(Algorithm::Blake3, b""),
            Digest::of(Algorithm::Sha256, b""),
        ],
        ..job()
    };
    let answer = ietf.locate(&script, &job, None).unwrap();
    assert_eq!((answer.state, answer.offset), (State::New, 0));
    assert_eq!(answer.max_segment, Some(7));
    let url = answer.id.unwrap();
    let first = ietf.send(&script, &job, segment(&url, 0, &mut Bytes(b"12345")));
    assert!(
        matches!(&first, Ok(Outcome::Accepted(answer)) if answer.state == State::Partial),
        "{first:?}"
    );
    let last = ietf.send(&script, &job, segment(&url, 5, &mut Bytes(b"67890")));
    assert!(
        matches!(&last, Ok(Outcome::Accepted(answer)) if answer.state == State::Complete),
        "{last:?}"
    );
    let [creation, first, last] = &script.seen()[..] else {
        panic!()
    };
    assert_eq!(creation.line, format!("POST {AT}"));
    assert_eq!(creation.header("upload-complete"), Some("?0"));
    assert_eq!(creation.header("upload-length"), Some("10"));
    assert_eq!(creation.header("content-type"), Some("text/plain"));
    let digest = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    assert_eq!(creation.header("repr-digest"), Some(digest));
    assert_eq!(first.line, format!("PATCH {URL}"));
    assert_eq!(first.header("upload-complete"), Some("?0"));
    assert_eq!(first.header("upload-offset"), Some("0"));
    assert_eq!(
        first.header("content-type"),
        Some("application/partial-upload")
    );
    assert_eq!(last.header("upload-complete"), Some("?1"));
}

#[test]
fn versions_are_tried_until_the_server_speaks_one() {
    let learned = Learned::default();
    let no: Reply<'_> = (412, &[("tus-resumable", "1.0.0")]);
    let mut replies = vec![no; 7];
    replies.push((201, &[("location", URL)]));
    replies.push((204, &[("upload-offset", "5"), ("upload-incomplete", "?1")]));
    let script = Script::new(&replies);
    let ietf = ietf(&learned);
    ietf.locate(&script, &job(), None).unwrap();
    ietf.send(&script, &job(), segment(URL, 0, &mut Bytes(b"12345")))
        .unwrap();
    let seen = script.seen();
    let versions: Vec<_> = seen
        .iter()
        .map(|seen| seen.header("upload-draft-interop-version"))
        .collect();
    let tried = [
        None,
        Some("9"),
        Some("8"),
        Some("7"),
        Some("6"),
        Some("5"),
        Some("4"),
    ];
    assert_eq!(versions[..7], tried);
    assert_eq!(versions[7..], [Some("3"); 2]);
    assert_eq!(seen[7].header("upload-incomplete"), Some("?1"));
    // When none is spoken, that is the end, and the next run begins with the newest one again.
    let (answer, lines) = locate(&[no; 8], None);
    assert_eq!(lines.len(), 8);
    let error = answer.unwrap_err().to_string();
    assert!(error.contains("the server speaks ietf"), "{error}");
}

#[test]
fn only_the_flag_makes_an_upload_complete() {
    let all = ("upload-offset", "10");
    for (flag, state) in [
        (Some(("upload-complete", "?1")), State::Complete),
        (Some(("upload-incomplete", "?0")), State::Complete),
        (Some(("upload-complete", "?0")), State::Partial),
    ] {
        let fields: Vec<_> = [all].into_iter().chain(flag).collect();
        let (answer, _) = locate(&[(204, &fields)], Some(URL));
        assert_eq!(answer.unwrap().state, state);
    }
    // A server that answers as one of tus is asked in older versions.
    let (answer, lines) = locate(&[(200, &[all][..]); 8], Some(URL));
    assert_eq!((answer.unwrap().state, lines.len()), (State::Partial, 8));
}

#[test]
fn an_answer_to_the_last_bytes_may_be_an_applications_own() {
    let done: Reply<'_> = (204, &[("upload-offset", "10"), ("upload-complete", "?1")]);
    for replies in [
        &[(204, &[("upload-offset", "10")][..])][..],
        &[(200, &[]), done],
        // The server has removed the upload with the last byte.
        &[(201, &[("location", "/thing/7")]), (404, &[])],
    ] {
        let outcome = send(replies);
        assert!(
            matches!(&outcome, Ok(Outcome::Accepted(it)) if it.state == State::Complete),
            "{outcome:?}"
        );
    }
    // It has the file, and does not want it: to send it again would not help.
    let error = send(&[(503, &[("upload-complete", "?1")])]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Other));
    assert!(!error.is_passing());
    assert!(send(&[(503, &[])]).unwrap_err().is_passing());
}

#[test]
fn a_refusal_of_a_segment_tells_its_limit() {
    let learned = Learned::default();
    let limit = ("upload-limit", "max-append-size=7, max-size=1000");
    let script = Script::new(&[(413, &[limit])]);
    let ietf = ietf(&learned);
    let error = ietf.send(&script, &job(), segment(URL, 0, &mut Bytes(b"1234567890")));
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::TooLarge));
    // The file is not the reason.
    assert!(!error.to_string().contains("1000"), "{error}");
    assert_eq!(ietf.dialect.max_segment(), Some(7));
}

#[test]
fn a_flag_acknowledges_a_segment() {
    for (flag, requests) in [("?0", 1), ("odd", 2)] {
        let flag = [("upload-complete", flag)];
        let has: Reply<'_> = (204, &[("upload-offset", "5"), ("upload-complete", "?0")]);
        let replies: [Reply<'_>; 2] = [(204, &flag), has];
        let (learned, script) = (Learned::default(), Script::new(&replies[..requests]));
        let outcome = ietf(&learned).send(&script, &job(), segment(URL, 0, &mut Bytes(b"12345")));
        assert!(
            matches!(&outcome, Ok(Outcome::Accepted(it)) if it.state == State::Partial && it.offset == 5),
            "{outcome:?}"
        );
        assert_eq!(script.lines().len(), requests);
    }
}

#[test]
fn a_page_in_between_completes_nothing() {
    let page: Reply<'_> = (200, &[]);
    let has: Reply<'_> = (204, &[("upload-offset", "5"), ("upload-complete", "?0")]);
    let outcome = send(&[page, has]);
    assert!(
        matches!(&outcome, Ok(Outcome::Accepted(it)) if it.state == State::Partial && it.offset == 5),
        "{outcome:?}"
    );
    // It may answer each question, too, or forbid it.
    assert!(send(&[page; 9]).is_err());
    assert!(send(&[page, (403, &[])]).is_err());
}

#[test]
fn an_upload_that_is_complete_without_all_bytes_is_not_ours() {
    let short: Reply<'_> = (204, &[("upload-offset", "7"), ("upload-complete", "?1")]);
    let (answer, lines) = locate(&[short, (201, &[("location", "/u/2")])], Some(URL));
    let answer = answer.unwrap();
    assert_eq!((answer.state, answer.offset), (State::New, 0));
    assert_eq!(lines, [format!("HEAD {URL}"), format!("POST {AT}")]);
    let error = send(&[short]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadOffset);
    assert!(error.to_string().contains("7 of 10 bytes"), "{error}");
}

#[test]
fn uploads_of_a_client_try_the_versions_each_by_itself() {
    let learned = Learned::default();
    let (one, other, later) = (ietf(&learned), ietf(&learned), || ietf(&learned));
    let version = |ietf: &Ietf<'_>| {
        let fields = ietf.dialect.common();
        fields.first().map(|(_, value)| value.text().to_owned())
    };
    let [no, yes] = [412, 201].map(|status| Response {
        status,
        ..Response::default()
    });
    assert!(one.dialect.choose_other(&no));
    assert!(one.dialect.choose_other(&no));
    assert_eq!(version(&one).as_deref(), Some("8"));
    assert_eq!(version(&other), None, "nobody has tried that one");
    // What one has found holds for those that begin later.
    one.dialect.note(&yes);
    assert_eq!(version(&later()).as_deref(), Some("8"));
    assert!(!later().dialect.choose_other(&no));
}

#[test]
fn what_has_no_place_in_the_protocol_is_an_error() {
    let learned = Learned::default();
    for (job, what) in [
        (
            Job {
                dir: "d".to_owned(),
                ..job()
            },
            "directory",
        ),
        (
            Job {
                user: Some("joe".to_owned()),
                ..job()
            },
            "user",
        ),
        (
            Job {
                fields: vec![("a".to_owned(), "b".to_owned())],
                ..job()
            },
            "field",
        ),
    ] {
        let error = ietf(&learned).locate(&Script::new(&[]), &job, None);
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(what), "{error}");
    }
}

#[test]
fn a_name_is_written_for_all_readers() {
    assert_eq!(disposition("a b.txt"), "inline; filename=\"a b.txt\"");
    assert_eq!(
        disposition("ä\".txt"),
        "inline; filename=\"__.txt\"; filename*=UTF-8''%C3%A4%22%2Etxt"
    );
}
