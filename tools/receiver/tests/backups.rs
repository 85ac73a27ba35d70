//! A database and a data directory of different times, as backups leave them.

#![cfg(unix)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{check_prefix, Receiver, Upload};
use resup_test_support::postgres::{self, Postgres};
use resup_test_support::tools;

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

/// The commands of docs/OPERATION.md that begin with this one.
fn documented(begin: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/OPERATION.md");
    let text = fs::read_to_string(path).unwrap();
    let mut blocks = text.split("```sh\n").skip(1);
    let block = blocks.find(|block| block.starts_with(begin));
    let (commands, _) = block.unwrap().split_once("```").unwrap();
    commands.to_owned()
}

/// Runs commands with the variables that they use.
fn run(commands: &str, database: &str, data: &Path, backup: &Path) {
    let output = Command::new("sh")
        .args(["-euc", commands])
        .env("DATABASE", database)
        .env("DATA", data)
        .env("BACKUP", backup)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{commands}: {error}");
}

/// Uploads files of sizes from this one on, in segments, until it is told to stop. Returns those that were begun.
fn upload_until(receiver: &Receiver, first: usize, stop: &AtomicBool) -> Vec<Upload> {
    let mut files = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let size = first + files.len();
        let file = Upload::new(&format!("busy-{size}"), size);
        let (id, _) = receiver.locate_ok(&file);
        for offset in (0..size - 30_000).step_by(30_000) {
            let send = file.send(&id, offset as u64).limit(30_000);
            receiver.exchange(&send.build());
        }
        let (id, offset) = check_prefix(receiver, &file);
        receiver
            .send_rest(&file, &id, offset)
            .expect_complete(size as u64);
        files.push(file);
    }
    files
}

#[test]
fn the_documented_backup_is_restored_elsewhere() {
    let Some(bench) = Bench::new() else {
        return;
    };
    if !tools::have(&["pg_dump", "pg_restore", "tar"]) {
        return;
    }
    let mut receiver = bench.start();
    let [done, half] =
        [("done", 90_001), ("half", 90_002)].map(|(name, size)| Upload::new(name, size));
    let (id, _) = receiver.locate_ok(&done);
    receiver.send_rest(&done, &id, 0).expect_complete(90_001);
    let (id, _) = receiver.locate_ok(&half);
    receiver.exchange(&half.send(&id, 0).limit(40_000).build());
    let backup = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let mut files = thread::scope(|scope| {
        let uploads = [100_000, 200_000].map(|first| {
            let (receiver, stop) = (&receiver, &stop);
            scope.spawn(move || upload_until(receiver, first, stop))
        });
        run(
            &documented("pg_dump"),
            &bench.address,
            bench.data.path(),
            backup.path(),
        );
        stop.store(true, Ordering::Relaxed);
        uploads.map(|upload| upload.join().unwrap()).concat()
    });
    receiver.kill();
    files.extend([done.clone(), half.clone()]);

    let (elsewhere, database) = (tempfile::tempdir().unwrap(), bench.server.database());
    let data = elsewhere.path().join("data");
    run(&documented("pg_restore"), &database, &data, backup.path());
    let receiver = Receiver::start_at("127.0.0.1:0", &data, &["--database", &database]);
    // What is finished is whole: also what was finished while the backup was made.
    let list = receiver.get("/uploads?state=complete&limit=1000");
    let finished = list.json["uploads"].as_array().unwrap();
    assert!(
        finished.iter().any(|item| item["name"] == "done"),
        "{finished:?}"
    );
    for item in finished {
        let file = files
            .iter()
            .find(|file| item["name"] == *file.name)
            .unwrap();
        let stored = receiver.get(&format!("/uploads/{}/file", item["id"].as_str().unwrap()));
        assert!(stored.body == file.content, "{}", file.name);
    }
    assert_eq!(check_prefix(&receiver, &half).1, 40_000);
    // All others go on, or begin again.
    for file in &files {
        if receiver.locate(file).text("state") != "complete" {
            let (id, offset) = check_prefix(&receiver, file);
            let size = file.content.len() as u64;
            receiver.send_rest(file, &id, offset).expect_complete(size);
            assert!(receiver.stored(&id) == file.content, "{}", file.name);
        }
    }
}
