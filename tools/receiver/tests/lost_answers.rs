//! Answers of PostgreSQL that are lost, or never come.

#![cfg(unix)]

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::way::Way;
use common::{Receiver, Upload};
use resup_test_support::postgres;

/// How long anything may take.
const TIME: Duration = Duration::from_secs(120);

/// Asks for a file's upload while the database is away.
fn status(receiver: &Receiver, file: &Upload) -> u16 {
    let until = Instant::now() + TIME;
    loop {
        let status = receiver.exchange(&file.store("blake3").build()).status;
        if status != 503 {
            return status;
        }
        assert!(Instant::now() < until, "it never comes back");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_store_whose_commit_is_not_answered_is_whole() {
    let Some(server) = postgres::shared() else {
        return;
    };
    let way = Way::to(&server.database());
    let flags = ["--database", &way.address];
    let flags = [&flags[..], &["--layout", "tree", "--conflict", "replace"]].concat();
    let receiver = Receiver::start(&flags);
    let old = Upload::new("a", 5000);
    receiver
        .exchange(&old.store("blake3").build())
        .expect_complete(5000);
    let mut new = Upload::new("a", 5000);
    new.content.reverse();
    // The new record takes the place of the old one in a transaction of several statements.
    way.lose("COMMIT");
    let lost = receiver.exchange(&new.store("blake3").build());
    assert!(way.has_lost());
    assert_eq!(lost.status, 503, "{:?}", lost.json);
    let place = receiver.data().join("files/_/a");
    assert_eq!(status(&receiver, &new), 200);
    assert!(fs::read(place).unwrap() == new.content);
    let list = receiver.get("/uploads");
    assert_eq!(list.json["uploads"].as_array().unwrap().len(), 1);
}

#[test]
fn a_database_that_falls_silent_is_told_and_comes_back() {
    let Some(server) = postgres::shared() else {
        return;
    };
    let way = Way::to(&server.database());
    let receiver = Receiver::start(&["--database", &way.address]);
    let file = Upload::new("a", 5000);
    receiver
        .exchange(&file.store("blake3").build())
        .expect_complete(5000);
    // In the middle of a question: the connection has just been made.
    way.fall_silent_at("FROM uploads");
    let mut stream = receiver.connect();
    stream.set_read_timeout(Some(TIME)).unwrap();
    let request = common::head("GET", "/uploads", "", 0);
    std::io::Write::write_all(&mut stream, &request).unwrap();
    let reply = common::Reply::try_read(&mut stream).expect("an answer");
    assert_eq!(reply.status, 503, "{:?}", reply.json);
    assert!(way.go_on());
    assert_eq!(status(&receiver, &file), 200);
}
