//! What the storage may say, and what must not come of it.

mod listing;
mod urls;

use super::*;
use crate::error::{ErrorKind, RefusalKind};
use crate::protocol::script::{self, segment, Bytes, Reply, Script};

const ONE: &[u8] = b"0123";
const TWO: &[u8] = b"4567";
const LAST: &[u8] = b"89";
/// The MD5s of three parts of four bytes.
const TAGS: [&str; 3] = [
    "\"eb62f6b9306db575c2d596b1279627a4\"",
    "\"6562c5c1f33db6e05a082a88cddab5ea\"",
    "\"7647966b7343c29048673252e490f736\"",
];
const STORED: [Reply<'static>; 3] = [
    (200, &[("etag", TAGS[0])]),
    (200, &[("etag", TAGS[1])]),
    (200, &[("etag", TAGS[2])]),
];
const OK: Reply<'static> = (200, &[]);
const GONE: &str = "<?xml version=\"1.0\"?><Error><Code>NoSuchUpload</Code><Message>It is not there</Message></Error>";
const MADE: &str = "<?xml version=\"1.0\"?>\n   <CompleteMultipartUploadResult xmlns=\"x\"><Location>http://s/b/k?X-Amz-Signature=s3cret</Location></CompleteMultipartUploadResult>";

fn text(more: &str) -> String {
    let url = |number: u32| {
        format!("\"http://s/b/k?partNumber={number}&uploadId=up&X-Amz-Signature=s3cret{number}\"")
    };
    format!(
        "{{\"part_size\": 4, \"parts\": [{}, {}, {}], \"complete\": \"http://s/b/k?uploadId=up&X-Amz-Signature=s3cret\"{more}}}",
        url(1),
        url(2),
        url(3)
    )
}

fn spec(more: &str) -> Spec {
    Spec::read(&text(more)).unwrap()
}

const LIST: &str = ", \"list\": \"http://s/b/k?list=1&X-Amz-Signature=s3cret\"";
const HEAD: &str = ", \"head\": \"http://s/b/k?head=1&X-Amz-Signature=s3cret\"";

/// Makes the protocol for a file of ten bytes.
fn parts<'a>(spec: &'a Spec, record: Option<&str>) -> Presigned<'a> {
    Presigned::new(spec, &script::job(), record).unwrap()
}

fn record(known: [bool; 3]) -> String {
    let tag = |(tag, is_known): (&str, bool)| match is_known {
        true => tag.trim_matches('"').to_owned(),
        false => "-".to_owned(),
    };
    format!(
        "4 {}",
        TAGS.into_iter()
            .zip(known)
            .map(tag)
            .collect::<Vec<_>>()
            .join(" ")
    )
}

fn all() -> String {
    record([true; 3])
}

fn send(
    parts: &Presigned<'_>,
    script: &Script,
    offset: u64,
    bytes: &'static [u8],
) -> Result<Outcome, Error> {
    parts.send(
        script,
        &script::job(),
        segment("up", offset, &mut Bytes(bytes)),
    )
}

fn complete(parts: &Presigned<'_>, script: &Script) -> Result<Outcome, Error> {
    send(parts, script, 10, b"")
}

fn accepted(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Accepted(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn held(answer: &Answer) -> Vec<(u64, u64)> {
    answer.sections.clone().unwrap().held
}

/// Checks that nothing of a signature is in an error, and gives its text.
#[track_caller]
fn shown(error: &Error) -> String {
    let text = format!("{error} {error:?}");
    assert!(!text.contains("s3cret"), "{text}");
    error.to_string()
}

#[test]
fn parts_are_put_and_made_a_file_by_their_etags() {
    let spec = spec("");
    let parts = parts(&spec, None);
    let script = Script::new(&[STORED[2], STORED[0], STORED[1], OK]).with_last_body(MADE);
    let job = script::job();
    let answer = parts.locate(&script, &job, None).unwrap();
    assert_eq!(
        (answer.state, answer.offset, answer.parts),
        (State::New, 0, Some(3))
    );
    assert_eq!(answer.id.as_deref(), Some("up"));
    let answer = accepted(send(&parts, &script, 8, LAST).unwrap());
    assert_eq!((held(&answer), answer.offset), (vec![(8, 10)], 0));
    let answer = accepted(send(&parts, &script, 0, ONE).unwrap());
    assert_eq!((held(&answer), answer.offset), (vec![(0, 4), (8, 10)], 4));
    let answer = accepted(send(&parts, &script, 4, TWO).unwrap());
    assert_eq!((held(&answer), answer.offset), (vec![(0, 10)], 10));
    let answer = accepted(complete(&parts, &script).unwrap());
    assert_eq!(answer.state, State::Complete);
    assert_eq!(answer.location.as_deref(), Some("http://s/b/k"));
    let seen = script.seen();
    assert_eq!(
        seen[0].line,
        "PUT http://s/b/k?partNumber=3&uploadId=up&X-Amz-Signature=s3cret3"
    );
    assert_eq!((seen[1].body.as_str(), seen[1].headers.len()), ("0123", 0));
    assert_eq!(
        seen[3].line,
        "POST http://s/b/k?uploadId=up&X-Amz-Signature=s3cret"
    );
    let document = roxmltree::Document::parse(&seen[3].body).unwrap();
    let texts = document.descendants().filter(|it| it.is_text());
    let tags: Vec<_> = texts.filter_map(|it| it.text()).collect();
    assert_eq!(tags, ["1", TAGS[0], "2", TAGS[1], "3", TAGS[2]]);
}

#[test]
fn an_empty_file_has_one_empty_part() {
    let spec =
        Spec::read("{\"part_size\": 4, \"parts\": [\"http://s/1\"], \"complete\": \"http://s/c\"}")
            .unwrap();
    let job = Job {
        size: 0,
        ..script::job()
    };
    let parts = Presigned::new(&spec, &job, None).unwrap();
    let script = Script::new(&[
        (200, &[("etag", "\"d41d8cd98f00b204e9800998ecf8427e\"")]),
        OK,
    ])
    .with_last_body(MADE);
    let answer = parts.locate(&script, &job, None).unwrap();
    assert_eq!(
        (answer.offset, answer.id.as_deref()),
        (0, Some("presigned"))
    );
    let sent = parts.send(&script, &job, segment("presigned", 0, &mut Bytes(b"")));
    assert_eq!(accepted(sent.unwrap()).state, State::Complete);
    assert_eq!(script.lines(), ["PUT http://s/1", "POST http://s/c"]);
}

#[test]
fn another_run_goes_on_with_the_etags_of_the_same_parts() {
    let spec = spec("");
    let first = parts(&spec, None);
    send(&first, &Script::new(&[STORED[1]]), 4, TWO).unwrap();
    let noted = first.record().unwrap();
    assert_eq!(noted, record([false, true, false]));
    let answer = |noted: &str| {
        let answer =
            parts(&spec, Some(noted)).locate(&Script::new(&[]), &script::job(), Some("up"));
        held(&answer.unwrap())
    };
    assert_eq!(answer(&noted), [(4, 8)]);
    // Parts of another size, another number of them, or no record at all.
    for noted in ["5 - x -", "4 - x", "4 - x - -", "", "4 - x\u{1} -", "x"] {
        assert_eq!(answer(noted), [], "{noted}");
    }
}

#[test]
fn an_etag_that_is_not_the_md5_counts_only_where_others_are() {
    let spec = spec("");
    let other: Reply<'_> = (200, &[("etag", "\"00000000000000000000000000000000\"")]);
    // As KMS has them: none is an MD5 of the bytes.
    let kms = parts(&spec, None);
    let script = Script::new(&[other, other, other, OK]).with_last_body(MADE);
    for (offset, bytes) in [(0, ONE), (4, TWO), (8, LAST)] {
        accepted(send(&kms, &script, offset, bytes).unwrap());
    }
    assert_eq!(
        accepted(complete(&kms, &script).unwrap()).state,
        State::Complete
    );
    // After one that is, another is damage.
    let after = parts(&spec, None);
    let script = Script::new(&[STORED[0], other, STORED[1]]);
    accepted(send(&after, &script, 0, ONE).unwrap());
    let outcome = send(&after, &script, 4, TWO).unwrap();
    let Outcome::ChecksumMismatch(answer) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(held(&answer), [(0, 4)]);
    accepted(send(&after, &script, 4, TWO).unwrap());
    // And so is one that came before.
    let before = parts(&spec, None);
    let script = Script::new(&[other, STORED[1], STORED[2]]);
    for (offset, bytes) in [(0, ONE), (4, TWO), (8, LAST)] {
        accepted(send(&before, &script, offset, bytes).unwrap());
    }
    let noted = before.record().unwrap();
    let outcome = complete(&before, &script).unwrap();
    let Outcome::ChecksumMismatch(answer) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(held(&answer), [(4, 10)]);
    // A run that was killed before that leaves it to the next one.
    let next = parts(&spec, Some(&noted));
    let outcome = complete(&next, &Script::new(&[])).unwrap();
    assert!(
        matches!(outcome, Outcome::ChecksumMismatch(_)),
        "{outcome:?}"
    );
    assert_eq!(next.record().unwrap(), record([false, true, true]));
    let noted = kms.record().unwrap();
    assert_eq!(parts(&spec, Some(&noted)).record().unwrap(), noted);
    let script = Script::new(&[OK]).with_last_body(MADE);
    accepted(complete(&parts(&spec, Some(&noted)), &script).unwrap());
}

#[test]
fn a_success_without_an_etag_is_none() {
    let spec = spec("");
    let quoted = "\"\u{fffd}\"";
    let fields: [&[(&str, &str)]; 4] = [
        &[],
        &[("etag", "")],
        &[("etag", "\"\"")],
        &[("etag", "a b")],
    ];
    for fields in fields {
        let parts = parts(&spec, None);
        let error = send(&parts, &Script::new(&[(200, fields)]), 0, ONE).unwrap_err();
        assert!(
            shown(&error).contains("part 1 of 3, without an ETag"),
            "{error}"
        );
        assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Other));
        // After an answer of S3 something else may be between for a while.
        send(&parts, &Script::new(&[STORED[0]]), 0, ONE).unwrap();
        let error = send(&parts, &Script::new(&[(200, fields)]), 4, TWO).unwrap_err();
        assert!(error.after_answers(true).is_passing());
    }
    assert_eq!(memory::etag(quoted), None);
}

#[test]
fn only_the_document_of_a_made_file_completes() {
    let spec = spec("");
    let long = format!("<CompleteMultipartUploadResult>{}", "<A>".repeat(80_000));
    for (status, body, due, passes) in [
        (200, "<Error><Code>InternalError</Code><Message>We failed</Message></Error>", "InternalError: We failed", true),
        (200, "<Error><Code>SlowDown</Code></Error>", "SlowDown", true),
        (200, "<Error><Code>EntityTooSmall</Code><Message>Your part is too small</Message></Error>", "too small", false),
        (200, "<Error><Code>Odd</Code><Message><CompleteMultipartUploadResult></CompleteMultipartUploadResult></Message></Error>", "Odd", false),
        (200, "<!-- <CompleteMultipartUploadResult> --><Error><Code>Odd</Code></Error>", "Odd", false),
        (200, "", "nothing in it shows", true),
        (200, "<CompleteMultipartUploadResult><Location>", "nothing in it shows", true),
        (200, long.as_str(), "nothing in it shows", true),
        (200, "<html>Please log in</html>", "nothing in it shows", true),
        (404, GONE, "no such upload any more", false),
        (404, "<Error><Code>NoSuchUpload</Code><Message>It has expired</Message></Error>", "no such upload any more", false),
        (200, "<Error xmlns=\"x\"><Code>InternalError</Code></Error>", "InternalError", true),
        (404, "Not here", "status 404", false),
        (500, "", "status 500", true),
        (403, "<Error><Code>SignatureDoesNotMatch</Code><Message>No</Message><StringToSign>s3cret</StringToSign></Error>", "sign the host alone", false),
        (403, "<html>http://s/b/k?X-Amz-Signature=s3cret</html>", "status 403", false),
    ] {
        let parts = parts(&spec, None);
        let script = Script::new(&[STORED[0], STORED[1], STORED[2], (status, &[])]).with_last_body(body);
        for (offset, bytes) in [(0, ONE), (4, TWO), (8, LAST)] {
            send(&parts, &script, offset, bytes).unwrap();
        }
        let error = complete(&parts, &script).unwrap_err();
        assert!(shown(&error).contains(due), "{body}: {error}");
        assert_eq!(error.after_answers(true).is_passing(), passes, "{body}");
        // The parts stay known.
        assert_eq!(parts.record().unwrap(), all());
    }
}

#[test]
fn a_lost_answer_to_the_completion_is_asked_for_and_nothing_is_believed() {
    let lost: Reply<'_> = (0, &[]);
    let gone: Reply<'_> = (404, &[]);
    let of_all: Reply<'_> = (
        200,
        &[
            ("etag", "\"99f0ec3b8f1fbf4e6e3bc9e7ae3ba0d8-3\""),
            ("content-length", "10"),
        ],
    );
    let plain = spec("");
    let with_head = spec(HEAD);
    // It is repeated.
    let again = parts(&plain, Some(&all()));
    let script = Script::new(&[lost, OK]).with_last_body(MADE);
    complete(&again, &script).unwrap_err();
    assert_eq!(
        held(&again.locate(&script, &script::job(), None).unwrap()),
        [(0, 10)]
    );
    assert_eq!(
        accepted(complete(&again, &script).unwrap()).state,
        State::Complete
    );
    // Without a URL for the file, nothing proves that it is there.
    let unknown = parts(&plain, Some(&record([true, true, false])));
    send(&unknown, &Script::new(&[STORED[2]]), 8, LAST).unwrap();
    complete(&unknown, &Script::new(&[lost])).unwrap_err();
    let error = complete(&unknown, &Script::new(&[gone]).with_body(GONE)).unwrap_err();
    assert!(matches!(error, Error::MayBeStored { .. }), "{error}");
    assert!(shown(&error).contains("look there before"), "{error}");
    // With one, the ETag that is made of those of all parts does.
    let joined = parts(&with_head, Some(&all())).memory().joined().unwrap();
    assert_eq!(joined.len(), 34);
    for (head, due) in [
        (of_all, "may not be"),
        ((404, &[]), "no such upload"),
        ((200, &[("etag", "\"x\"")]), "look there before"),
        ((200, &[]), "look there before"),
        ((403, &[]), "the file's head"),
    ] {
        let parts = parts(&with_head, Some(&all()));
        let mut script = Script::new(&[gone, head]).with_body(GONE);
        if due == "may not be" {
            script = script.with_field(1, "etag", &format!("\"{joined}\""));
        }
        match complete(&parts, &script) {
            Ok(outcome) => {
                assert_eq!(
                    (accepted(outcome).state, due),
                    (State::Complete, "may not be")
                );
            }
            Err(error) => assert!(shown(&error).contains(due), "{due}: {error}"),
        }
        assert!(script.lines()[1].starts_with("HEAD http://s/b/k?head=1"));
    }
    // A file of another size is another one.
    let other = parts(&with_head, Some(&all()));
    let script = Script::new(&[gone, of_all]).with_body(GONE);
    let script = script
        .with_field(1, "etag", &joined)
        .with_field(1, "content-length", "11");
    complete(&other, &script).unwrap_err();
}

#[test]
fn parts_that_the_server_does_not_have_are_sent_again() {
    let spec = spec("");
    let parts = parts(&spec, Some(&all()));
    let body = "<Error><Code>InvalidPart</Code><Message>One could not be found</Message></Error>";
    let outcome = complete(&parts, &Script::new(&[(400, &[])]).with_body(body)).unwrap();
    let Outcome::ChecksumMismatch(answer) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((held(&answer), answer.state), (Vec::new(), State::New));
    assert_eq!(
        answer.message.as_deref(),
        Some("InvalidPart: One could not be found")
    );
    assert_eq!(parts.record().unwrap(), record([false; 3]));
}
