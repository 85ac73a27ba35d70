//! Uploads that are taken back.

mod common;
#[path = "discards/forms.rs"]
mod forms;
#[path = "discards/resources.rs"]
mod resources;

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{client, make_file};
use resup::{DigestMode, Error, ErrorKind, Flow, RefusalKind, Upload, UploadState};
use resup_test_support::model::{Account, ModelReceiver, Options, Secret};
use resup_test_support::receiver::{Receiver, Setup};
use resup_test_support::scripted::{End, Read, ScriptedServer, Step};

const SIZE: u64 = 3_000_000;

/// What a server refuses that has no status of its own.
const REFUSED: ErrorKind = ErrorKind::Refused(RefusalKind::Other);

/// Runs an upload, and cancels it on the way.
fn interrupt(upload: &mut Upload) {
    upload.remote().set_rate_limit(3_000_000);
    upload.on_progress(|now| match now.position > 300_000 {
        true => Flow::Cancel,
        false => Flow::Continue,
    });
    assert_eq!(upload.run(), Err(Error::Cancelled));
    upload.on_progress(|_| Flow::Continue);
    upload.remote().set_rate_limit(0);
}

/// Waits until a receiver has noticed that a request was cut, and keeps what came.
fn await_partial(receiver: &Receiver) {
    let until = Instant::now() + Duration::from_secs(60);
    while files_in(receiver, "partial") == 0 {
        assert!(Instant::now() < until, "nothing is kept");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Counts the files in a directory of a receiver's.
fn files_in(receiver: &Receiver, place: &str) -> usize {
    fs::read_dir(receiver.data().join(place)).unwrap().count()
}

#[test]
fn an_unfinished_upload_is_gone_and_begins_anew() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", SIZE);
    let client = client(&receiver.endpoint());
    let mut upload = Upload::from_file(&client, &path).unwrap();
    upload.set_state_file(dir.path().join("state")).unwrap();
    interrupt(&mut upload);
    await_partial(&receiver);
    let states = Arc::new(Mutex::new(Vec::new()));
    let seen = states.clone();
    upload.on_state(move |state| {
        seen.lock().unwrap().push(state);
        Flow::Continue
    });
    upload.on_complete(|_| panic!("a discard completes nothing"));
    upload.on_progress(|_| panic!("a discard makes no progress"));
    upload.discard().unwrap();
    assert_eq!(
        *states.lock().unwrap(),
        [UploadState::Locating, UploadState::Ready]
    );
    assert_eq!(upload.remote().snapshot().state, UploadState::Ready);
    assert_eq!(upload.remote().protocol(), Some("form"));
    assert_eq!(files_in(&receiver, "partial"), 0);
    assert!(!dir.path().join("state").exists());
    // What is not there is discarded, too.
    upload.discard().unwrap();
    upload.on_complete(|_| {});
    upload.on_progress(|_| Flow::Continue);
    upload.run().unwrap();
    assert_eq!(upload.remote().snapshot().bytes_skipped, 0);
}

#[test]
fn another_program_takes_back_what_one_has_begun() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", SIZE);
    let begin = |name: &str| {
        let client = client(&receiver.endpoint());
        let mut upload = match name {
            "memory" => Upload::from_memory(&client, fs::read(&path).unwrap(), "m").unwrap(),
            "stream" => {
                let stream = std::io::Cursor::new(fs::read(&path).unwrap());
                Upload::from_stream(&client, stream, "s").unwrap()
            }
            _ => Upload::from_file(&client, &path).unwrap(),
        };
        if name == "digest first" {
            upload.set_digest(DigestMode::First).unwrap();
        }
        upload
    };
    for name in ["file", "memory", "stream", "digest first"] {
        interrupt(&mut begin(name));
        await_partial(&receiver);
        begin(name).discard().unwrap();
        assert_eq!(files_in(&receiver, "partial"), 0, "{name}");
    }
}

#[test]
fn a_finished_file_stays() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", 1000);
    let mut upload = Upload::from_file(&client(&receiver.endpoint()), &path).unwrap();
    upload.run().unwrap();
    // Another client knows nothing of the server's protocol.
    let mut later = Upload::from_file(&client(&receiver.endpoint()), &path).unwrap();
    for upload in [&mut upload, &mut later] {
        let error = upload.discard().unwrap_err();
        assert_eq!(error.kind(), REFUSED);
        assert!(!error.is_retryable());
        assert!(
            error.to_string().contains("the upload is finished"),
            "{error}"
        );
        assert_eq!(upload.remote().snapshot().http_status, Some(409));
        assert_eq!(files_in(&receiver, "files"), 1);
        assert_eq!(receiver.requests("tus-head"), 0);
    }
    upload.run().unwrap();
    assert_eq!(upload.remote().snapshot().bytes_sent, 0);
}

#[test]
fn a_discard_makes_no_upload() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", 1000);
    let content = fs::read(&path).unwrap();
    let client = client(&receiver.endpoint());
    Upload::from_file(&client, &path).unwrap().run().unwrap();
    // The server has the same content under another name.
    let mut twin = Upload::from_memory(&client, content, "twin").unwrap();
    twin.discard().unwrap();
    assert_eq!(files_in(&receiver, "files"), 1);
    assert_eq!(files_in(&receiver, "partial"), 0);
}

#[test]
fn a_quota_is_free_again() {
    let receiver = Setup::new().args(&["--quota", "4M"]).start();
    let dir = tempfile::tempdir().unwrap();
    let client = client(&receiver.endpoint());
    let make = |name: &str| Upload::from_file(&client, make_file(&dir, name, SIZE)).unwrap();
    let (mut one, mut other) = (make("one"), make("other"));
    interrupt(&mut one);
    let full = ErrorKind::Refused(RefusalKind::NoSpace);
    assert_eq!(other.run().unwrap_err().kind(), full);
    // What is not there can be discarded where there is no room for it.
    other.discard().unwrap();
    one.discard().unwrap();
    other.run().unwrap();
}

#[test]
fn logins_and_signatures_are_those_of_a_run() {
    let account = Account {
        user: "joe".to_owned(),
        password: "secret".to_owned(),
        token: "t".to_owned(),
    };
    let receiver = ModelReceiver::with(Options {
        accounts: vec![account],
        secret: Some(Secret {
            text: "geheim".to_owned(),
            md5: false,
        }),
        ..Options::newest()
    });
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", SIZE);
    let client = client(&receiver.endpoint());
    let login = receiver.endpoint().replace("/upload", "/login");
    client.set_login_form(&login).unwrap();
    client.set_login_field("user", "joe").unwrap();
    client.set_login_field("password", "secret").unwrap();
    client.set_signing_secret(b"geheim").unwrap();
    let mut upload = Upload::from_file(&client, &path).unwrap();
    interrupt(&mut upload);
    assert!(receiver.held("f").is_some());
    // Its session has ended by then.
    receiver.end_sessions();
    upload.discard().unwrap();
    assert_eq!(receiver.held("f"), None);
    assert_eq!(receiver.stats().discards, 1);
}

#[test]
fn a_run_comes_first() {
    let server = ScriptedServer::start(vec![Step::new().end(End::HoldOpen)]);
    let client = client(&server.endpoint());
    let mut upload = Upload::from_memory(&client, *b"abc", "a").unwrap();
    upload.start().unwrap();
    let error = upload.discard().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    upload.remote().cancel();
    assert_eq!(upload.wait(Duration::MAX), Some(Err(Error::Cancelled)));
}

#[test]
fn a_cancel_ends_it_at_once() {
    let hang = || Step::new().read(Read::All).end(End::HoldOpen);
    let offer = || Step::reply(200, r#"{"state":"new","offset":0,"discard":true}"#);
    let busy = || Step::reply(503, "{}").write("");
    for script in [vec![hang()], vec![offer(), hang()], vec![busy()]] {
        let server = ScriptedServer::start(script);
        let client = client(&server.endpoint());
        client
            .set_retry_backoff(Duration::from_secs(600), Duration::from_secs(600))
            .unwrap();
        let mut upload = Upload::from_memory(&client, *b"abc", "a").unwrap();
        let remote = upload.remote();
        let canceller = thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            let at = Instant::now();
            remote.cancel();
            at
        });
        let outcome = upload.discard();
        let ended = Instant::now();
        assert_eq!(outcome, Err(Error::Cancelled));
        let took = ended - canceller.join().unwrap();
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

#[test]
fn a_file_that_is_no_state_file_is_not_removed() {
    let receiver = ModelReceiver::with(Options::newest());
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", 1000);
    let letter: &Path = &dir.path().join("letter");
    fs::write(letter, "Dear Sir or Madam").unwrap();
    let mut upload = Upload::from_file(&client(&receiver.endpoint()), &path).unwrap();
    upload.set_state_file(letter).unwrap();
    upload.discard().unwrap();
    assert!(letter.exists());
}
