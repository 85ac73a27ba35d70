//! Uploads to `examples/receivers/python`. The conformance kit's tests check it, too.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use resup::{Client, Upload, UploadState};
use resup_test_support::files;
use resup_test_support::form_table::{check, Reader};
use resup_test_support::python::Python;

#[test]
fn forms_are_taken_or_refused_as_the_table_says() {
    if let Some(python) = Python::start() {
        check(python.addr(), "/", Reader::Own);
    }
}

#[test]
fn a_wrong_content_length_is_refused_at_once() {
    let Some(python) = Python::start() else {
        return;
    };
    for length in ["-1", "x", "1e3", "9999999999999999999999"] {
        let mut stream = TcpStream::connect(python.addr()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        )
        .unwrap();
        let mut response = String::new();
        // The client keeps its side open.
        stream.read_to_string(&mut response).expect(length);
        let status = response.split(' ').nth(1);
        assert_eq!(status, Some("400"), "{length}: {response}");
        assert!(response.contains("Content-Length"), "{response}");
    }
}

#[test]
fn a_finished_file_may_be_taken_away() {
    let Some(python) = Python::start() else {
        return;
    };
    let client = Client::new(&format!("http://{}/", python.addr())).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file.bin");
    files::make(&path, 3_000_000, 4).unwrap();
    for round in 0..2 {
        let mut upload = Upload::from_file(&client, &path).unwrap();
        upload.run().unwrap();
        let remote = upload.remote();
        assert_eq!(remote.snapshot().state, UploadState::Complete);
        if round == 0 {
            let stored = python.stored_file(&remote.id().unwrap());
            files::assert_same(&path, &stored);
            fs::remove_file(stored).unwrap();
        }
    }
}
