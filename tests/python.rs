//! Uploads to `examples/receivers/python`. The conformance kit's tests check it, too.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use resup::{Client, Upload, UploadState};
use resup_test_support::files;
use resup_test_support::form_table::{check, post, Reader};
use resup_test_support::python::Python;
use resup_test_support::small_disk::SmallDisk;

#[test]
fn it_tells_its_address() {
    if let Some(python) = Python::start() {
        let due = format!("listening on http://{}/", python.addr());
        assert_eq!(python.told_address(), due);
    }
}

#[test]
fn forms_are_taken_or_refused_as_the_table_says() {
    if let Some(python) = Python::start() {
        check(python.addr(), "/", Reader::Own);
    }
}

/// Makes a database of a version of the receiver that knew no SHA-256 of files, with half of an upload.
const OLD_DATA: &str = r#"
import os, sqlite3, sys
os.chdir(sys.argv[1])
os.mkdir("partial")
with open("partial/7", "wb") as file:
    file.write(b"old bytes " * 100)
db = sqlite3.connect("uploads.db")
db.execute("CREATE TABLE uploads (id TEXT PRIMARY KEY, owner TEXT, dir TEXT, name TEXT,"
           " size INTEGER, mtime TEXT, md5 TEXT, complete INTEGER)")
db.execute("INSERT INTO uploads VALUES ('7', '', '', 'old', 2000, '5', '', 0)")
db.commit()
"#;

#[test]
fn an_upload_of_an_older_version_goes_on() {
    let prepare = |data: &Path| {
        let mut python = Command::new("python3");
        assert!(python
            .args(["-c", OLD_DATA])
            .arg(data)
            .status()
            .unwrap()
            .success());
    };
    let Some(python) = Python::start_with(prepare) else {
        return;
    };
    let kind = "application/x-www-form-urlencoded";
    let form = b"action=locate&name=old&size=2000&mtime=5&digests=sha256";
    let (status, answer) = post(python.addr(), "/", kind, form);
    for member in [r#""id": "7""#, r#""offset": 1000"#, r#""digest": "sha256""#] {
        assert!(answer.contains(member), "{status} {answer}");
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

#[test]
fn a_full_disk_is_told_as_such() {
    let mut disk = None;
    let python = Python::start_with(|data| disk = SmallDisk::mount(data));
    if let (Some(python), Some(disk)) = (python, disk) {
        disk.check(python.addr(), "/");
    }
}
