//! The finished file is read back from a server that gives it wrong, in pieces, elsewhere, or not at all.

use std::fs;

use resup::{Error, ErrorKind, Upload};
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{End, Read, ScriptedServer, Step};

use super::{answer, client, methods, right, File, SIZE};

/// Answers a whole request with these bytes.
fn gives(status: u16, headers: &str, bytes: &[u8]) -> Step {
    let length = bytes.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n");
    let mut response = head.into_bytes();
    response.extend_from_slice(bytes);
    Step::new().read(Read::All).write(response)
}

/// Begins to give bytes in one chunk, and closes the connection before the end of the response.
fn breaks(bytes: &[u8]) -> Step {
    let chunk = format!("{:x}\r\n", bytes.len());
    let head =
        format!("HTTP/1.1 200 X\r\nETag: \"e\"\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}");
    let mut response = head.into_bytes();
    response.extend_from_slice(bytes);
    Step::new().read(Read::All).write(response).end(End::Close)
}

/// A file, and a server that has a step for each request for it, the number of which it gets.
struct Scene {
    file: File,
    server: ScriptedServer,
}

impl Scene {
    fn new(mut step: impl FnMut(&[u8], &RequestHead, usize) -> Step + Send + 'static) -> Self {
        let file = File::new();
        let content = fs::read(&file.path).unwrap();
        let (mut at, mut reads) = (0, 0);
        let server = ScriptedServer::start_with(move |head, _| {
            if head.method != "GET" {
                return right(head, &mut at);
            }
            reads += 1;
            step(&content, head, reads)
        });
        Scene { file, server }
    }

    fn upload(&self) -> Upload {
        let mut upload = self.file.upload(&client(&self.server.endpoint()));
        upload.set_read_back(true).unwrap();
        upload
    }

    /// Uploads the file; gives the heads of the requests for it, too.
    fn run(&self) -> (Result<(), Error>, Vec<RequestHead>) {
        let result = self.upload().run();
        let requests = self.server.requests().into_iter().map(|it| it.head);
        (result, requests.filter(|it| it.method == "GET").collect())
    }
}

#[test]
fn a_file_with_another_size_is_told_and_the_next_run_uploads_anew() {
    for longer in [false, true] {
        let scene = Scene::new(move |content, _, reads| match (reads, longer) {
            (1 | 2, false) => gives(200, "", &content[..content.len() - 1]),
            (1 | 2, true) => gives(200, "", &[content, &[0; 100_000]].concat()),
            _ => gives(200, "", content),
        });
        let mut upload = scene.upload();
        let error = upload.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{error}");
        assert!(error.is_retryable(), "{error}");
        let before = methods(&scene.server).len();
        upload.run().unwrap_or_else(|e| panic!("{longer}: {e}"));
        let mut methods = methods(&scene.server).split_off(before);
        methods.retain(|method| method != "HEAD" && method != "OPTIONS");
        assert_eq!(methods, ["GET", "POST", "PATCH", "PATCH", "PATCH", "GET"]);
    }
}

#[test]
fn uploads_that_are_wrong_from_the_beginning_come_to_an_end() {
    let server = ScriptedServer::start_with(|head, _| match head.method.as_str() {
        "GET" => gives(200, "", b"x"),
        _ => right(head, &mut 0),
    });
    let mut upload = Upload::from_memory(&client(&server.endpoint()), *b"", "f").unwrap();
    upload.set_read_back(true).unwrap();
    let error = upload.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{error}");
    let methods = methods(&server);
    let made = methods.iter().filter(|method| *method == "POST");
    assert_eq!(made.count(), 2, "{methods:?}");
}

#[test]
fn a_break_behind_the_last_byte_has_the_file_read_anew() {
    let scene = Scene::new(|content, head, reads| match (reads, head.header("range")) {
        (1, _) => breaks(content),
        (_, Some(_)) => answer(416, &[]),
        (_, None) => gives(200, "", content),
    });
    let (result, reads) = scene.run();
    assert_eq!(result, Ok(()));
    assert_eq!(reads.len(), 2);
}

#[test]
fn a_range_that_was_not_asked_for_is_not_taken() {
    for range in [
        "bytes 0-2999/3000",
        "bytes 1000-2999/*",
        "bytes 1000-2998/2999",
    ] {
        let scene = Scene::new(move |content, _, reads| match reads {
            1 => breaks(&content[..1000]),
            // These bytes would do.
            2 => gives(
                206,
                &format!("ETag: \"e\"\r\nContent-Range: {range}\r\n"),
                &content[1000..],
            ),
            _ => gives(200, "", content),
        });
        let (result, reads) = scene.run();
        assert_eq!(result, Ok(()), "{range}");
        let asked: Vec<_> = reads.iter().map(|it| it.header("range")).collect();
        assert_eq!(asked, [None, Some("bytes=1000-"), None], "{range}");
        assert_eq!(reads[1].header("if-range"), Some("\"e\""));
    }
}

#[test]
fn bytes_of_two_states_of_the_file_are_not_put_together() {
    let scene = Scene::new(|content, _, reads| match reads {
        1 => breaks(&content[..1000]),
        2 => gives(
            206,
            "ETag: \"other\"\r\nContent-Range: bytes 1000-2999/3000\r\n",
            &content[1000..],
        ),
        _ => gives(200, "", &[0; SIZE as usize]),
    });
    let (result, reads) = scene.run();
    assert_eq!(result.unwrap_err().kind(), ErrorKind::DigestMismatch);
    assert_eq!(reads.len(), 3);
}

#[test]
fn nothing_that_is_compressed_is_compared() {
    let scene = Scene::new(|content, _, _| gives(200, "Content-Encoding: gzip\r\n", content));
    let (result, reads) = scene.run();
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadResponse, "{error}");
    assert!(
        error.to_string().contains("Content-Encoding \"gzip\""),
        "{error}"
    );
    let mut reads = reads.iter();
    assert!(reads.all(|it| it.header("accept-encoding") == Some("identity")));
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_no_failure() {
    let scene = Scene::new(|content, _, reads| match reads {
        1 => Step::new().read(Read::All).end(End::Close),
        _ => gives(200, "", content),
    });
    let client = client(&scene.server.endpoint());
    client.set_retry_limit(0);
    let mut upload = scene.file.upload(&client);
    upload.set_read_back(true).unwrap();
    upload.run().unwrap();
}

#[test]
fn a_file_that_has_moved_is_read_where_it_is() {
    let scene = Scene::new(|content, head, _| match head.target.as_str() {
        "/moved" => gives(200, "", content),
        _ => answer(307, &[("Location", "/moved")]),
    });
    let (result, reads) = scene.run();
    assert_eq!(result, Ok(()));
    assert_eq!(reads.len(), 2);
    // Not at another origin, and not for ever.
    for (place, most) in [("http://127.0.0.1:1/moved", 1), ("/files/1", 6)] {
        let scene = Scene::new(move |_, _, _| answer(307, &[("Location", place)]));
        let client = client(&scene.server.endpoint());
        client.set_retry_limit(0);
        let mut upload = scene.file.upload(&client);
        upload.set_read_back(true).unwrap();
        let error = upload.run().unwrap_err().to_string();
        assert!(error.contains("does not give it to be compared"), "{error}");
        let methods = methods(&scene.server);
        let reads = methods.iter().filter(|method| *method == "GET");
        assert_eq!(reads.count(), most, "{place}");
    }
}
