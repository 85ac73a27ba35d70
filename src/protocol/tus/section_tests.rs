//! The requests of tus for a file in sections, and what is made of the responses.

use std::sync::OnceLock;

use super::*;
use crate::error::{ErrorKind, RefusalKind};
use crate::protocol::script::{self, segment, Bytes, Reply, Script};
use crate::protocol::{Answer, Outcome, Protocol, Sections, State};

const AT: &str = "http://host/files/";
/// The key of a file of ten bytes in four sections.
const KEY: &str = "http://host/files/0 http://host/files/1 http://host/files/2 http://host/files/3";

fn job() -> Job {
    Job {
        connections: 2,
        ..script::job()
    }
}

/// Runs `use_it` against a server that joins and removes uploads, and gives these responses.
fn with<T>(replies: &[Reply<'_>], use_it: impl FnOnce(&Tus<'_>, &Script) -> T) -> (T, bool) {
    let offers = OnceLock::from(Offers {
        joins: true,
        terminates: Some(true),
        ..Offers::default()
    });
    let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
    let result = use_it(&tus, &Script::new(replies));
    (result, offers.get().unwrap().has_refused.get().is_some())
}

fn locate(replies: &[Reply<'_>], key: Option<&str>) -> (Result<Answer, Error>, Vec<String>, bool) {
    let ((answer, lines), has_refused) = with(replies, |tus, script| {
        (tus.locate(script, &job(), key), script.lines())
    });
    (answer, lines, has_refused)
}

/// Has the sections joined.
fn join(replies: &[Reply<'_>]) -> (Result<Outcome, Error>, Vec<String>, bool) {
    let ((outcome, lines), has_refused) = with(replies, |tus, script| {
        let outcome = tus.send(script, &job(), segment(KEY, 10, &mut Bytes(b"")));
        (outcome, script.lines())
    });
    (outcome, lines, has_refused)
}

const fn made(url: &'static [(&'static str, &'static str)]) -> Reply<'static> {
    (201, url)
}

const MADE: [Reply<'static>; 4] = [
    made(&[("location", "0")]),
    made(&[("location", "1")]),
    made(&[("location", "2")]),
    made(&[("location", "3")]),
];
const HAS_3: Reply<'static> = (200, &[("upload-offset", "3"), ("upload-length", "3")]);
const HAS_1: Reply<'static> = (200, &[("upload-offset", "1")]);
const HAS_2: Reply<'static> = (200, &[("upload-offset", "2")]);
const HAS_0: Reply<'static> = (200, &[("upload-offset", "0")]);
const JOINED: Reply<'static> = made(&[("location", "9")]);
const WHOLE: Reply<'static> = (200, &[("upload-offset", "10"), ("upload-length", "10")]);
/// Each section is there.
const ALL: [Reply<'static>; 4] = [HAS_3, HAS_3, HAS_3, HAS_1];

fn sections(length: u64, held: Vec<(u64, u64)>) -> Sections {
    Sections {
        length,
        is_whole: false,
        held,
    }
}

#[test]
fn each_section_is_a_partial_upload() {
    let (seen, _) = with(&MADE, |tus, script| {
        let answer = tus.locate(script, &job(), None).unwrap();
        assert_eq!((answer.state, answer.offset), (State::New, 0));
        assert_eq!(answer.id.as_deref(), Some(KEY));
        assert_eq!(answer.parts, Some(4));
        assert_eq!(answer.sections, Some(sections(3, Vec::new())));
        script.seen()
    });
    for (seen, length) in seen.iter().zip(["3", "3", "3", "1"]) {
        assert_eq!(seen.line, format!("POST {AT}"));
        assert_eq!(seen.header("upload-concat"), Some("partial"));
        assert_eq!(seen.header("upload-length"), Some(length));
        assert_eq!(seen.header("upload-metadata"), None);
    }
}

#[test]
fn a_file_for_one_connection_or_a_server_that_does_not_join_is_one_upload() {
    for (connections, joins, max_size, partials) in [
        (1, true, None, 0),
        (2, false, None, 0),
        (2, true, Some(9), 0),
        (2, true, Some(10), 4),
    ] {
        let offers = OnceLock::from(Offers {
            joins,
            max_size,
            ..Offers::default()
        });
        let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
        let script = Script::new(&MADE[..partials.max(1)]);
        let job = Job {
            connections,
            ..job()
        };
        tus.locate(&script, &job, None).unwrap();
        let seen = script.seen();
        let is_partial = |it: &&script::Seen| it.header("upload-concat").is_some();
        assert_eq!(seen.iter().filter(is_partial).count(), partials);
    }
}

#[test]
fn sections_that_were_made_before_a_failure_are_not_made_again() {
    let busy: Reply<'_> = (503, &[]);
    let ((), _) = with(
        &[MADE[0], MADE[1], busy, MADE[2], MADE[3]],
        |tus, script| {
            assert!(tus.locate(script, &job(), None).unwrap_err().is_passing());
            let answer = tus.locate(script, &job(), None).unwrap();
            assert_eq!(answer.id.as_deref(), Some(KEY));
            assert_eq!(script.lines().len(), 5);
        },
    );
}

#[test]
fn all_sections_are_asked_and_those_that_are_gone_begin_anew() {
    let (answer, lines, _) = locate(&[HAS_3, HAS_2, HAS_0, HAS_1], Some(KEY));
    let answer = answer.unwrap();
    assert_eq!((answer.state, answer.offset), (State::Partial, 5));
    let held = vec![(0, 3), (3, 5), (9, 10)];
    assert_eq!(answer.sections, Some(sections(3, held)));
    assert_eq!(answer.id.as_deref(), Some(KEY));
    assert_eq!(lines[2], "HEAD http://host/files/2");
    // The last one is of another length, so it is of another file.
    let other: Reply<'_> = (200, &[("upload-offset", "1"), ("upload-length", "3")]);
    let (new, newer) = (made(&[("location", "7")]), made(&[("location", "8")]));
    let (answer, lines, _) = locate(&[HAS_3, (410, &[]), new, HAS_3, other, newer], Some(KEY));
    let answer = answer.unwrap();
    assert_eq!(answer.sections, Some(sections(3, vec![(0, 3), (6, 9)])));
    let key = "http://host/files/0 http://host/files/7 http://host/files/2 http://host/files/8";
    assert_eq!(answer.id.as_deref(), Some(key));
    assert_eq!(lines[2], format!("POST {AT}"));
    let (answer, ..) = locate(&[(200, &[("upload-offset", "4")])], Some(KEY));
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::BadOffset);
}

#[test]
fn a_part_goes_to_its_section() {
    let reply: Reply<'_> = (204, &[("upload-offset", "3")]);
    let ((outcome, seen), _) = with(&[reply], |tus, script| {
        let outcome = tus.send(script, &job(), segment(KEY, 4, &mut Bytes(b"56")));
        (outcome, script.seen())
    });
    assert_eq!(seen[0].line, "PATCH http://host/files/1");
    assert_eq!(seen[0].header("upload-offset"), Some("1"));
    let Ok(Outcome::Accepted(answer)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((answer.state, answer.offset), (State::Partial, 0));
    assert!(answer.shows(4, 6) && answer.shows(3, 6) && !answer.shows(2, 6));
    // It cannot have more than was sent.
    let ((error, _), _) = with(&[(204, &[("upload-offset", "4")])], |tus, script| {
        let sent = tus.send(script, &job(), segment(KEY, 4, &mut Bytes(b"56")));
        (sent.unwrap_err(), script.seen())
    });
    assert_eq!(error.kind(), ErrorKind::BadOffset);
    let gone: Reply<'_> = (404, &[]);
    // Something in between may have answered the first one.
    for replies in [&[gone, gone][..], &[(410, &[])]] {
        let ((outcome, _), _) = with(replies, |tus, script| {
            let sent = tus.send(script, &job(), segment(KEY, 4, &mut Bytes(b"56")));
            (sent, script.seen())
        });
        let Ok(Outcome::OffsetMismatch(answer)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(answer.reach(), 0);
    }
}

#[test]
fn a_section_is_asked_by_an_offset_in_it() {
    let ((reach, lines), _) = with(&[HAS_1], |tus, script| {
        let answer = tus.ask_section(script, &job(), Some(KEY), 5).unwrap();
        (answer.reach(), script.lines())
    });
    assert_eq!((reach, &lines[0][..]), (4, "HEAD http://host/files/1"));
    let (reach, _) = with(&[HAS_0], |tus, script| {
        tus.ask_section(script, &job(), Some(KEY), 5)
            .map(|it| it.reach())
    });
    assert_eq!(reach, Ok(3));
    let (gone, _) = with(&[(404, &[])], |tus, script| {
        tus.ask_section(script, &job(), Some(KEY), 5)
    });
    assert_eq!(gone.unwrap_err().kind(), ErrorKind::BadResponse);
}

#[test]
fn the_sections_are_joined_in_their_order_with_the_files_description() {
    let ((outcome, seen), _) = with(&[JOINED, WHOLE], |tus, script| {
        let outcome = tus.send(script, &job(), segment(KEY, 10, &mut Bytes(b"")));
        (outcome, script.seen())
    });
    let Ok(Outcome::Accepted(answer)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((answer.state, answer.offset), (State::Complete, 10));
    assert_eq!(answer.id.as_deref(), Some("http://host/files/9"));
    assert_eq!(answer.location, answer.id);
    assert_eq!(seen[0].line, format!("POST {AT}"));
    let list = format!("final;{KEY}");
    assert_eq!(seen[0].header("upload-concat"), Some(&list[..]));
    assert_eq!(seen[0].header("upload-length"), None);
    assert!(seen[0]
        .header("upload-metadata")
        .unwrap()
        .starts_with("filename "));
    assert_eq!(seen[1].line, "HEAD http://host/files/9");
}

#[test]
fn a_joined_file_is_asked_for_again_and_not_joined_twice() {
    let ((), _) = with(&[JOINED, (503, &[]), WHOLE], |tus, script| {
        let sent = tus.send(script, &job(), segment(KEY, 10, &mut Bytes(b"")));
        assert!(sent.unwrap_err().is_passing());
        // The server may have removed the sections meanwhile.
        let located = tus.locate(script, &job(), Some(KEY)).unwrap();
        assert_eq!((located.state, located.offset), (State::Partial, 10));
        let sent = tus.send(script, &job(), segment(KEY, 10, &mut Bytes(b"")));
        assert!(matches!(sent, Ok(Outcome::Accepted(_))));
        let head = "HEAD http://host/files/9";
        assert_eq!(script.lines(), [&format!("POST {AT}"), head, head]);
    });
}

#[test]
fn what_the_server_says_of_the_joined_file_has_to_be_right() {
    for told in [
        (200, &[][..]),
        (204, &[("upload-length", "10")]),
        (404, &[]),
        (403, &[]),
    ] {
        let (outcome, ..) = join(&[JOINED, told]);
        assert!(matches!(outcome, Ok(Outcome::Accepted(_))), "{outcome:?}");
    }
    for told in [
        [("upload-length", "9")],
        [("upload-length", "11")],
        [("upload-offset", "0")],
    ] {
        let (outcome, _, has_refused) = join(&[JOINED, (200, &told)]);
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("and this one has 10"), "{error}");
        assert!(has_refused);
    }
    for location in ["//other/9", "ftp://host/9"] {
        let location = [("location", location)];
        let (outcome, ..) = join(&[(201, &location)]);
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::BadResponse);
    }
}

#[test]
fn a_server_that_does_not_join_gets_the_file_as_one_upload() {
    let mut replies = vec![(400, &[][..])];
    replies.extend(ALL);
    let (outcome, _, has_refused) = join(&replies);
    let error = outcome.unwrap_err();
    assert!(error.is_passing() && has_refused);
    let words = "the server does not join partial uploads; the next attempt sends the file as one";
    assert!(error.to_string().contains(words), "{error}");
    // One that has lost bytes of a section meanwhile has not refused to join.
    let (outcome, _, has_refused) = join(&[(400, &[]), HAS_3, HAS_2]);
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("from 3 on"), "{error}");
    assert!(!has_refused);
    // Such states pass.
    for status in [408, 423, 429, 502, 503] {
        let reply: Reply<'_> = (status, &[]);
        let mut replies = vec![reply];
        if status < 429 {
            replies.extend(ALL);
        }
        let (outcome, _, has_refused) = join(&replies);
        assert!(outcome.unwrap_err().is_passing(), "{status}");
        assert!(!has_refused, "{status}");
    }
}

#[test]
fn after_a_refusal_the_sections_are_removed() {
    let deleted: Reply<'_> = (204, &[]);
    let ((), _) = with(&[MADE[0], (403, &[]), deleted, MADE[3]], |tus, script| {
        let error = tus.locate(script, &job(), None).unwrap_err();
        assert!(
            error.to_string().contains("does not take partial uploads"),
            "{error}"
        );
        let kind = ErrorKind::Refused(RefusalKind::Failing);
        assert_eq!(error.kind(), kind);
        let answer = tus.locate(script, &job(), None).unwrap();
        assert_eq!(answer.sections, None);
        let lines = script.lines();
        assert_eq!(lines[2], "DELETE http://host/files/0");
        assert_eq!(lines[3], format!("POST {AT}"));
    });
    let mut replies = vec![(400, &[][..])];
    replies.extend(ALL);
    replies.extend([deleted; 4]);
    replies.push(MADE[0]);
    let ((), _) = with(&replies, |tus, script| {
        let sent = tus.send(script, &job(), segment(KEY, 10, &mut Bytes(b"")));
        sent.unwrap_err();
        let answer = tus.locate(script, &job(), Some(KEY)).unwrap();
        assert_eq!((answer.state, answer.offset), (State::New, 0));
        assert_eq!(script.lines()[5], "DELETE http://host/files/0");
    });
    // One that fails is asked once more.
    for status in [429, 500] {
        let reply: Reply<'_> = (status, &[]);
        let ((), has_refused) = with(&[reply, reply, MADE[0]], |tus, script| {
            for _ in 0..2 {
                tus.locate(script, &job(), None).unwrap_err();
            }
            let answer = tus.locate(script, &job(), None).unwrap();
            assert_eq!(answer.sections, None);
            script.seen();
        });
        assert!(has_refused);
    }
}

#[test]
fn long_urls_make_fewer_sections_or_none() {
    // Three of them fit into a line.
    let long = |digit: &str| -> &'static str {
        Box::leak(format!("/{}", digit.repeat(2300)).into_boxed_str())
    };
    let reply =
        |digit| -> Reply<'static> { (201, Box::leak(Box::new([("location", long(digit))]))) };
    let deleted: Reply<'_> = (204, &[]);
    let replies = [reply("1"), deleted, reply("2"), reply("3"), reply("4")];
    let ((), _) = with(&replies, |tus, script| {
        let answer = tus.locate(script, &job(), None).unwrap();
        assert_eq!(answer.sections.unwrap().length, 4);
        let key = answer.id.unwrap();
        assert_eq!(key.split(' ').count(), 3);
        assert!(key.len() < 7 * 1024);
        script.seen();
    });
    let longer: &'static str = Box::leak(format!("/{}", "5".repeat(4000)).into_boxed_str());
    let location = [("location", longer)];
    let ((), _) = with(&[(201, &location), deleted, MADE[0]], |tus, script| {
        let answer = tus.locate(script, &job(), None).unwrap();
        assert_eq!(answer.sections, None);
        assert_eq!(answer.id.as_deref(), Some("http://host/files/0"));
        script.seen();
    });
}

#[test]
fn a_file_that_has_changed_is_not_joined() {
    struct Changed;
    impl std::io::Read for Changed {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Ok(0)
        }
    }
    impl crate::protocol::FileBytes for Changed {
        fn algorithm(&self) -> Option<resup_digests::Algorithm> {
            None
        }
        fn finish(&mut self) -> std::io::Result<Option<resup_digests::Digest>> {
            Err(std::io::Error::other(Error::SourceChanged {
                path: "f".to_owned(),
                why: "it is longer".to_owned(),
            }))
        }
    }
    let (error, _) = with(&[], |tus, script| {
        let mut none = Bytes(b"");
        let segment = Segment {
            bytes: &mut Changed,
            ..segment(KEY, 10, &mut none)
        };
        tus.send(script, &job(), segment).unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::SourceChanged);
}
