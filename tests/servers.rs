//! What tests/support says of the servers of other people, seen by plain HTTP. `make servers` fetches them.

#[path = "common/raw.rs"]
mod raw;

use std::time::Duration;

use raw::{ask, Answer};
use resup_test_support::files;
use resup_test_support::tus::{Kind, Setup, TusServer, ALL};

const SIZE: usize = 300_000;
const HALF: usize = 120_000;

/// Makes an upload; gives its URL.
fn create(server: &TusServer, size: usize) -> String {
    let answer = try_create(server, size);
    assert_eq!(answer.status, 201, "{answer:?}");
    absolute(server, answer.header("location"))
}

fn try_create(server: &TusServer, size: usize) -> Answer {
    let length = size.to_string();
    // "file", in base64.
    let headers = [
        ("Upload-Length", length.as_str()),
        ("Upload-Metadata", "filename ZmlsZQ=="),
    ];
    ask("POST", &server.endpoint(), &headers, b"")
}

/// Gives the URL of an upload at the address that the server has now.
fn absolute(server: &TusServer, location: &str) -> String {
    let (_, path) = location.split_once("/files/").expect("a path");
    format!("http://{}/files/{path}", server.addr())
}

fn append(url: &str, offset: usize, body: &[u8], more: &[(&str, &str)]) -> Answer {
    let offset = offset.to_string();
    let headers = [
        ("Upload-Offset", offset.as_str()),
        ("Content-Type", "application/offset+octet-stream"),
    ];
    ask("PATCH", url, &[&headers[..], more].concat(), body)
}

fn offset(url: &str) -> usize {
    let answer = ask("HEAD", url, &[], b"");
    assert!([200, 204].contains(&answer.status), "{answer:?}");
    answer.header("upload-offset").parse().unwrap()
}

fn servers() -> impl Iterator<Item = TusServer> {
    ALL.into_iter().filter_map(TusServer::start)
}

#[test]
fn an_upload_in_two_pieces_outlives_a_kill() {
    for mut server in servers() {
        let kind = server.kind();
        assert!(server.files().is_empty(), "{kind:?}");
        let content = files::bytes(SIZE, 3);
        let url = create(&server, SIZE);
        let answer = append(&url, 0, &content[..HALF], &[]);
        assert_eq!(answer.status, 204, "{kind:?}: {answer:?}");
        assert_eq!(answer.header("upload-offset"), HALF.to_string());
        assert_eq!(offset(&url), HALF, "{kind:?}");
        server.restart();
        let url = absolute(&server, &url);
        assert_eq!(offset(&url), HALF, "{kind:?} after a kill");
        let answer = append(&url, HALF, &content[HALF..], &[]);
        assert!([200, 204].contains(&answer.status), "{kind:?}: {answer:?}");
        let stored = server.stored_file(&url);
        assert!(std::fs::read(&stored).unwrap() == content, "{kind:?}");
        assert_eq!(server.files(), [stored], "{kind:?}");
    }
}

#[test]
fn a_deleted_upload_leaves_nothing() {
    for server in servers() {
        let url = create(&server, SIZE);
        append(&url, 0, b"some bytes", &[]);
        assert_eq!(server.files(), [server.stored_file(&url)]);
        let answer = ask("DELETE", &url, &[], b"");
        assert_eq!(answer.status, 204, "{:?}: {answer:?}", server.kind());
        assert!(server.files().is_empty(), "{:?}", server.kind());
        let gone = ask("HEAD", &url, &[], b"").status;
        assert!(
            [403, 404, 410].contains(&gone),
            "{:?}: {gone}",
            server.kind()
        );
    }
}

#[test]
fn a_wrong_checksum_is_refused_where_checksums_are_known() {
    for server in servers() {
        let kind = server.kind();
        let url = create(&server, SIZE);
        // The SHA-1 of no byte, and that of "abc".
        for (sum, right) in [
            ("2jmj7l5rSw0yVb/vlWAYkK/YBwk=", false),
            ("qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", true),
        ] {
            let sum = format!("sha1 {sum}");
            let answer = append(&url, 0, b"abc", &[("Upload-Checksum", &sum)]);
            let expected = match right || !kind.has_checksums() {
                true => 204,
                false => 460,
            };
            assert_eq!(answer.status, expected, "{kind:?}: {answer:?}");
            if !kind.has_checksums() {
                break;
            }
        }
        let names = ask("OPTIONS", &server.endpoint(), &[], b"")
            .head
            .to_lowercase();
        assert_eq!(
            names.contains("tus-checksum-algorithm"),
            kind.has_checksums(),
            "{names}"
        );
    }
}

#[test]
fn limits_and_relative_urls_are_set_where_they_can_be() {
    for kind in ALL {
        let setup = Setup::new(kind).max_size(SIZE as u64).relative();
        let Some(server) = setup.start() else {
            continue;
        };
        let answer = try_create(&server, SIZE + 1);
        assert_eq!(answer.status, 413, "{kind:?}: {answer:?}");
        let answer = try_create(&server, SIZE);
        assert_eq!(answer.status, 201, "{kind:?}: {answer:?}");
        let is_relative = answer.header("location").starts_with("/files/");
        assert_eq!(is_relative, kind != Kind::Tusd, "{kind:?}: {answer:?}");
    }
}

#[test]
fn an_upload_expires_where_it_can() {
    for kind in [Kind::Node, Kind::Python, Kind::Uploadx] {
        let setup = Setup::new(kind).expire(Duration::from_millis(1));
        let Some(server) = setup.start() else {
            continue;
        };
        let url = create(&server, SIZE);
        let gone = ask("HEAD", &url, &[], b"").status;
        assert!([403, 404, 410].contains(&gone), "{kind:?}: {gone}");
    }
}

#[test]
fn tusd_makes_uploads_of_the_ietf_only_when_it_is_told_to() {
    for (ietf, status) in [(true, 201), (false, 412)] {
        let setup = Setup::new(Kind::Tusd);
        let setup = if ietf { setup.ietf() } else { setup };
        let Some(server) = setup.start() else {
            continue;
        };
        let headers = [
            ("Upload-Draft-Interop-Version", "6"),
            ("Upload-Complete", "?0"),
        ];
        let answer = raw::ask_plainly("POST", &server.endpoint(), &headers, b"some bytes");
        assert_eq!(answer.status, status, "{answer:?}");
    }
}
