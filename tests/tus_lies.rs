//! Servers of tus that answer wrong: no file is taken for complete, nothing goes on for ever, no secret leaves its origin.

#[path = "tus_lies/checksums.rs"]
mod checksums;
#[path = "tus_lies/creations.rs"]
mod creations;
#[path = "tus_lies/origins.rs"]
mod origins;
#[path = "tus_lies/read_back.rs"]
mod read_back;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use resup::{Client, Error, ErrorKind, ProtocolName, RefusalKind, SegmentSize, Upload};
use resup_test_support::files;
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{End, Read, ScriptedServer, Step};

const SIZE: u64 = 3000;
const SEGMENT: u64 = 1000;

/// What a server gets that has more of an upload than was sent to it.
const LOCKED: ErrorKind = ErrorKind::Refused(RefusalKind::Locked);

/// Answers a whole request.
fn answer(status: u16, headers: &[(&str, &str)]) -> Step {
    let fields: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = if status == 204 {
        ""
    } else {
        "Content-Length: 0\r\n"
    };
    let head = format!("HTTP/1.1 {status} X\r\nTus-Resumable: 1.0.0\r\n{length}{fields}\r\n");
    Step::new().read(Read::All).write(head)
}

/// Answers a request as a right server does that has `at` bytes.
fn right(head: &RequestHead, at: &mut u64) -> Step {
    match head.method.as_str() {
        "OPTIONS" => answer(
            204,
            &[("Tus-Version", "1.0.0"), ("Tus-Extension", "creation")],
        ),
        "POST" => {
            *at = 0;
            answer(201, &[("Location", "/files/1")])
        }
        "PATCH" => {
            *at += head.content_length().unwrap_or(0);
            answer(204, &[("Upload-Offset", &at.to_string())])
        }
        _ => answer(
            200,
            &[
                ("Upload-Offset", &at.to_string()),
                ("Upload-Length", &SIZE.to_string()),
            ],
        ),
    }
}

/// Starts a server that answers the requests of one method wrong, all of them or the first only.
fn wrong_on(method: &'static str, times: u64, step: Step) -> ScriptedServer {
    let (mut at, mut done) = (0, 0);
    ScriptedServer::start_with(move |head, _| {
        if head.method != method || done == times {
            return right(head, &mut at);
        }
        done += 1;
        step.clone()
    })
}

fn client(url: &str) -> Client {
    let client = Client::new(url).unwrap();
    client.set_protocol(ProtocolName::Tus);
    let short = Duration::from_millis(2);
    client.set_retry_backoff(short, short * 4).unwrap();
    client.set_retry_limit(5);
    client
        .set_response_timeout(Duration::from_secs(10))
        .unwrap();
    client
}

struct File {
    dir: tempfile::TempDir,
    path: PathBuf,
}

impl File {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        files::make(&path, SIZE, 5).unwrap();
        Self { dir, path }
    }

    fn upload(&self, client: &Client) -> Upload {
        let mut upload = Upload::from_file(client, &self.path).unwrap();
        upload
            .set_segment_size(SegmentSize::Fixed(SEGMENT))
            .unwrap();
        upload
            .set_state_file(self.dir.path().join("state"))
            .unwrap();
        upload
    }
}

fn run(server: &ScriptedServer) -> Result<(), Error> {
    File::new().upload(&client(&server.endpoint())).run()
}

fn methods(server: &ScriptedServer) -> Vec<String> {
    let requests = server.requests();
    requests.into_iter().map(|it| it.head.method).collect()
}

/// Gives the offsets at which bytes were sent.
fn offsets(server: &ScriptedServer) -> Vec<u64> {
    let requests = server.requests();
    let patches = requests.iter().filter(|it| it.head.method == "PATCH");
    patches
        .map(|it| it.head.header("upload-offset").unwrap().parse().unwrap())
        .collect()
}

#[test]
fn a_right_server_gets_the_file() {
    let server = wrong_on("", 0, Step::new());
    run(&server).unwrap();
    assert_eq!(offsets(&server), [0, SEGMENT, 2 * SEGMENT]);
}

#[test]
fn impossible_offsets_end_the_upload() {
    for (method, offset, kind) in [
        // More than was sent, and more than there is.
        ("PATCH", "1001", ErrorKind::BadOffset),
        ("PATCH", "3000", ErrorKind::BadOffset),
        ("PATCH", "3001", ErrorKind::BadOffset),
        ("PATCH", "18446744073709551615", ErrorKind::BadOffset),
        ("PATCH", "18446744073709551616", ErrorKind::BadResponse),
        ("PATCH", "-1", ErrorKind::BadResponse),
        ("PATCH", "1e3", ErrorKind::BadResponse),
        ("PATCH", "", ErrorKind::BadResponse),
        ("PATCH", "1000, 1000", ErrorKind::BadResponse),
    ] {
        let server = wrong_on(method, u64::MAX, answer(204, &[("Upload-Offset", offset)]));
        let error = run(&server).unwrap_err();
        assert_eq!(error.kind(), kind, "{method}: {offset}: {error}");
        assert_eq!(offsets(&server)[..1], [0]);
    }
}

#[test]
fn a_state_of_an_upload_that_cannot_be_is_no_success() {
    // The first send is cut, so that the state is asked for.
    for (headers, kind) in [
        (&[("Upload-Offset", "3001")][..], ErrorKind::BadOffset),
        (&[], ErrorKind::BadResponse),
        (&[("Upload-Length", "3000")], ErrorKind::BadResponse),
        // It has what was never sent.
        (&[("Upload-Offset", "2500")], LOCKED),
        (&[("Upload-Offset", "3000")], LOCKED),
        (
            &[("Upload-Offset", "5"), ("Upload-Offset", "6")],
            ErrorKind::BadResponse,
        ),
        (
            &[("Upload-Offset", "5"), ("Upload-Length", "x")],
            ErrorKind::BadResponse,
        ),
    ] {
        let mut at = 0;
        let server = ScriptedServer::start_with(move |head, _| match head.method.as_str() {
            "PATCH" => Step::new().read(Read::All).end(End::Reset),
            "HEAD" => answer(200, headers),
            _ => right(head, &mut at),
        });
        let outcome = run(&server);
        let error = outcome.expect_err(&format!("{headers:?}: {:?}", server.requests()));
        assert_eq!(error.kind(), kind, "{headers:?}: {error}");
    }
}

#[test]
fn an_upload_of_another_length_is_not_gone_on_with() {
    let (mut at, mut lost) = (0, false);
    let server = ScriptedServer::start_with(move |head, _| match head.method.as_str() {
        "PATCH" if !lost => {
            lost = true;
            Step::new().read(Read::All).end(End::Reset)
        }
        "HEAD" => answer(200, &[("Upload-Offset", "5"), ("Upload-Length", "2999")]),
        _ => right(head, &mut at),
    });
    run(&server).unwrap();
    let creations = methods(&server).iter().filter(|it| *it == "POST").count();
    assert_eq!(
        (creations, offsets(&server)),
        (2, vec![0, 0, SEGMENT, 2 * SEGMENT])
    );
}

#[test]
fn an_answer_to_bytes_without_an_offset_is_asked_for() {
    let mut at = 0;
    let server = ScriptedServer::start_with(move |head, _| {
        let right = right(head, &mut at);
        match head.method.as_str() {
            "PATCH" => answer(204, &[]),
            _ => right,
        }
    });
    run(&server).unwrap();
    assert_eq!(offsets(&server), [0, SEGMENT, 2 * SEGMENT]);
}

#[test]
fn a_server_that_takes_a_part_of_the_bytes_gets_the_rest() {
    let mut at = 0;
    let server = ScriptedServer::start_with(move |head, _| {
        if head.method != "PATCH" {
            return right(head, &mut at);
        }
        at = (at + 700).min(SIZE);
        answer(204, &[("Upload-Offset", &at.to_string())])
    });
    run(&server).unwrap();
    assert_eq!(offsets(&server), [0, 700, 1400, 2100, 2800]);
}

#[test]
fn a_server_that_never_takes_a_byte_ends_the_upload() {
    let server = wrong_on("PATCH", u64::MAX, answer(204, &[("Upload-Offset", "0")]));
    let error = run(&server).unwrap_err();
    assert!(error.to_string().contains("says offset 0"), "{error}");
    assert!(methods(&server).len() < 40, "{:?}", methods(&server));
}

#[test]
fn a_server_that_always_has_another_offset_ends_the_upload() {
    let server = wrong_on("PATCH", u64::MAX, answer(409, &[]));
    let error = run(&server).unwrap_err();
    assert!(error.to_string().contains("says offset 0"), "{error}");
    assert!(methods(&server).len() < 60, "{:?}", methods(&server));
}

#[test]
fn a_creation_without_a_usable_url_is_an_error() {
    let long = format!("/{}", "x".repeat(1 << 20));
    for location in [
        "",
        "ftp://127.0.0.1/x",
        "http://",
        "http://u:p@127.0.0.1/x",
        "//",
        "http://[::1",
        &long,
    ] {
        let headers = [("Location", location)];
        let headers = if location.is_empty() {
            &[]
        } else {
            &headers[..]
        };
        let server = wrong_on("POST", u64::MAX, answer(201, headers));
        let shown: String = location.chars().take(40).collect();
        let error = run(&server).expect_err(&shown);
        let text = error.to_string();
        assert!(text.len() < 1000, "{shown}: {} bytes", text.len());
        assert_eq!(error.kind(), ErrorKind::BadResponse, "{shown}: {text}");
        assert!(offsets(&server).is_empty(), "{shown}");
    }
}

#[test]
fn redirects_in_a_circle_end() {
    for target in ["/upload", "/other", "/other/"] {
        let server = wrong_on("POST", u64::MAX, answer(307, &[("Location", target)]));
        let error = run(&server).unwrap_err();
        assert!(error.to_string().contains("redirects"), "{error}");
        assert!(methods(&server).len() < 20, "{:?}", methods(&server));
    }
}

#[test]
fn long_values_are_no_answers() {
    let long = "1".repeat(1 << 20);
    for (method, status, name) in [
        ("OPTIONS", 204, "Tus-Max-Size"),
        ("OPTIONS", 204, "Tus-Extension"),
        ("PATCH", 204, "Upload-Offset"),
        ("PATCH", 400, "X-Any"),
    ] {
        let server = wrong_on(method, u64::MAX, answer(status, &[(name, &long)]));
        let error = run(&server).expect_err(name);
        let text = error.to_string();
        assert!(text.len() < 1000, "{method}: {} bytes", text.len());
    }
}

#[test]
fn interim_answers_without_end_end_the_upload() {
    let interim = |status: u16| format!("HTTP/1.1 {status} Wait\r\nX: y\r\n\r\n");
    let flood = |status| {
        Step::new()
            .read(Read::All)
            .write(interim(status).repeat(20_000))
    };
    // One of them every few moments, for much longer than a response may take.
    let drip = |status| {
        let step = Step::new().read(Read::All);
        let pause = Duration::from_millis(40);
        (0..1000).fold(step, |step, _| step.write(interim(status)).wait(pause))
    };
    let before = Instant::now();
    for (method, step) in [
        ("POST", flood(103)),
        ("PATCH", flood(102)),
        ("HEAD", flood(100)),
        ("POST", drip(104)),
        ("PATCH", drip(102)),
    ] {
        let mut at = 0;
        let step = step.end(End::HoldOpen);
        let server = ScriptedServer::start_with(move |head, _| match head.method.as_str() {
            this if this == method => step.clone(),
            "PATCH" if method == "HEAD" => Step::new().read(Read::All).end(End::Reset),
            _ => right(head, &mut at),
        });
        let client = client(&server.endpoint());
        client
            .set_response_timeout(Duration::from_millis(300))
            .unwrap();
        client.set_retry_limit(1);
        let error = File::new().upload(&client).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{method}: {error}");
    }
    assert!(before.elapsed() < Duration::from_secs(30));
}
