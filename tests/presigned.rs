//! Parts go to presigned URLs: what is sent there, what is not, and what of the URLs is shown.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use resup::{Client, Error, ErrorKind, Flow, LogLevel, RefusalKind, Upload};
use resup_test_support::digests::hex_of;
use resup_test_support::scripted::{reply, reply_with, End, Read, ScriptedServer, Step};

const MADE: &str = "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>";

fn client() -> Client {
    let client = Client::new("http://127.0.0.1:1/nothing").unwrap();
    let short = Duration::from_millis(10);
    client.set_retry_backoff(short, short * 4).unwrap();
    client
}

/// Makes the URLs of a file's parts of ten bytes.
fn urls(server: &ScriptedServer, count: usize) -> String {
    let url = |name: &str| format!("\"http://{}/{name}&X-Amz-Signature=s3cret\"", server.addr());
    let parts: Vec<_> = (1..=count)
        .map(|number| url(&format!("k?uploadId=up&partNumber={number}")))
        .collect();
    format!(
        "{{\"part_size\": 10, \"parts\": [{}], \"complete\": {}, \"abort\": {}}}",
        parts.join(", "),
        url("k?uploadId=up"),
        url("k?abort=1")
    )
}

fn stored(bytes: &[u8]) -> Step {
    let etag = format!("\"{}\"", hex_of("md5", bytes));
    Step::new()
        .read(Read::All)
        .write(reply_with(200, &[("ETag", &etag)], ""))
}

fn answer(status: u16, body: &str) -> Step {
    Step::new().read(Read::All).write(reply(status, body))
}

#[test]
fn parts_go_without_a_login_and_no_signature_is_shown() {
    let script = vec![
        stored(b"0123456789"),
        answer(
            403,
            "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
        ),
        stored(b"abcde"),
        answer(200, MADE),
    ];
    let server = ScriptedServer::start(script);
    let dir = tempfile::tempdir().unwrap();
    let (file, state) = (dir.path().join("f"), dir.path().join("state"));
    fs::write(&file, b"0123456789abcde").unwrap();
    let client = client();
    client.set_bearer_token("t0ken").unwrap();
    client.set_cookie("a", "b").unwrap();
    client.set_header("X-Own", "v").unwrap();
    client.set_user("joe").unwrap();
    let lines = Arc::new(Mutex::new(String::new()));
    let written = lines.clone();
    client.on_log(LogLevel::Debug, move |_, line| {
        *written.lock().unwrap() += line;
        Flow::Continue
    });
    let mut upload = Upload::from_file(&client, &file).unwrap();
    upload.set_parts(&urls(&server, 2)).unwrap();
    upload.set_state_file(&state).unwrap();
    let error = upload.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::NotAllowed));
    let text = error.to_string();
    assert!(
        text.contains("it was part 2 of 2; the URLs have expired"),
        "{text}"
    );
    assert!(text.contains("AccessDenied: Request has expired"), "{text}");
    let saved = fs::read_to_string(&state).unwrap();
    assert!(saved.contains(&hex_of("md5", b"0123456789")), "{saved}");
    // Another process, with new URLs, sends the second part only.
    let mut other = Upload::from_file(&client, &file).unwrap();
    other
        .set_parts(&urls(&server, 2).replace("s3cret", "s3cret2"))
        .unwrap();
    other.set_state_file(&state).unwrap();
    other.run().unwrap();
    assert_eq!(other.remote().snapshot().bytes_skipped, 10);
    assert_eq!(other.remote().id().as_deref(), Some("up"));
    assert!(!state.exists());
    let requests = server.requests();
    let bodies: Vec<_> = requests.iter().map(|it| it.body_text()).collect();
    assert_eq!(bodies[..3], ["0123456789", "abcde", "abcde"]);
    assert!(requests[2].head.target.contains("s3cret2"));
    for request in &requests {
        for name in ["authorization", "cookie", "x-own", "content-type"] {
            assert_eq!(request.head.header(name), None, "{name}");
        }
    }
    let lines = lines.lock().unwrap();
    assert!(
        lines.contains("presigned") && !lines.contains("s3cret"),
        "{lines}"
    );
    assert!(!format!("{text}{saved}{other:?}").contains("s3cret"));
}

#[test]
fn a_part_that_broke_is_sent_again_from_its_beginning() {
    let script = vec![
        stored(b"0123456789"),
        Step::new().read(Read::HeadAndBodyBytes(3)).end(End::Reset),
        stored(b"abcde"),
        answer(500, "<Error><Code>InternalError</Code></Error>"),
        answer(
            200,
            "<Error><Code>InternalError</Code><Message>once more</Message></Error>",
        ),
        answer(200, MADE),
    ];
    let server = ScriptedServer::start(script);
    let mut upload = Upload::from_memory(&client(), *b"0123456789abcde", "m").unwrap();
    upload.set_parts(&urls(&server, 2)).unwrap();
    upload.run().unwrap();
    let requests = server.requests();
    assert_eq!(requests[2].body_text(), "abcde");
    assert_eq!(requests[2].head.method, "PUT");
    assert_eq!(requests[5].head.method, "POST");
}

#[test]
fn damage_that_an_etag_shows_is_sent_again() {
    let script = vec![
        stored(b"0123456789"),
        stored(b"abcdX"),
        stored(b"abcde"),
        answer(200, MADE),
    ];
    let server = ScriptedServer::start(script);
    let mut upload = Upload::from_memory(&client(), *b"0123456789abcde", "m").unwrap();
    upload.set_parts(&urls(&server, 2)).unwrap();
    upload.run().unwrap();
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn parts_that_the_completion_does_not_find_are_sent_again_once() {
    let unknown =
        "<Error><Code>InvalidPart</Code><Message>One could not be found</Message></Error>";
    let both = || [stored(b"0123456789"), stored(b"abcde")];
    for (last, is_made) in [(answer(200, MADE), true), (answer(400, unknown), false)] {
        let mut script = Vec::from(both());
        script.push(answer(400, unknown));
        script.extend(both());
        script.push(last);
        let server = ScriptedServer::start(script);
        let mut upload = Upload::from_memory(&client(), *b"0123456789abcde", "m").unwrap();
        upload.set_parts(&urls(&server, 2)).unwrap();
        let result = upload.run();
        let requests = server.requests();
        let methods: Vec<_> = requests.iter().map(|it| it.head.method.as_str()).collect();
        assert_eq!(methods, ["PUT", "PUT", "POST", "PUT", "PUT", "POST"]);
        assert_eq!(result.is_ok(), is_made);
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{error}");
            assert!(error.to_string().contains("One could not be found"));
        }
    }
}

#[test]
fn an_upload_that_cannot_be_is_refused_before_a_byte_is_sent() {
    let server = ScriptedServer::start(vec![Step::new()]);
    let mut upload = Upload::from_memory(&client(), *b"0123456789abcde", "m").unwrap();
    upload.set_parts(&urls(&server, 3)).unwrap();
    let error = upload.run().unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("have 3 URLs, and the file of 15 bytes has 2 parts"),
        "{text}"
    );
    upload.set_parts(&urls(&server, 2)).unwrap();
    upload.set_directory("d").unwrap();
    let error = upload.run().unwrap_err();
    assert!(
        matches!(
            error,
            Error::InvalidArgument {
                what: "directory",
                ..
            }
        ),
        "{error}"
    );
    let mut compared = Upload::from_memory(&client(), *b"0123456789abcde", "m").unwrap();
    compared.set_parts(&urls(&server, 2)).unwrap();
    compared.set_read_back(true).unwrap();
    let error = compared.run().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("none of their URLs reads the file"),
        "{error}"
    );
    let mut stream = Upload::from_reader(&client(), &b"0123"[..], "s").unwrap();
    stream.set_parts(&urls(&server, 1)).unwrap();
    let error = stream.run().unwrap_err();
    assert!(error.to_string().contains("need the size first"), "{error}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn an_upload_is_taken_back_by_its_url() {
    let server = ScriptedServer::start(vec![answer(204, "")]);
    let mut upload = Upload::from_memory(&client(), *b"0123456789abcde", "m").unwrap();
    upload.set_parts(&urls(&server, 2)).unwrap();
    upload.discard().unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].head.method, "DELETE");
    assert!(requests[0].head.target.starts_with("/k?abort=1"));
}
