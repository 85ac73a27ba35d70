//! A database and a data directory of different times, as backups leave them.

#![cfg(unix)]

mod common;

use std::fs;
use std::process::Command;

use common::{check_prefix, Receiver, Upload};
use resup_test_support::postgres::{self, Postgres};

/// A receiver whose records are in PostgreSQL, and its files.
struct Bench {
    server: &'static Postgres,
    data: tempfile::TempDir,
    address: String,
}

impl Bench {
    fn new() -> Option<Self> {
        let server = postgres::shared()?;
        let address = server.database();
        Some(Self {
            server,
            data: tempfile::tempdir().unwrap(),
            address,
        })
    }

    fn start(&self) -> Receiver {
        Receiver::start_at(
            "127.0.0.1:0",
            self.data.path(),
            &["--database", &self.address],
        )
    }

    /// Copies the data directory.
    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        let done = Command::new("cp")
            .arg("-a")
            .arg(self.data.path().join("."))
            .arg(copy.path())
            .status();
        assert!(done.unwrap().success());
        copy
    }
}

/// Three files: one that is finished between the two times, one that goes on, one that begins.
struct Files {
    finished: Upload,
    longer: Upload,
    newer: Upload,
    old: Upload,
}

impl Files {
    fn new() -> Self {
        let [finished, longer, newer, old] =
            ["finished", "longer", "newer", "old"].map(|name| Upload::new(name, 100_000));
        Self {
            finished,
            longer,
            newer,
            old,
        }
    }

    fn before(&self, receiver: &Receiver) {
        for file in [&self.finished, &self.longer] {
            let (id, _) = receiver.locate_ok(file);
            let sent = receiver.exchange(&file.send(&id, 0).limit(40_000).build());
            assert_eq!(sent.offset(), 40_000);
        }
        let (id, _) = receiver.locate_ok(&self.old);
        receiver
            .send_rest(&self.old, &id, 0)
            .expect_complete(100_000);
    }

    fn between(&self, receiver: &Receiver) {
        let (id, offset) = check_prefix(receiver, &self.finished);
        receiver
            .send_rest(&self.finished, &id, offset)
            .expect_complete(100_000);
        let (id, offset) = check_prefix(receiver, &self.longer);
        let sent = receiver.exchange(&self.longer.send(&id, offset).limit(30_000).build());
        assert_eq!(sent.offset(), 70_000);
        let (id, _) = receiver.locate_ok(&self.newer);
        receiver.exchange(&self.newer.send(&id, 0).limit(50_000).build());
    }

    /// Ends all uploads, and compares the files.
    fn end(&self, receiver: &Receiver) {
        for file in [&self.finished, &self.longer, &self.newer, &self.old] {
            let found = receiver.locate(file);
            if found.text("state") != "complete" {
                let (id, offset) = check_prefix(receiver, file);
                receiver
                    .send_rest(file, &id, offset)
                    .expect_complete(100_000);
            }
            let id = receiver.locate(file).expect_complete(100_000).id();
            let stored = receiver.get(&format!("/uploads/{id}/file"));
            assert!(stored.body == file.content, "{}", file.name);
        }
    }
}

#[test]
fn a_directory_that_is_newer_than_the_database_goes_on() {
    let Some(mut bench) = Bench::new() else {
        return;
    };
    let files = Files::new();
    let mut receiver = bench.start();
    files.before(&receiver);
    // While the receiver runs.
    let dump = bench.server.dump(&bench.address);
    files.between(&receiver);
    receiver.kill();
    bench.address = bench.server.load(&dump);
    let receiver = bench.start();
    assert_eq!(check_prefix(&receiver, &files.longer).1, 40_000);
    assert_eq!(check_prefix(&receiver, &files.finished).1, 0);
    // What is there of the upload that the database does not know.
    let unknown = fs::read_dir(bench.data.path().join("partial.unknown")).unwrap();
    assert_eq!(unknown.count(), 1);
    files.end(&receiver);
}

#[test]
fn a_directory_that_is_older_than_the_database_goes_on() {
    let Some(mut bench) = Bench::new() else {
        return;
    };
    let files = Files::new();
    let mut receiver = bench.start();
    files.before(&receiver);
    receiver.kill();
    let older = bench.copy();
    let mut receiver = bench.start();
    files.between(&receiver);
    receiver.kill();
    bench.data = older;
    let receiver = bench.start();
    // It has the bytes of the first time, which are less than it had confirmed.
    for file in [&files.longer, &files.newer] {
        assert_eq!(check_prefix(&receiver, file).1, 0);
    }
    files.end(&receiver);
}
