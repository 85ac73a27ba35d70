//! The records in PostgreSQL: a sample of what the other tests do with SQLite, and what only PostgreSQL could do wrong.
//! `make test-postgres` runs all tests of the receiver with it.

#![cfg(unix)]

mod common;

use std::fs::{self, File};
use std::process::Stdio;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use common::accounts::{admin_fails, admin_ok, basic, bearer, PASSWORD};
use common::{begin, check_prefix, command, md5_hex, Receiver, Upload};
use resup_test_support::postgres::{self, Postgres};

/// The server of a test, and the address of an empty database; nothing where PostgreSQL is not installed.
fn server() -> Option<(&'static Postgres, String)> {
    let server = postgres::shared()?;
    let address = server.database();
    Some((server, address))
}

/// Starts a receiver with a database.
fn start(address: &str, flags: &[&str]) -> Receiver {
    Receiver::start(&[&["--database", address], flags].concat())
}

#[test]
fn an_upload_goes_on_after_kills_and_is_whole() {
    let Some((_server, address)) = server() else {
        return;
    };
    let mut receiver = start(&address, &["--commit-bytes", "50000"]);
    let file = Upload::new("a.bin", 600_000);
    let (id, offset) = receiver.locate_ok(&file);
    assert_eq!(offset, 0);
    let part = file.send(&id, 0).limit(200_000).build();
    assert_eq!(receiver.exchange(&part).offset(), 200_000);
    // A send that the kill breaks.
    let stream = begin(&receiver, &file.send(&id, 200_000), 300_000);
    receiver.kill_and_restart();
    drop(stream);
    let (same, offset) = check_prefix(&receiver, &file);
    assert!(same == id && offset >= 200_000, "{offset}");
    for point in [
        "before-commit",
        "after-group",
        "after-finish",
        "after-rename",
    ] {
        let (_, offset) = check_prefix(&receiver, &file);
        receiver.kill_and_restart_crashing(point);
        let rest = file.send(&id, offset).tail("md5", &md5_hex(&file.content));
        let reply = {
            let mut stream = receiver.connect();
            let _ = std::io::Write::write_all(&mut stream, &rest.build());
            common::Reply::try_read(&mut stream)
        };
        receiver.kill_and_restart();
        if let Some(reply) = reply {
            assert_eq!(reply.status, 200, "{point}: {:?}", reply.json);
        }
    }
    let found = receiver.locate(&file);
    if found.text("state") != "complete" {
        receiver
            .send_rest(&file, &id, found.offset())
            .expect_complete(600_000);
    }
    assert_eq!(receiver.stored(&id), file.content);
    assert_eq!(
        receiver.get(&format!("/uploads/{id}/file")).body,
        file.content
    );
    assert_eq!(receiver.delete(&format!("/uploads/{id}")).status, 204);
    assert_eq!(receiver.locate_ok(&file).1, 0);
}

#[test]
fn accounts_are_in_the_database_and_their_commands_run_beside_the_receiver() {
    let Some((server, address)) = server() else {
        return;
    };
    let receiver = start(&address, &[]);
    let flags = ["--database", &address];
    let run = |args: &[&str]| admin_ok(receiver.data(), &[&flags, args].concat(), PASSWORD);
    run(&["user", "add", "joe"]);
    run(&["user", "add", "ann"]);
    let error = admin_fails(
        receiver.data(),
        &[&flags[..], &["user", "add", "JOE"]].concat(),
        PASSWORD,
    );
    assert!(error.contains("differs in case only"), "{error}");
    let token = run(&["token", "add", "joe", "--label", "laptop"]);
    assert_eq!(run(&["user", "list"]).lines().count(), 2);
    // The other way to write an address with a socket.
    let rest = address.strip_prefix("postgres://postgres@").unwrap();
    let (socket, name) = rest.split_once('/').unwrap();
    let other = format!("postgres:///{name}?host={socket}&user=postgres");
    let list = admin_ok(receiver.data(), &["--database", &other, "user", "list"], "");
    assert_eq!(list, run(&["user", "list"]));
    let file = Upload::new("a", 10);
    let with = |header: &str| {
        receiver
            .locate_with(&file, &[("Authorization", header)])
            .status
    };
    assert_eq!(with(&basic("joe", PASSWORD)), 200);
    assert_eq!(with(&basic("joe", "wrong")), 401);
    // No name has this character, and PostgreSQL takes none with it.
    assert_eq!(with(&basic("jo\0e", PASSWORD)), 401);
    assert_eq!(with(&bearer(token.trim())), 200);
    let cookie = receiver.log_in_ok("joe");
    let list = || {
        receiver
            .exchange(&common::accounts::with(
                common::head("GET", "/uploads", "", 0),
                &[("Cookie", &cookie)],
            ))
            .status
    };
    assert_eq!(list(), 200);
    run(&["user", "remove", "joe"]);
    assert_eq!((with(&bearer(token.trim())), list()), (401, 401));
    // Removals and new tokens at the same time leave no token of a user who is not there.
    for _ in 0..5 {
        run(&["user", "add", "bob"]);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let args = [&flags[..], &["token", "add", "bob"]].concat();
                    common::accounts::admin(receiver.data(), &args, "")
                });
            }
            scope.spawn(|| run(&["user", "remove", "bob"]));
        });
        let left = "SELECT COUNT(*) FROM tokens WHERE owner NOT IN (SELECT name FROM users)";
        assert_eq!(server.query(&address, left).trim(), "0");
    }
}

#[test]
fn an_upload_without_progress_expires() {
    let Some((_server, address)) = server() else {
        return;
    };
    let receiver = start(&address, &["--expire", "1s"]);
    let file = Upload::new("a", 1000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(400).build());
    let done = Upload::new("done", 10);
    let (done_id, _) = receiver.locate_ok(&done);
    receiver.send_rest(&done, &done_id, 0).expect_complete(10);
    let until = Instant::now() + Duration::from_secs(60);
    while receiver.partial(&id).exists() {
        assert!(Instant::now() < until, "it never expires");
        thread::sleep(Duration::from_millis(100));
    }
    receiver.get(&format!("/uploads/{id}")).expect(404, &id);
    receiver.locate(&done).expect_complete(10);
}

#[test]
fn requests_at_the_same_time_make_one_upload_and_keep_the_limits() {
    let Some((server, address)) = server() else {
        return;
    };
    let receiver = start(&address, &["--max-records", "5"]);
    let at_once = |count: usize, work: &(dyn Fn(usize) -> (u16, String) + Sync)| {
        let barrier = Barrier::new(count);
        thread::scope(|scope| {
            let run = |number| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    work(number)
                })
            };
            let threads: Vec<_> = (0..count).map(run).collect();
            let results = threads.into_iter().map(|thread| thread.join().unwrap());
            results.collect::<Vec<_>>()
        })
    };
    let same = Upload::new("same", 1000);
    let found = at_once(8, &|_| loop {
        let reply = receiver.locate(&same);
        // Who waits for long is told to come again.
        if reply.status != 423 {
            return (reply.status, reply.id());
        }
    });
    assert!(
        found.iter().all(|it| *it == (200, found[0].1.clone())),
        "{found:?}"
    );
    let found = at_once(12, &|number| {
        let reply = receiver.locate(&Upload::new(&format!("file{number}"), 1000));
        (reply.status, String::new())
    });
    let made = found.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(made, 4, "{found:?}");
    let (id, _) = receiver.locate_ok(&same);
    // Of two who send all of it, one has it, or both, one after the other.
    let sent = at_once(2, &|_| {
        let reply = receiver.send_rest(&same, &id, 0);
        (reply.status, String::new())
    });
    assert!(sent.iter().any(|(status, _)| *status == 200), "{sent:?}");
    receiver.locate(&same).expect_complete(1000);
    assert_eq!(receiver.stored(&id), same.content);
    assert_eq!(
        server
            .query(&address, "SELECT COUNT(*) FROM uploads")
            .trim(),
        "5"
    );
}

#[test]
fn names_may_be_as_long_as_with_sqlite() {
    let Some((_server, address)) = server() else {
        return;
    };
    let receiver = start(&address, &["--layout", "tree"]);
    let mut rng = fastrand::Rng::with_seed(7);
    // Text that cannot be made much shorter, and that is longer on the disk: indexes of PostgreSQL take 2704 bytes.
    let odd: Vec<char> = ":*?<>|\"\\".chars().collect();
    let mut word = |length: usize| -> String {
        let chars = (0..length).map(|_| *rng.choice(&odd).unwrap());
        chars.collect()
    };
    let dir: Vec<_> = (0..12).map(|_| word(80)).collect();
    let file = Upload::new(&word(80), 1000).with("dir", &dir.join("/"));
    let (id, _) = receiver.locate_ok(&file);
    assert_eq!(receiver.locate_ok(&file), (id.clone(), 0));
    receiver.send_rest(&file, &id, 0).expect_complete(1000);
    receiver.locate(&file).expect_complete(1000);
    assert_eq!(
        receiver.get(&format!("/uploads/{id}/file")).body,
        file.content
    );
    receiver
        .get("/uploads/a%00b")
        .expect(404, "no upload has the id");
}

#[test]
fn a_second_receiver_is_refused_and_a_password_is_in_no_log() {
    let Some((_server, address)) = server() else {
        return;
    };
    let mut first = start(&address, &[]);
    let other = tempfile::tempdir().unwrap();
    let with_password = address.replace("postgres@", "postgres:hunter2@");
    let flags = ["--database".to_owned(), with_password.clone()];
    let output = command(other.path(), &flags).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    for words in [
        &format!("another receiver uses the database {address}; end it"),
        "list of processes",
    ] {
        assert!(error.contains(words), "{error}");
    }
    assert!(!error.contains("hunter2"), "{error}");
    first.kill();
    let password = other.path().join("password");
    fs::write(&password, "hunter2\n").unwrap();
    let log = other.path().join("log");
    let (path, file) = (password.to_str().unwrap().to_owned(), log.clone());
    let dir = tempfile::tempdir().unwrap();
    let flags = ["--database", &address, "--database-password-file", &path];
    let second = Receiver::start_changed(dir, &flags, move |command| {
        command
            .env("RUST_LOG", "debug")
            .stderr(Stdio::from(File::create(&file).unwrap()));
    });
    second.locate_ok(&Upload::new("a", 10));
    let log = fs::read_to_string(log).unwrap();
    assert!(!log.is_empty() && !log.contains("hunter2"), "{log}");
    assert!(!log.contains("list of processes"), "{log}");
}
