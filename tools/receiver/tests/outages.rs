//! A database that cannot be reached: PostgreSQL is stopped and killed, and comes back.

#![cfg(unix)]

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{head, md5_hex, post_form, Receiver, Reply, Upload};
use resup_test_support::postgres::Postgres;
use resup_test_support::{runs, seed};

/// How long anything may take.
const TIME: Duration = Duration::from_secs(120);

/// Starts a receiver with a database, and writes its log to a file.
fn start(address: &str, log: &Path, flags: &[&str]) -> Receiver {
    let log = log.to_owned();
    let dir = tempfile::tempdir().unwrap();
    Receiver::start_changed(
        dir,
        &[&["--database", address], flags].concat(),
        move |command| {
            let file = File::options()
                .append(true)
                .create(true)
                .open(&log)
                .unwrap();
            command.stderr(Stdio::from(file));
        },
    )
}

/// Exchanges a request for a response; nothing when the connection breaks.
fn ask(receiver: &Receiver, request: &[u8]) -> Option<Reply> {
    let mut stream = receiver.connect();
    stream.set_read_timeout(Some(TIME)).unwrap();
    let _ = stream.write_all(request);
    Reply::try_read(&mut stream)
}

/// Asks again while the answer is that the database is away.
fn ask_again(receiver: &Receiver, request: &[u8]) -> Reply {
    let until = Instant::now() + TIME;
    loop {
        match ask(receiver, request) {
            Some(reply) if reply.status == 503 => {
                assert!(reply.head.contains("retry-after: "), "{}", reply.head);
                thread::sleep(Duration::from_millis(100));
            }
            Some(reply) => return reply,
            None => {}
        }
        assert!(Instant::now() < until, "it never comes back");
    }
}

/// Uploads a file, again and again from where the receiver is. Returns its id.
fn upload(receiver: &Receiver, file: &Upload) -> String {
    let (size, until) = (file.content.len() as u64, Instant::now() + TIME);
    let mut confirmed = 0;
    while Instant::now() < until {
        let found = ask_again(receiver, &post_form(&file.locate_form()));
        assert_eq!(found.status, 200, "{:?}", found.json);
        assert!(
            found.offset() >= confirmed,
            "{} of {confirmed}",
            found.offset()
        );
        let held = &file.content[..found.offset() as usize];
        assert_eq!(found.text("prefix_md5"), md5_hex(held));
        if found.text("state") == "complete" {
            return found.id();
        }
        let from = found.offset();
        let part = file
            .send(&found.id(), from)
            .limit(300_000.min((size - from) as usize));
        let part = match from + part.bytes.len() as u64 == size {
            true => part.tail("md5", &md5_hex(&file.content)),
            false => part,
        };
        if let Some(reply) = ask(receiver, &part.build()) {
            match reply.status {
                200 => confirmed = reply.offset(),
                503 => assert!(reply.head.contains("retry-after: "), "{}", reply.head),
                423 => thread::sleep(Duration::from_millis(100)),
                _ => panic!("{:?}", reply.json),
            }
        }
    }
    panic!("it is never whole");
}

#[test]
fn a_receiver_starts_before_its_database() {
    let Some(mut server) = Postgres::start() else {
        return;
    };
    let address = server.database();
    server.stop();
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let secret = address.replace("postgres@", "postgres:hunter2@");
    let receiver = start(&secret, &log, &[]);
    let file = Upload::new("a", 1000);
    for request in [
        post_form(&file.locate_form()),
        head("GET", "/", "", 0),
        head("PATCH", "/upload/1", "", 0),
        file.send("1", 0).build(),
    ] {
        let reply = ask(&receiver, &request).expect("an answer");
        assert_eq!(reply.status, 503, "{:?}", reply.json);
        assert!(reply.head.contains("retry-after: "), "{}", reply.head);
        // A later request on the connection would have this answer, too.
        assert!(reply.head.contains("connection: close"), "{}", reply.head);
        assert!(reply.text("message").contains("database cannot be reached"));
    }
    let health = receiver.get("/healthz");
    let text = String::from_utf8_lossy(&health.body);
    assert!(
        health.status == 503 && text.contains("database cannot be reached"),
        "{text}"
    );
    server.restart();
    upload(&receiver, &file);
    assert_eq!(
        ask_again(&receiver, &head("GET", "/healthz", "", 0)).status,
        200
    );
    let log = fs::read_to_string(log).unwrap();
    let told = format!("the database {address} cannot be reached");
    assert!(log.contains(&told) && !log.contains("hunter2"), "{log}");
}

#[test]
fn uploads_go_on_after_stops_and_kills_of_the_database() {
    let Some(mut server) = Postgres::start() else {
        return;
    };
    let address = server.database();
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let receiver = start(&address, &log, &["--commit-bytes", "50000"]);
    let mut rng = seed::rng(seed::seed());
    let runs = runs::count(6);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..2)
            .map(|client| {
                let (receiver, done) = (&receiver, &done);
                scope.spawn(move || {
                    let mut number = 0;
                    while !done.load(Ordering::Relaxed) || number == 0 {
                        let name = format!("{client} {number}");
                        let file = Upload::new(&name, 1_500_000 + client * 7 + number);
                        let id = upload(receiver, &file);
                        assert!(receiver.stored(&id) == file.content, "{name}");
                        number += 1;
                    }
                    number
                })
            })
            .collect();
        for run in 0..runs {
            thread::sleep(Duration::from_millis(rng.u64(50..600)));
            match run % 2 {
                0 => server.kill(),
                _ => server.stop(),
            }
            thread::sleep(Duration::from_millis(rng.u64(..1500)));
            server.restart();
        }
        done.store(true, Ordering::Relaxed);
        for client in clients {
            let count = client.join().unwrap();
            println!("{count} uploads");
        }
    });
    assert_eq!(
        ask_again(&receiver, &head("GET", "/healthz", "", 0)).status,
        200
    );
    let rows = "SELECT COUNT(*) FROM uploads WHERE state <> 'complete'";
    assert_eq!(server.query(&address, rows).trim(), "0");
}

#[test]
fn a_receiver_that_its_database_refuses_goes_on_when_it_is_let_in() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let address = server.database();
    server.query(&address, "CREATE ROLE joe LOGIN SUPERUSER");
    let joes = address.replace("postgres@", "joe@");
    let dir = tempfile::tempdir().unwrap();
    let receiver = start(&joes, &dir.path().join("log"), &[]);
    let file = Upload::new("a", 1000);
    receiver.locate_ok(&file);
    server.query(
        &address,
        "ALTER ROLE joe NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'joe'",
    );
    for request in [
        post_form(&file.locate_form()),
        head("GET", "/uploads", "", 0),
    ] {
        let reply = ask(&receiver, &request).expect("an answer");
        assert_eq!(reply.status, 503, "{:?}", reply.json);
    }
    server.query(&address, "ALTER ROLE joe LOGIN");
    upload(&receiver, &file);
}

#[test]
fn health_tells_that_the_database_is_away() {
    let Some(mut server) = Postgres::start() else {
        return;
    };
    let address = server.database();
    let dir = tempfile::tempdir().unwrap();
    let receiver = start(&address, &dir.path().join("log"), &[]);
    let wait = |status: u16| {
        let until = Instant::now() + TIME;
        loop {
            let reply = receiver.get("/healthz");
            if reply.status == status {
                return String::from_utf8(reply.body).unwrap();
            }
            assert!(Instant::now() < until, "{status}");
            thread::sleep(Duration::from_millis(100));
        }
    };
    wait(200);
    server.kill();
    let text = wait(503);
    assert!(
        text.contains("the receiver's database cannot be reached"),
        "{text}"
    );
    server.restart();
    wait(200);
    // A receiver that is asked to end while the database is away does so.
    server.stop();
    let mut receiver = receiver;
    assert!(receiver.terminate().success());
}
