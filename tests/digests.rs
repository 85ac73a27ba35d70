//! The digest that client and server agree to, as requests and answers show it.

mod common;
#[path = "common/digests.rs"]
mod told;

use std::path::Path;

use common::{client, make_file};
use resup::{Client, DigestAlgorithm, DigestMode, Error, ErrorKind, ProtocolName, Upload};
use resup_digests::{Algorithm, Digest};
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{ScriptedServer, Step};

const SIZE: u64 = 100_000;

fn is_send(head: &RequestHead) -> bool {
    head.boundary().is_some()
}

/// A server that agrees to `agreed`, has the first `held` bytes of the file, and takes the others; or
/// one of version 1.0, which has MD5 and never says so.
fn server(path: &Path, held: u64, agreed: Option<Algorithm>) -> ScriptedServer {
    let content = std::fs::read(path).unwrap();
    let algorithm = agreed.unwrap_or(Algorithm::Md5);
    let prefix = Digest::of(algorithm, &content[..held as usize]).hex();
    let whole = Digest::of(algorithm, &content).hex();
    let answer = move |state: &str, offset: u64, digest: &str| {
        let name = algorithm.name();
        let named = agreed.map(|it| format!(r#","digest":"{}""#, it.name()));
        let named = named.unwrap_or_default();
        format!(
            r#"{{"state":"{state}","offset":{offset},"id":"k","prefix_{name}":"{digest}"{named}}}"#
        )
    };
    ScriptedServer::start_with(move |head, _| {
        Step::reply(
            200,
            &match is_send(head) {
                true => answer("complete", SIZE, &whole),
                false => answer("partial", held, &prefix),
            },
        )
    })
}

fn upload(client: &Client, path: &Path, algorithm: DigestAlgorithm) -> (Result<(), Error>, Upload) {
    let mut upload = Upload::from_file(client, path).unwrap();
    upload.set_digest_algorithm(algorithm).unwrap();
    (upload.run(), upload)
}

#[test]
fn the_digest_of_the_answer_is_in_the_send_and_proves_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a", SIZE);
    let content = std::fs::read(&path).unwrap();
    for agreed in [None].into_iter().chain(Algorithm::ALL.map(Some)) {
        let server = server(&path, 40_000, agreed);
        let client = client(&server.endpoint());
        let (result, upload) = upload(&client, &path, DigestAlgorithm::Automatic);
        result.unwrap();
        assert_eq!(upload.remote().snapshot().bytes_sent, 60_000);
        told::assert_told(&upload.remote(), &content, "a file");
        let [locate, send] = &server.requests()[..] else {
            panic!("two requests");
        };
        assert!(locate
            .body_text()
            .contains("&digests=blake3%2Csha256%2Cmd5"));
        let algorithm = agreed.unwrap_or(Algorithm::Md5);
        let (name, text) = (algorithm.name(), send.body_text());
        let whole = Digest::of(algorithm, &content).hex();
        assert!(text.contains(&format!("name=\"{name}\"\r\n\r\n{whole}\r\n")));
        // A server of version 1.0 sees nothing new in a send.
        let named = text.contains(&format!("name=\"digest\"\r\n\r\n{name}\r\n"));
        assert_eq!(named, algorithm != Algorithm::Md5, "{agreed:?}");
        assert_eq!(text.contains("name=\"digest\""), named);
    }
}

#[test]
fn a_digest_that_is_asked_for_by_name_is_used_or_the_run_fails() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a", SIZE);
    let wanted = [
        (DigestAlgorithm::Blake3, Algorithm::Blake3),
        (DigestAlgorithm::Sha256, Algorithm::Sha256),
        (DigestAlgorithm::Md5, Algorithm::Md5),
    ];
    for (asked, algorithm) in wanted {
        for agreed in [None].into_iter().chain(Algorithm::ALL.map(Some)) {
            let server = server(&path, 40_000, agreed);
            let client = client(&server.endpoint());
            let (result, upload) = upload(&client, &path, asked);
            let locate = server.requests()[0].body_text();
            assert!(locate.ends_with(&format!("&digests={}", algorithm.name())));
            if agreed.unwrap_or(Algorithm::Md5) == algorithm {
                result.unwrap();
                assert_eq!(upload.remote().digest_algorithm(), Some(asked));
                continue;
            }
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::DigestUnavailable, "{error}");
            assert!(!error.is_retryable());
            assert_eq!(server.requests().len(), 1, "no byte is sent");
        }
    }
}

#[test]
fn a_client_remembers_what_its_server_uses() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a", SIZE);
    let content = std::fs::read(&path).unwrap();
    let field = |algorithm: Algorithm| {
        let digest = Digest::of(algorithm, &content).hex();
        format!("&{}={digest}", algorithm.name())
    };
    for agreed in [None, Some(Algorithm::Blake3)] {
        let server = server(&path, 0, agreed);
        let client = client(&server.endpoint());
        for _ in 0..2 {
            let mut upload = Upload::from_file(&client, &path).unwrap();
            upload.set_digest(DigestMode::First).unwrap();
            upload.run().unwrap();
        }
        let locates = server
            .requests()
            .into_iter()
            .filter(|it| !is_send(&it.head));
        let locates: Vec<_> = locates.map(|locate| locate.body_text()).collect();
        let [first, second] = &locates[..] else {
            panic!("{locates:?}");
        };
        let has = |locate: &String| {
            [Algorithm::Blake3, Algorithm::Md5].map(|it| locate.contains(&field(it)))
        };
        assert_eq!(has(first), [true, true], "{first}");
        let only = agreed == Some(Algorithm::Blake3);
        assert_eq!(has(second), [only, !only], "{second}");
    }
}

#[test]
fn without_digests_no_agreement_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a", SIZE);
    let server = server(&path, 0, None);
    let mut upload = Upload::from_file(&client(&server.endpoint()), &path).unwrap();
    upload.set_digest(DigestMode::None).unwrap();
    upload.run().unwrap();
    for request in server.requests() {
        assert!(!request.body_text().contains("digest"), "{request:?}");
    }
    assert_eq!(upload.remote().digest_algorithm(), None);
    assert_eq!(upload.remote().digest(), None);
}

#[test]
fn no_digest_and_one_by_name_are_refused_together() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a", SIZE);
    let server = server(&path, 0, None);
    let client = client(&server.endpoint());
    let set = |upload: &mut Upload, algorithm| {
        upload.set_digest(DigestMode::None).unwrap();
        upload.set_digest_algorithm(algorithm).unwrap();
    };
    let mut upload = Upload::from_file(&client, &path).unwrap();
    set(&mut upload, DigestAlgorithm::Sha256);
    let error = upload.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    for word in ["SHA-256", "(set_digest_algorithm)", "(set_digest)"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(server.requests().len(), 0);
    // Without the name it runs.
    set(&mut upload, DigestAlgorithm::Automatic);
    upload.run().unwrap();
    // Only its digest tells memory from another one, so that it has one in every mode.
    let content = std::fs::read(&path).unwrap();
    let mut upload = Upload::from_memory(&client, content, "a").unwrap();
    set(&mut upload, DigestAlgorithm::Md5);
    upload.run().unwrap();
    assert!(upload.remote().md5().is_some());
}

#[test]
fn reading_back_is_refused_where_it_cannot_be() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let refused = |prepare: &dyn Fn(&Client, &mut Upload), words: &[&str]| {
        let client = client(&server.endpoint());
        let mut upload = Upload::from_memory(&client, *b"abc", "f").unwrap();
        upload.set_read_back(true).unwrap();
        prepare(&client, &mut upload);
        let error = upload.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        for word in ["(set_read_back)"].iter().chain(words) {
            assert!(error.to_string().contains(word), "{error}");
        }
    };
    let session = |client: &Client, _: &mut Upload| client.set_protocol(ProtocolName::Session);
    refused(&session, &["protocol session (set_protocol)"]);
    let dialect = |client: &Client, _: &mut Upload| client.set_dialect("plain").unwrap();
    refused(&dialect, &["a dialect (set_dialect)"]);
    for protocol in [ProtocolName::Form, ProtocolName::Tus, ProtocolName::Dav] {
        let no_digest = |client: &Client, upload: &mut Upload| {
            client.set_protocol(protocol);
            upload.set_digest(DigestMode::None).unwrap();
        };
        refused(&no_digest, &["no digest (set_digest)", "one pass or first"]);
    }
    assert_eq!(server.connections(), 0, "it is refused before a request");
}
