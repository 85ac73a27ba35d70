//! The dialect `plain`: one POST as a browser makes it, to servers that answer right, wrong or not at all. Nothing is sent
//! twice that the server may have.

mod common;

use std::time::Duration;

use common::{client, make_file};
use resup::{Client, Error, ErrorKind, RefusalKind, SegmentSize, Upload};
use resup_test_support::scripted::{reply_with, End, Read, ScriptedServer, Step};

const SIZE: u64 = 300_000;

/// How long the client waits for a response.
const PATIENCE: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);

fn plain(endpoint: &str, dialect: &str) -> Client {
    let client = client(endpoint);
    client.set_dialect(dialect).unwrap();
    client.set_response_timeout(PATIENCE).unwrap();
    client
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Step {
    Step::new()
        .read(Read::All)
        .write(reply_with(status, headers, body))
}

/// Uploads a file to a server that does these steps; gives the result and the server.
fn upload(dialect: &str, script: Vec<Step>) -> (Result<(), Error>, ScriptedServer) {
    upload_of(SIZE, dialect, script)
}

fn upload_of(size: u64, dialect: &str, script: Vec<Step>) -> (Result<(), Error>, ScriptedServer) {
    let server = ScriptedServer::start(script);
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f.txt", size);
    let client = plain(&server.endpoint(), dialect);
    let mut upload = Upload::from_file(&client, path).unwrap();
    (upload.run(), server)
}

#[test]
fn a_file_is_one_form_with_its_fields() {
    let server = ScriptedServer::start(vec![answer(201, &[("Location", "/f/7")], "{}")]);
    let client = plain(
        &server.endpoint(),
        r#"{"base": "plain", "file_field": "my file",
            "fields": {"size": "{size}", "as": "{dir}/{name}"}}"#,
    );
    for size in [0, 1, 70_000] {
        let before = server.requests().len();
        let bytes = vec![b'x'; size];
        let mut upload = Upload::from_memory(&client, bytes, "a \"b\".txt").unwrap();
        upload.set_field("own", "1\n2").unwrap();
        upload.set_directory("d").unwrap();
        // A file that goes in one request has no segments.
        upload.set_segment_size(SegmentSize::Fixed(100)).unwrap();
        upload.run().unwrap();
        let requests = server.requests();
        assert_eq!(requests.len(), before + 1);
        let request = &requests[before];
        assert_eq!(
            (request.head.method.as_str(), request.head.target.as_str()),
            ("POST", "/upload")
        );
        let text = request.body_text();
        let part = |name: &str, rest: &str| {
            let part = format!("Content-Disposition: form-data; name=\"{name}\"{rest}");
            assert!(text.contains(&part), "{part} is not in {text:.600}");
        };
        part("size", &format!("\r\n\r\n{size}\r\n--"));
        part("as", "\r\n\r\nd/a \"b\".txt\r\n--");
        part("own", "\r\n\r\n1\r\n2\r\n--");
        let file = format!(
            "; filename=\"a %22b%22.txt\"\r\nContent-Type: text/plain\r\n\r\n{}\r\n--",
            "x".repeat(size)
        );
        part("my file", &file);
        let remote = upload.remote();
        assert_eq!(remote.protocol(), Some("plain"));
        assert_eq!(remote.location().as_deref(), Some("/f/7"));
        assert!(remote.digest().is_some(), "the file's digest is told");
    }
}

#[test]
fn what_counts_as_success_is_a_setting() {
    let script = |status, headers, body| vec![answer(status, headers, body)];
    for (dialect, script, kind) in [
        ("plain", script(204, &[], ""), None),
        ("plain", script(303, &[("Location", "/list")], ""), None),
        ("plain", script(302, &[("Location", "/list")], ""), None),
        (
            "plain",
            script(302, &[("Location", "/login?next=/")], ""),
            Some(RefusalKind::NotAllowed),
        ),
        (
            "plain",
            script(307, &[("Location", "/other")], ""),
            Some(RefusalKind::Other),
        ),
        ("plain", script(404, &[], ""), Some(RefusalKind::Other)),
        ("plain", script(400, &[], ""), Some(RefusalKind::Other)),
        ("plain", script(401, &[], ""), Some(RefusalKind::NotAllowed)),
        ("plain", script(413, &[], ""), Some(RefusalKind::TooLarge)),
        (
            r#"{"success": "json:/ok=yes"}"#,
            script(200, &[], r#"{"ok": "yes"}"#),
            None,
        ),
        (
            r#"{"success": "json:/ok=yes"}"#,
            script(200, &[], r#"{"ok": "no"}"#),
            Some(RefusalKind::Other),
        ),
        (
            r#"{"success": "text:all done"}"#,
            script(200, &[], "all done"),
            None,
        ),
    ] {
        let (result, server) = upload(dialect, script);
        let kind = kind.map(ErrorKind::Refused);
        assert_eq!(
            result.as_ref().err().map(Error::kind),
            kind,
            "{dialect} {result:?}"
        );
        assert_eq!(server.requests().len(), 1, "{dialect} {result:?}");
    }
    let dialect = r#"{"success": "json:/ok", "message": "/why/0"}"#;
    let (result, _) = upload(
        dialect,
        vec![answer(200, &[], r#"{"why": ["no more room"]}"#)],
    );
    let told = result.unwrap_err().to_string();
    assert!(
        told.contains("success needs json:/ok") && told.contains("no more room"),
        "{told}"
    );
}

#[test]
fn a_text_is_found_in_a_response_without_an_end() {
    let head = "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<p>all done";
    let step = |end| Step::new().read(Read::All).write(head).end(end);
    let (result, _) = upload(r#"{"success": "text:all done"}"#, vec![step(End::Close)]);
    result.unwrap();
    // Nor does one that never ends hold the upload up.
    let endless = vec![b'x'; 1 << 20];
    let step = Step::new()
        .read(Read::All)
        .write(head)
        .write(endless)
        .end(End::HoldOpen);
    let (result, _) = upload(r#"{"success": "text:all done"}"#, vec![step]);
    result.unwrap();
    let (result, _) = upload("plain", vec![step_without_end()]);
    result.unwrap();
}

fn step_without_end() -> Step {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<p>";
    Step::new().read(Read::All).write(head).end(End::Close)
}

/// The failures after which the server may have the file, and the words that tell so.
#[test]
fn what_the_server_may_have_is_not_sent_again() {
    let whole = "all of it was sent";
    let read = |most| Step::new().read(most);
    for (step, words) in [
        (read(Read::All).end(End::Close), whole),
        (read(Read::All).end(End::Reset), whole),
        (read(Read::All).end(End::HoldOpen), whole),
        (
            read(Read::HeadAndBodyBytes(1000)).end(End::Reset),
            "bytes of the request were sent",
        ),
        (answer(500, &[], ""), whole),
        (answer(502, &[], ""), whole),
        (answer(503, &[("Retry-After", "0")], ""), whole),
        (answer(504, &[], ""), whole),
        (
            read(Read::All).write("garbage\r\n\r\n").end(End::Close),
            whole,
        ),
    ] {
        // More than a network takes that nobody reads from.
        let size = if words == whole { SIZE } else { 30 << 20 };
        let (result, server) = upload_of(size, "plain", vec![step.clone(), answer(200, &[], "")]);
        let error = result.unwrap_err();
        let told = error.to_string();
        assert!(
            matches!(error, Error::MayBeStored { .. }),
            "{step:?}: {told}"
        );
        assert!(
            told.contains(words) && told.contains("look there before"),
            "{told}"
        );
        assert!(!error.is_retryable(), "{told}");
        assert_eq!(server.requests().len(), 1, "{step:?}");
    }
}

#[test]
fn what_the_server_cannot_have_is_sent_again() {
    let close = |status| {
        let head = reply_with(status, &[("Connection", "close"), ("Retry-After", "0")], "");
        Step::new()
            .read(Read::HeadOnly)
            .write(head)
            .end(End::DrainThenClose {
                max_bytes: 64 << 20,
                max_time: Duration::from_secs(5),
            })
    };
    // The body was not read: the file waits for a 100 Continue.
    for status in [408, 429, 500, 503] {
        let (result, server) =
            upload_of(4 << 20, "plain", vec![close(status), answer(200, &[], "")]);
        result.unwrap();
        assert_eq!(server.requests().len(), 2, "{status}");
    }
    // Whoever limits the rate has not looked at the file.
    let busy = answer(429, &[("Retry-After", "0")], "");
    let (result, server) = upload("plain", vec![busy, answer(200, &[], "")]);
    result.unwrap();
    assert_eq!(server.requests().len(), 2);
    // One after the other goes on a connection of its own, so that none is dead.
    let server = ScriptedServer::start(vec![answer(200, &[], "")]);
    let client = plain(&server.endpoint(), "plain");
    for _ in 0..2 {
        let mut upload = Upload::from_memory(&client, *b"abc", "f").unwrap();
        upload.run().unwrap();
    }
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_session_that_has_ended_is_no_reason_to_send_what_the_server_may_have() {
    for (dialect, is_sent_again) in [("plain", false), (r#"{"success": "200"}"#, true)] {
        let mut uploads = 0;
        let server = ScriptedServer::start_with(move |head, _| {
            if head.target == "/login" {
                return answer(200, &[], "");
            }
            uploads += 1;
            match uploads {
                2 => answer(303, &[("Location", "/list")], ""),
                _ => answer(200, &[], ""),
            }
        });
        let client = plain(&server.endpoint(), dialect);
        let login = server.endpoint().replace("/upload", "/login");
        client.set_login_form(&login).unwrap();
        let run = || Upload::from_memory(&client, *b"abc", "f").unwrap().run();
        run().unwrap();
        // The second one is answered by a redirect: it is stored, or nobody is logged in.
        match is_sent_again {
            true => run().unwrap(),
            false => assert!(matches!(run(), Err(Error::MayBeStored { .. }))),
        }
        let requests = server.requests();
        let uploads = requests.iter().filter(|it| it.head.target == "/upload");
        assert_eq!(uploads.count(), if is_sent_again { 3 } else { 2 });
    }
}

#[test]
fn a_server_that_takes_a_file_again_gets_it_again() {
    let lost = Step::new().read(Read::All).end(End::Close);
    let dialect = r#"{"base": "plain", "repeat": "file"}"#;
    let script = vec![lost, answer(502, &[], ""), answer(200, &[], "")];
    let (result, server) = upload(dialect, script);
    result.unwrap();
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn nothing_is_sent_where_nobody_listens() {
    let server = ScriptedServer::start(vec![Step::new()]);
    let endpoint = server.endpoint();
    drop(server);
    let client = plain(&endpoint, "plain");
    client.set_retry_limit(2);
    let mut upload = Upload::from_memory(&client, *b"abc", "f").unwrap();
    let error = upload.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectFailed);
    assert!(error.is_retryable());
}

#[test]
fn an_early_success_is_none() {
    let early = Step::new()
        .read(Read::HeadAndBodyBytes(1))
        .ignore_expect()
        .write(reply_with(200, &[], "{}"))
        .end(End::DrainThenClose {
            max_bytes: 0,
            max_time: Duration::ZERO,
        });
    let (result, server) = upload_of(64 << 20, "plain", vec![early]);
    let told = result.unwrap_err().to_string();
    assert!(told.contains("before the whole request was sent"), "{told}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_pause_amid_a_file_ends_its_upload() {
    let hold = Step::new()
        .read(Read::HeadAndBodyBytes(1000))
        .end(End::HoldOpen);
    let server = ScriptedServer::start(vec![hold]);
    let client = plain(&server.endpoint(), "plain");
    client.set_response_timeout(LONG).unwrap();
    let mut upload = Upload::from_memory(&client, vec![1; 3000], "f").unwrap();
    let remote = upload.remote();
    upload.start().unwrap();
    assert!(server.wait_for(1, LONG));
    while remote.snapshot().bytes_sent < 3000 {
        std::thread::sleep(Duration::from_millis(1));
    }
    remote.pause();
    let error = upload.wait(LONG).unwrap().unwrap_err();
    assert!(matches!(error, Error::MayBeStored { .. }), "{error}");
    assert_eq!(server.requests().len(), 1);
    // A cancel is one, as ever.
    let mut upload = Upload::from_memory(&client, vec![1; 3000], "f").unwrap();
    let remote = upload.remote();
    upload.start().unwrap();
    assert!(server.wait_for(2, LONG));
    remote.cancel();
    assert_eq!(upload.wait(LONG), Some(Err(Error::Cancelled)));
}

#[test]
fn what_a_dialect_does_not_have_is_refused_before_a_byte_is_sent() {
    let server = ScriptedServer::start(vec![answer(200, &[], "")]);
    let client = plain(&server.endpoint(), "plain");
    let refused = |change: fn(&mut Upload) -> Result<(), Error>| {
        let mut upload = Upload::from_memory(&client, *b"abc", "f").unwrap();
        change(&mut upload).unwrap();
        let error = upload.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        error.to_string()
    };
    let told = refused(|upload| upload.set_directory("d"));
    assert!(
        told.contains("directory is set, and no text of the dialect plain"),
        "{told}"
    );
    let told = refused(|upload| upload.set_digest_algorithm(resup::DigestAlgorithm::Sha256));
    assert!(
        told.contains("a dialect (set_dialect) were both set"),
        "{told}"
    );
    assert_eq!(server.requests().len(), 0);
    // The last one of both settings counts.
    client.set_protocol(resup::ProtocolName::Form);
    let mut upload = Upload::from_memory(&client, *b"abc", "f").unwrap();
    upload.run().unwrap_err();
    let text = server.requests()[0].body_text();
    assert!(text.contains("action=locate"), "{text}");
}
