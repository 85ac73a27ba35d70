//! The requests of tus, and what is made of the responses.

mod elsewhere;

use std::sync::OnceLock;

use super::*;
use crate::error::ErrorKind;
use crate::http::Link;
use crate::protocol::script::{job, segment, Bytes, Reply, Script};
use crate::protocol::{Answer, Checksum, Job, Outcome, Protocol, State};

const OPTIONS: Reply<'static> = (204, &[("tus-version", "1.0.0")]);
const AT: &str = "http://host/files/";
const URL: &str = "http://host/files/1";

/// Runs `use_it` against a server that gives these responses; its offers are known.
fn with<T>(replies: &[Reply<'_>], use_it: impl FnOnce(&Tus<'_>, &Script) -> T) -> T {
    let offers = OnceLock::from(Offers {
        max_size: Some(5),
        ..Offers::default()
    });
    use_it(
        &Tus::at(Endpoint::parse(AT).unwrap(), &offers),
        &Script::new(replies),
    )
}

fn locate(replies: &[Reply<'_>], key: Option<&str>) -> (Result<Answer, Error>, Vec<String>) {
    with(replies, |tus, script| {
        (tus.locate(script, &job(), key), script.lines())
    })
}

fn send(replies: &[Reply<'_>]) -> (Result<Outcome, Error>, Vec<String>) {
    with(replies, |tus, script| {
        let outcome = tus.send(script, &job(), segment(URL, 4, &mut Bytes(b"56789")));
        (outcome, script.lines())
    })
}

#[test]
fn an_upload_is_created_with_its_description() {
    let offers = OnceLock::new();
    let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
    let script = Script::new(&[OPTIONS, (201, &[("location", "1")])]);
    let job = Job {
        dir: "x".to_owned(),
        digests: vec![resup_digests::Digest::of(
            resup_digests::Algorithm::Md5,
            b"",
        )],
        fields: vec![("k".to_owned(), String::new())],
        ..job()
    };
    let answer = tus.locate(&script, &job, None).unwrap();
    assert_eq!((answer.state, answer.offset), (State::New, 0));
    assert_eq!(answer.id.as_deref(), Some(URL));
    assert_eq!(answer.agreed, None);
    let seen = script.seen();
    assert_eq!(seen[0].line, format!("OPTIONS {AT}"));
    assert_eq!(seen[1].line, format!("POST {AT}"));
    assert_eq!(seen[1].header("tus-resumable"), Some("1.0.0"));
    assert_eq!(seen[1].header("upload-length"), Some("10"));
    assert_eq!(
        seen[1].header("upload-metadata"),
        Some(
            "filename YSBiLnR4dA==,filetype dGV4dC9wbGFpbg==,mtime Nw==,dir eA==,\
             md5 ZDQxZDhjZDk4ZjAwYjIwNGU5ODAwOTk4ZWNmODQyN2U=,k"
        )
    );
    let named = Job {
        fields: vec![("filename".to_owned(), "b".to_owned())],
        ..crate::protocol::script::job()
    };
    let metadata = metadata::write(&named).unwrap();
    assert_eq!(
        metadata,
        "filetype dGV4dC9wbGFpbg==,mtime Nw==,filename Yg=="
    );
    // What the server offers is asked once a client.
    let script = Script::new(&[(201, &[("location", URL)])]);
    tus.locate(&script, &job, None).unwrap();
    assert_eq!(script.lines(), [format!("POST {AT}")]);
}

#[test]
fn an_uploads_url_may_be_anywhere_but_not_less_safe() {
    for (location, url) in [
        ("2", "http://host/files/2"),
        ("/u/2", "http://host/u/2"),
        ("//other/2", "http://other/2"),
        ("https://other:8/2#x", "https://other:8/2"),
    ] {
        let location = [("location", location)];
        let (answer, _) = locate(&[(201, &location)], None);
        assert_eq!(answer.unwrap().id.as_deref(), Some(url));
    }
    for reply in [
        (201, &[][..]),
        (201, &[("location", "ftp://host/2")]),
        (200, &[("location", "http://")]),
    ] {
        let (answer, _) = locate(&[reply], None);
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadResponse);
        assert!(error.to_string().contains("Location"), "{error}");
    }
    let offers = OnceLock::from(Offers::default());
    let tus = Tus::at(Endpoint::parse("https://host/files/").unwrap(), &offers);
    let script = Script::new(&[(201, &[("location", "http://host/files/1")])]);
    let error = tus.locate(&script, &job(), None).unwrap_err().to_string();
    assert!(error.contains("cross the network in clear"), "{error}");
}

#[test]
fn the_creation_of_an_upload_follows_redirects_of_the_same_origin() {
    let to: Reply<'_> = (307, &[("location", "/new/")]);
    let (answer, lines) = locate(&[to, (201, &[("location", "1")])], None);
    assert_eq!(answer.unwrap().id.as_deref(), Some("http://host/new/1"));
    assert_eq!(lines, ["POST http://host/files/", "POST http://host/new/"]);
    let (answer, _) = locate(&[(308, &[("location", "http://other/")])], None);
    let error = answer.unwrap_err().to_string();
    assert!(error.contains("it points to http://other/"), "{error}");
    let (answer, lines) = locate(&[to; 6], None);
    assert_eq!(lines.len(), 6);
    let error = answer.unwrap_err().to_string();
    assert!(error.contains("more than 5 times"), "{error}");
}

#[test]
fn an_upload_that_is_known_is_asked_for_its_offset() {
    let has: Reply<'_> = (200, &[("upload-offset", "4"), ("upload-length", "10")]);
    let (answer, lines) = locate(&[has], Some(URL));
    let answer = answer.unwrap();
    assert_eq!((answer.state, answer.offset), (State::Partial, 4));
    assert_eq!(lines, [format!("HEAD {URL}")]);
    let (answer, _) = locate(&[(204, &[("upload-offset", "10")])], Some(URL));
    let answer = answer.unwrap();
    assert_eq!((answer.state, answer.offset), (State::Complete, 10));
    assert_eq!(answer.location.as_deref(), Some(URL));
}

#[test]
fn an_upload_that_is_gone_or_of_another_file_begins_anew() {
    let new: Reply<'_> = (201, &[("location", "2")]);
    for gone in [
        (404, &[][..]),
        (410, &[]),
        (403, &[]),
        (200, &[("upload-offset", "4"), ("upload-length", "11")]),
    ] {
        let (answer, lines) = locate(&[gone, new], Some(URL));
        let answer = answer.unwrap();
        assert_eq!(answer.id.as_deref(), Some("http://host/files/2"));
        assert_eq!(lines, [format!("HEAD {URL}"), format!("POST {AT}")]);
    }
}

#[test]
fn an_offset_that_cannot_be_right_is_an_error() {
    for (offset, kind, words) in [
        ("11", ErrorKind::BadOffset, "11 of 10 bytes"),
        (
            "-1",
            ErrorKind::BadResponse,
            "\"-1\" is not one whole number",
        ),
        ("+1", ErrorKind::BadResponse, "not one whole number"),
        ("", ErrorKind::BadResponse, "not one whole number"),
        (
            "99999999999999999999",
            ErrorKind::BadResponse,
            "not one whole number",
        ),
    ] {
        let fields = [("upload-offset", offset)];
        let (answer, _) = locate(&[(200, &fields)], Some(URL));
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(words), "{error}");
    }
    let (answer, _) = locate(&[(200, &[])], Some(URL));
    let error = answer.unwrap_err().to_string();
    assert!(error.contains("no Upload-Offset"), "{error}");
    let twice: Reply<'_> = (200, &[("upload-offset", "1"), ("upload-offset", "2")]);
    let (answer, _) = locate(&[twice], Some(URL));
    let error = answer.unwrap_err().to_string();
    assert!(error.contains("not one whole number"), "{error}");
}

#[test]
fn an_answer_on_a_kept_connection_is_asked_for_again() {
    let [none, some] = ["0", "4"].map(|offset| [("upload-offset", offset)]);
    let (none, some): (Reply<'_>, Reply<'_>) = ((200, &none), (200, &some));
    for (first, second, offset) in [(some, none, 0), ((404, &[]), some, 4)] {
        let (answer, lines) = with(&[first, second], |tus, script| {
            script.link.set(Link::Kept);
            (tus.locate(script, &job(), Some(URL)), script.lines())
        });
        assert_eq!((answer.unwrap().offset, lines.len()), (offset, 2));
    }
}

#[test]
fn bytes_are_appended_with_their_offset_and_checksum() {
    let reply: Reply<'_> = (204, &[("upload-offset", "9")]);
    let (outcome, seen) = with(&[reply], |tus, script| {
        let mut bytes = Bytes(b"56789");
        let segment = Segment {
            checksum: Some(Checksum {
                algorithm: ChecksumAlgorithm::Sha1,
                bytes: vec![1, 2, 3],
            }),
            ..segment(URL, 4, &mut bytes)
        };
        (tus.send(script, &job(), segment), script.seen())
    });
    let Ok(Outcome::Accepted(answer)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((answer.state, answer.offset), (State::Partial, 9));
    let [seen] = &seen[..] else { panic!() };
    assert_eq!(seen.line, format!("PATCH {URL}"));
    assert_eq!(seen.header("upload-offset"), Some("4"));
    assert_eq!(seen.header("upload-checksum"), Some("sha1 AQID"));
    let content_type = "application/offset+octet-stream";
    assert_eq!(seen.header("content-type"), Some(content_type));
    assert_eq!(seen.body, "56789");
}

#[test]
fn the_server_is_asked_where_its_answer_to_a_send_does_not_tell() {
    let has: Reply<'_> = (200, &[("upload-offset", "4")]);
    let (outcome, lines) = send(&[(204, &[]), has]);
    assert!(matches!(outcome, Ok(Outcome::Accepted(answer)) if answer.offset == 4));
    assert_eq!(lines, [format!("PATCH {URL}"), format!("HEAD {URL}")]);
    let (outcome, _) = send(&[(409, &[]), has]);
    assert!(matches!(outcome, Ok(Outcome::OffsetMismatch(_))));
    let (outcome, _) = send(&[(460, &[]), has]);
    assert!(matches!(outcome, Ok(Outcome::ChecksumMismatch(_))));
    let (outcome, _) = send(&[(409, &[]), (404, &[])]);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::BadResponse);
    // Something in between may say so for a moment.
    let (outcome, _) = send(&[(404, &[]), has]);
    assert!(matches!(outcome, Ok(Outcome::OffsetMismatch(answer)) if answer.offset == 4));
    for gone in [&[(404, &[][..]), (404, &[])][..], &[(410, &[])]] {
        let (outcome, _) = send(gone);
        assert!(matches!(outcome, Ok(Outcome::UnknownUpload(_))));
    }
    let (outcome, _) = send(&[(204, &[("upload-offset", "10")])]);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadOffset);
    assert!(
        error.to_string().contains("10, but bytes up to 9"),
        "{error}"
    );
}

#[test]
fn a_post_stands_in_for_a_patch_that_does_not_come_through() {
    let done: Reply<'_> = (204, &[("upload-offset", "9")]);
    with(&[(405, &[]), done], |tus, script| {
        let error = tus.send(script, &job(), segment(URL, 4, &mut Bytes(b"56789")));
        let error = error.unwrap_err();
        assert!(error.is_passing(), "{error}");
        assert!(
            error.to_string().contains("the next attempt sends POST"),
            "{error}"
        );
        let sent = tus.send(script, &job(), segment(URL, 4, &mut Bytes(b"56789")));
        assert!(matches!(sent, Ok(Outcome::Accepted(_))));
        let seen = &script.seen()[1];
        assert_eq!(seen.line, format!("POST {URL}"));
        assert_eq!(seen.header("x-http-method-override"), Some("PATCH"));
    });
}

#[test]
fn a_refusal_says_what_is_known_of_its_cause() {
    let (answer, _) = locate(&[(413, &[("tus-resumable", "1.0.0")])], None);
    let error = answer.unwrap_err().to_string();
    assert!(
        error.contains("files of at most 5 bytes, and this one has 10"),
        "{error}"
    );
    let (answer, _) = locate(&[(405, &[])], None);
    let error = answer.unwrap_err().to_string();
    assert!(
        error.contains("nothing shows that the server speaks tus"),
        "{error}"
    );
    // What stands before the server may say these.
    let basic: Reply<'_> = (401, &[("www-authenticate", "Basic realm=x")]);
    for (reply, words) in [
        (basic, "asks for a user and a password"),
        ((429, &[]), "429"),
    ] {
        let error = locate(&[reply], None).0.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(!error.contains("nothing shows"), "{error}");
    }
    let bad = Job {
        fields: vec![("a b".to_owned(), String::new())],
        ..job()
    };
    let error = with(&[], |tus, script| tus.locate(script, &bad, None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn the_best_checksum_that_both_have_is_used() {
    let read = |fields: &[(&'static str, &'static str)]| {
        let offers = OnceLock::new();
        let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
        let script = Script::new(&[(204, fields), (201, &[("location", "1")])]);
        tus.locate(&script, &job(), None)
            .map(|_| (tus.abilities().checksum, offers.get().unwrap().max_size))
    };
    let checks = ("tus-extension", "creation, checksum");
    let some = ("tus-checksum-algorithm", "md5,SHA1,crc32");
    assert_eq!(
        read(&[checks, some]),
        Ok((Some(ChecksumAlgorithm::Sha1), None))
    );
    assert_eq!(read(&[some]), Ok((None, None)), "no extension");
    assert_eq!(read(&[("tus-max-size", "77")]), Ok((None, Some(77))));
    let error = read(&[("tus-version", "0.2.2, 0.2.1")]);
    assert!(error.is_err_and(|e| e.to_string().contains("0.2.2, 0.2.1")));
    // A server that is busy is asked again.
    let offers = OnceLock::new();
    let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
    let created: Reply<'_> = (201, &[("location", "1")]);
    let script = Script::new(&[(503, &[]), created, (204, &[checks, some]), created]);
    for checksum in [None, Some(ChecksumAlgorithm::Sha1)] {
        tus.locate(&script, &job(), None).unwrap();
        assert_eq!(tus.abilities().checksum, checksum);
    }
    script.seen();
}

#[test]
fn what_the_server_does_with_uploads_is_learned() {
    for (extensions, joins, removes) in [
        ("creation", false, false),
        ("creation,concatenation", true, false),
        ("termination, concatenation-unfinished", false, true),
    ] {
        let offers = OnceLock::new();
        let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
        let fields = [("tus-extension", extensions)];
        let script = Script::new(&[(204, &fields), (201, &[("location", "1")])]);
        tus.locate(&script, &job(), None).unwrap();
        let offers = offers.get().unwrap();
        assert_eq!((offers.joins, offers.terminates), (joins, Some(removes)));
    }
}
