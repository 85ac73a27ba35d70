//! Uploads that are created by a request that carries the file.

use std::sync::OnceLock;

use super::*;
use crate::error::{ErrorKind, RefusalKind};
use crate::protocol::script::{job, Bytes, Reply, Script};
use crate::protocol::{Answer, Protocol, State, Store};

const AT: &str = "http://host/files/";
const URL: &str = "http://host/files/1";

/// Stores a file of ten bytes at a server that gives these responses.
fn store_at(script: &Script, takes_it: bool) -> Result<Option<Answer>, Error> {
    let offers = OnceLock::from(Offers {
        creates_with_bytes: takes_it,
        ..Offers::default()
    });
    let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
    assert_eq!(tus.creates_with_file(), takes_it);
    let store = Store {
        digest: None,
        checksum: Some(Checksum {
            algorithm: ChecksumAlgorithm::Sha1,
            bytes: b"sum".to_vec(),
        }),
        bytes: &mut Bytes(b"0123456789"),
    };
    tus.store(script, &job(), store)
}

fn store(replies: &[Reply<'_>]) -> (Result<Option<Answer>, Error>, Vec<String>) {
    let script = Script::new(replies);
    (store_at(&script, true), script.lines())
}

#[test]
fn the_request_has_the_description_the_checksum_and_the_bytes() {
    let script = Script::new(&[(201, &[("location", "1"), ("upload-offset", "10")])]);
    let answer = store_at(&script, true).unwrap().unwrap();
    assert_eq!((answer.state, answer.offset), (State::Complete, 10));
    assert_eq!(answer.location.as_deref(), Some(URL));
    let seen = script.seen();
    assert_eq!(seen[0].line, format!("POST {AT}"));
    assert_eq!(seen[0].body, "0123456789");
    for (name, value) in [
        ("tus-resumable", "1.0.0"),
        ("upload-length", "10"),
        ("content-type", "application/offset+octet-stream"),
        ("upload-checksum", "sha1 c3Vt"),
        (
            "upload-metadata",
            "filename YSBiLnR4dA==,filetype dGV4dC9wbGFpbg==,mtime Nw==",
        ),
    ] {
        assert_eq!(seen[0].header(name), Some(value), "{name}");
    }
    assert_eq!(seen[0].header("upload-offset"), None);
}

#[test]
fn only_a_server_that_offers_it_gets_such_a_request() {
    assert_eq!(store_at(&Script::new(&[]), false), Ok(None));
    for (extensions, takes_it) in [
        ("creation,creation-with-upload", true),
        ("creation,creation-with-uploads", false),
        ("creation", false),
    ] {
        let offers = OnceLock::new();
        let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
        assert!(!tus.creates_with_file(), "nothing is known");
        let options: Reply<'_> = (204, &[("tus-version", "1.0.0")]);
        let script = Script::new(&[options, (201, &[("location", "1")])]);
        let script = script.with_field(0, "tus-extension", extensions);
        tus.locate(&script, &job(), None).unwrap();
        assert_eq!(tus.creates_with_file(), takes_it, "{extensions}");
    }
}

#[test]
fn what_the_server_says_that_it_has_counts() {
    for (offset, state) in [("0", State::New), ("4", State::Partial)] {
        let (answer, _) = store(&[(201, &[("location", "1"), ("upload-offset", offset)])]);
        let answer = answer.unwrap().unwrap();
        assert_eq!(
            (answer.state, answer.offset.to_string()),
            (state, offset.to_owned())
        );
        assert_eq!(answer.id.as_deref(), Some(URL));
    }
    let (answer, _) = store(&[(201, &[("location", "1"), ("upload-offset", "11")])]);
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::BadOffset);
    let (answer, _) = store(&[(201, &[("upload-offset", "10")])]);
    assert!(answer.unwrap_err().to_string().contains("Location"));
}

#[test]
fn a_server_that_tells_no_offset_is_asked() {
    let made: Reply<'_> = (201, &[("location", "1")]);
    for (told, state) in [("0", State::New), ("10", State::Complete)] {
        let (answer, lines) = store(&[made, (200, &[("upload-offset", told)])]);
        assert_eq!(answer.unwrap().unwrap().state, state);
        assert_eq!(lines, [format!("POST {AT}"), format!("HEAD {URL}")]);
    }
    let (answer, _) = store(&[made, (404, &[])]);
    let error = answer.unwrap_err().to_string();
    assert!(error.contains("does not show the upload"), "{error}");
}

#[test]
fn a_refusal_of_the_bytes_leads_to_a_creation_without_them() {
    for status in [307, 400, 405, 411, 413, 415, 501] {
        assert_eq!(store(&[(status, &[])]).0, Ok(None), "{status}");
    }
    for (status, kind) in [
        (403, RefusalKind::NotAllowed),
        (460, RefusalKind::Failing),
        (503, RefusalKind::Busy),
    ] {
        let (answer, _) = store(&[(status, &[])]);
        let kind = ErrorKind::Refused(kind);
        assert_eq!(answer.unwrap_err().kind(), kind, "{status}");
    }
    let (answer, _) = store(&[(0, &[])]);
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::ConnectionLost);
}
