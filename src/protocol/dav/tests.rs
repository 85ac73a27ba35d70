//! The requests of WebDAV, and what comes of the answers.

use super::*;
use crate::error::{ErrorKind, RefusalKind};
use crate::protocol::script::{job, segment, Bytes, Reply, Script};

const AT: &str = "http://host/dav/";

fn dav<'a>(at: &str, learned: &'a Learned) -> Dav<'a> {
    Dav::at(Endpoint::parse(at).unwrap(), learned)
}

fn locate(replies: &[Reply<'_>], job: &Job) -> (Result<Answer, Error>, Vec<String>) {
    let (learned, script) = (Learned::default(), Script::new(replies));
    let answer = dav(AT, &learned).locate(&script, job, None);
    (answer, script.lines())
}

fn in_dir(dir: &str) -> Job {
    Job {
        dir: dir.to_owned(),
        ..job()
    }
}

#[test]
fn a_file_is_at_its_name_below_the_collection_or_at_the_url_itself() {
    let place = |at: &str, job: &Job| {
        let place = Place::of(&Endpoint::parse(at).unwrap(), job).unwrap();
        let collections = place.collections.iter().map(|it| it.uri().to_string());
        (place.url.uri().to_string(), collections.collect::<Vec<_>>())
    };
    let odd = Job {
        name: "a/ü %?#.txt".replace('/', ""),
        ..in_dir("x y/ö")
    };
    let root = "http://host/dav/x%20y/";
    assert_eq!(
        place("http://host/dav/?tenant=7", &odd),
        (
            format!("{root}%C3%B6/a%C3%BC%20%25%3F%23.txt?tenant=7"),
            vec![
                format!("{root}?tenant=7"),
                format!("{root}%C3%B6/?tenant=7")
            ],
        )
    );
    let own = "http://host/dav/other.bin";
    assert_eq!(place(own, &job()), (own.to_owned(), Vec::new()));
    let error = Place::of(&Endpoint::parse(own).unwrap(), &in_dir("x")).unwrap_err();
    assert!(
        error.to_string().starts_with("directory has no place"),
        "{error}"
    );
    for dir in ["..", "x/../../y", "x/.", "./x"] {
        let error = Place::of(&Endpoint::parse(AT).unwrap(), &in_dir(dir)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{dir}");
        let wanted = format!("directory {dir:?} has the part \"");
        assert!(error.to_string().starts_with(&wanted), "{error}");
    }
    // Other names with dots are names.
    let url = "http://host/dav/..x/.y/.../".to_owned();
    assert_eq!(place(AT, &in_dir("..x/.y/...")).1.last(), Some(&url));
    let with_user = Job {
        user: Some("joe".to_owned()),
        ..job()
    };
    let error = Place::of(&Endpoint::parse(AT).unwrap(), &with_user).unwrap_err();
    assert!(
        error.to_string().starts_with("user has no place in WebDAV"),
        "{error}"
    );
}

#[test]
fn a_small_file_goes_up_by_one_request_that_replaces_nothing() {
    let learned = Learned::default();
    let dav = dav(AT, &learned);
    let script = Script::new(&[
        (404, &[]),
        (201, &[]),
        (200, &[("content-length", "10")]),
        (206, &[]),
    ]);
    let script = script.with_bodies(&["", "", "", "0123456789"]);
    let script = script.with_field(3, "content-range", "bytes 0-9/10");
    let answer = dav.locate(&script, &job(), None).unwrap();
    assert_eq!(
        (answer.state, answer.offset, answer.grain),
        (State::New, 0, Some(u64::MAX))
    );
    let mut bytes = Bytes(b"0123456789");
    let outcome = dav
        .send(&script, &job(), segment("", 0, &mut bytes))
        .unwrap();
    let Outcome::Accepted(answer) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(answer.state, State::Complete);
    assert_eq!(
        answer.location.as_deref(),
        Some("http://host/dav/a%20b.txt")
    );
    let seen = script.seen();
    let lines: Vec<&str> = seen.iter().map(|seen| seen.line.as_str()).collect();
    let url = "http://host/dav/a%20b.txt";
    assert_eq!(
        lines,
        ["HEAD", "PUT", "HEAD", "GET"].map(|method| format!("{method} {url}"))
    );
    assert_eq!(seen[1].header("if-none-match"), Some("*"));
    assert_eq!(seen[1].header("content-range"), None);
    assert_eq!(seen[1].body, "0123456789");
    assert_eq!(seen[3].header("range"), Some("bytes=0-9"));
}

#[test]
fn missing_collections_are_made_from_the_outermost_one_on() {
    let learned = Learned::default();
    let dav = dav(AT, &learned);
    let script = Script::new(&[
        (404, &[]),
        // Neither the inner nor the outer one is there.
        (409, &[]),
        (409, &[]),
        (201, &[]),
        (201, &[]),
        (507, &[]),
    ]);
    let job = in_dir("x/y");
    dav.locate(&script, &job, None).unwrap();
    let mut bytes = Bytes(b"0123456789");
    let error = dav
        .send(&script, &job, segment("", 0, &mut bytes))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("507 (the server has no room for it)"),
        "{error}"
    );
    let url = "http://host/dav/x/";
    let made: Vec<_> = script.lines().into_iter().skip(1).take(4).collect();
    let (inner, outer) = (format!("MKCOL {url}y/"), format!("MKCOL {url}"));
    assert_eq!(made, [inner.clone(), outer.clone(), outer, inner]);
}

#[test]
fn answers_that_lie_are_not_believed() {
    let length = |length: &'static str| [("content-length", length)];
    let five = length("5");
    for (range, body, why) in [
        (
            "bytes 0-4/6",
            "01234",
            "it has the range \"bytes 0-4/6\", and \"bytes 0-4/5\" was asked for",
        ),
        ("bytes 1-5/5", "01234", "it has the range"),
        ("", "01234", "it has the range \"\""),
        ("bytes 0-4/5", "0123", "it has 4 bytes of a range of 5"),
    ] {
        let learned = Learned::default();
        let script = Script::new(&[(200, &five), (206, &[])]).with_bodies(&["", body]);
        let script = script.with_field(1, "content-range", range);
        let error = dav(AT, &learned).locate(&script, &job(), None).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(script.lines().len(), 2, "nothing is sent");
    }
    // A page for people in place of the file: it has another length.
    let learned = Learned::default();
    let script = Script::new(&[(200, &length("4")), (200, &[])]).with_bodies(&["", "<p>log in"]);
    let error = dav(AT, &learned).locate(&script, &job(), None).unwrap_err();
    assert!(matches!(error, Error::OtherFile { .. }), "{error}");
    let (error, lines) = locate(&[(302, &[("location", "/login")])], &job());
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("302 (it points to /login, which is not followed)"),
        "{error}"
    );
    assert_eq!(lines.len(), 1);
}

#[test]
fn more_bytes_than_were_sent_are_not_believed() {
    let learned = Learned::default();
    learned.set(Mode::Put);
    let dav = dav(AT, &learned);
    let job = Job {
        size: 1000,
        ..job()
    };
    let script = Script::new(&[
        (404, &[]),
        (201, &[]),
        (204, &[]),
        (200, &[("content-length", "999")]),
        (206, &[]),
    ]);
    let body: &'static str = Box::leak("x".repeat(999).into_boxed_str());
    let script = script.with_bodies(&["", "", "", "", body]);
    let script = script.with_field(4, "content-range", "bytes 0-998/999");
    dav.locate(&script, &job, None).unwrap();
    let mut bytes = Bytes(b"01234");
    let error = dav
        .send(&script, &job, segment("", 0, &mut bytes))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("999, but bytes up to 5 were sent"),
        "{error}"
    );
    let seen = script.seen();
    assert_eq!(seen[1].body, "");
    assert_eq!(seen[1].header("if-none-match"), Some("*"));
    assert_eq!(seen[2].header("content-range"), Some("bytes 0-4/1000"));
    assert_eq!(seen[2].header("if-match"), Some("*"));
}

#[test]
fn only_a_strong_tag_is_a_condition() {
    for (tag, condition) in [("\"7\"", "\"7\""), ("W/\"7\"", "*"), ("7", "*"), ("", "*")] {
        let learned = Learned::default();
        learned.set(Mode::Put);
        let dav = dav(AT, &learned);
        let job = Job {
            size: 1000,
            ..job()
        };
        let script = Script::new(&[(200, &[("content-length", "5")]), (206, &[]), (423, &[])]);
        let script = script.with_bodies(&["", "01234", ""]);
        let script = script.with_field(1, "content-range", "bytes 0-4/5");
        let script = script.with_field(0, "etag", tag);
        let answer = dav.locate(&script, &job, None).unwrap();
        assert_eq!((answer.state, answer.offset), (State::Partial, 5));
        assert!(answer.tail.unwrap().conflict.is_some());
        let mut bytes = Bytes(b"56789");
        let error = dav
            .send(&script, &job, segment("", 5, &mut bytes))
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("423 (a program has locked the file"),
            "{error}"
        );
        assert_eq!(error.refusal().unwrap().kind, RefusalKind::Locked);
        let seen = script.seen();
        assert_eq!(seen[2].header("if-match"), Some(condition));
        assert_eq!(seen[2].header("content-range"), Some("bytes 5-9/1000"));
    }
}

#[test]
fn the_small_file_is_removed_whatever_comes_of_it_or_named() {
    let large = Job {
        size: 1000,
        ..job()
    };
    let odd = [("content-length", "x")];
    // (The answers to OPTIONS and later requests, whether the file may be left)
    for (replies, is_left) in [
        (
            &[(200, &[][..]), (201, &[]), (204, &[]), (204, &[])][..],
            true,
        ),
        // It was not made at all.
        (&[(200, &[]), (401, &[])], false),
    ] {
        for (status, is_removed) in [(204, true), (404, true), (403, false)] {
            let mut all = vec![(404, &[][..])];
            all.extend(replies);
            if is_left {
                all.push((200, &odd));
            }
            all.push((status, &[]));
            let (learned, script) = (Learned::default(), Script::new(&all));
            let dav = dav(AT, &learned);
            dav.locate(&script, &large, None).unwrap_err();
            let last = script.lines().pop().unwrap();
            assert!(
                last.starts_with("DELETE http://host/dav/resup-probe-"),
                "{last}"
            );
            let notes = dav.notes();
            assert_eq!(
                notes.len(),
                usize::from(is_left && !is_removed),
                "{notes:?}"
            );
            for (level, line) in notes {
                let name = dav.probe.name().unwrap();
                let wanted = format!(
                    "the small file {name} may be left there, since it could not be removed: the \
                     server refused with HTTP status 403"
                );
                assert!(line.starts_with(&wanted), "{line}");
                assert_eq!(level, LogLevel::Warn);
            }
        }
    }
}
