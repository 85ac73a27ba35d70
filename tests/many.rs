//! Many uploads of one client: in a row, and at once.

mod common;

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{client, make_file};
use resup::{Client, Upload};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::receiver::Receiver;
use resup_test_support::runs;
use resup_test_support::scripted::{json, ScriptedServer, Step};

/// The environment of a child process of these tests: the URL of its server, and how many uploads it makes.
const URL: &str = "RESUP_TEST_MANY_URL";
const COUNT: &str = "RESUP_TEST_MANY_COUNT";

/// Reads a number from /proc/self/status.
#[cfg(target_os = "linux")]
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap().trim_start_matches(':').trim();
    number.trim_end_matches(" kB").parse().unwrap()
}

/// Runs one of the tests below in a process of its own, so that other tests do not use its memory.
#[cfg(target_os = "linux")]
fn in_a_child(test: &str, server: &str, count: u64) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(URL, server)
        .env(COUNT, count.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "{text}");
}

#[cfg(target_os = "linux")]
fn child() -> (Client, u64) {
    let count = std::env::var(COUNT).unwrap().parse().unwrap();
    (client(&std::env::var(URL).unwrap()), count)
}

#[cfg(target_os = "linux")]
#[test]
fn thousands_of_files_in_a_row_need_one_connection_and_no_more_memory() {
    let count = runs::count(2000);
    // By locates and sends, and by stores.
    for options in [Options::default(), Options::newest()] {
        let receiver = ModelReceiver::with(options);
        in_a_child("a_child_uploads_in_a_row", &receiver.endpoint(), count);
        assert_eq!(receiver.files().len() as u64, count);
        assert_eq!(receiver.connections(), 1);
    }
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "a child of thousands_of_files_in_a_row_need_one_connection_and_no_more_memory"]
fn a_child_uploads_in_a_row() {
    let (client, count) = child();
    let dir = tempfile::tempdir().unwrap();
    let (mut early, threads) = (0, status("Threads"));
    for n in 0..count {
        let name = n.to_string();
        let path = make_file(&dir, &name, 1024);
        Upload::from_file(&client, &path).unwrap().run().unwrap();
        std::fs::remove_file(path).unwrap();
        if n == count / 10 {
            early = status("VmRSS");
        }
    }
    let late = status("VmRSS");
    println!("{early} kB after a tenth of {count} files, {late} kB after all, {threads} threads");
    assert!(late < early + 1024, "{early} kB became {late} kB");
    // The thread of the last upload may still be about to end.
    let are_gone = || {
        std::thread::sleep(Duration::from_millis(2));
        status("Threads") <= threads
    };
    assert!(
        (0..1000).any(|_| are_gone()),
        "{} threads",
        status("Threads")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn many_large_uploads_at_once_need_little_memory_each() {
    let server = ScriptedServer::start_with(|head, _| match head.boundary() {
        None => Step::reply(200, &json("new", 0, "k")),
        Some(_) => Step::reply(200, r#"{"state":"complete","id":"k"}"#),
    });
    in_a_child("a_child_uploads_at_once", &server.endpoint(), 64);
    let requests = server.requests();
    let whole = requests.iter().filter(|r| r.body_len > LARGE).count();
    assert_eq!(whole, 64);
}

#[cfg(target_os = "linux")]
const LARGE: u64 = 12 << 20;

#[cfg(target_os = "linux")]
#[test]
#[ignore = "a child of many_large_uploads_at_once_need_little_memory_each"]
fn a_child_uploads_at_once() {
    let (client, count) = child();
    let dir = tempfile::tempdir().unwrap();
    let path: &Path = &dir.path().join("large");
    File::create(path).unwrap().set_len(LARGE).unwrap();
    let before = status("VmHWM");
    let upload = |_| {
        let mut upload = Upload::from_file(&client, path).unwrap();
        upload.start().unwrap();
        upload
    };
    let mut uploads: Vec<_> = (0..count).map(upload).collect();
    for upload in &mut uploads {
        assert_eq!(upload.wait(Duration::MAX), Some(Ok(())));
    }
    let each = (status("VmHWM") - before) / count;
    println!("{each} kB for each of {count} uploads of {LARGE} bytes at once");
    assert!(each < 4096, "{each} kB");
}

#[test]
fn many_files_in_a_row_share_one_connection() {
    share_one_connection(&ModelReceiver::start());
    share_one_connection(&ModelReceiver::with(Options::newest()));
}

fn share_one_connection(receiver: &ModelReceiver) {
    let client = client(&receiver.endpoint());
    let count = 300;
    for n in 0..count {
        let content = files::bytes(4096, n);
        let mut upload = Upload::from_memory(&client, content, &n.to_string()).unwrap();
        upload.run().unwrap();
        if n % 50 == 49 {
            // An upload that is cancelled closes its own connection only.
            upload = Upload::from_memory(&client, files::bytes(9_000_000, n), "x").unwrap();
            upload.remote().set_rate_limit(9_000_000);
            upload.start().unwrap();
            while upload.remote().snapshot().bytes_sent == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            upload.remote().cancel();
            upload.wait(Duration::from_secs(30)).unwrap().unwrap_err();
        }
    }
    assert!(receiver.files().len() as u64 >= count);
    let connections = receiver.connections();
    assert!(connections <= 1 + 2 * (count / 50), "{connections}");
    // A changed setting needs a new connection.
    client.set_user_agent("other").unwrap();
    let mut upload = Upload::from_memory(&client, files::bytes(10, 1), "last").unwrap();
    upload.run().unwrap();
    assert_eq!(receiver.connections(), connections + 1);
}

#[test]
fn many_uploads_at_once_share_a_client() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let client = client(&receiver.endpoint());
    std::thread::scope(|scope| {
        for n in 0..64 {
            let (client, receiver) = (&client, &receiver);
            let path = dir.path().join(format!("many-{n}"));
            files::make(&path, 1 << 20, n).unwrap();
            scope.spawn(move || {
                let mut upload = Upload::from_file(client, &path).unwrap();
                upload.run().unwrap();
                let id = upload.remote().id().unwrap();
                files::assert_same(&path, &receiver.stored_file(&id));
            });
        }
    });
}
