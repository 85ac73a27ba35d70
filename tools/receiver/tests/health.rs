//! `/healthz` on disks and databases that hang.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use common::faulty::Faulty;
use common::lock::Lock;
use common::{has_no_sqlite, Receiver, Reply};

/// Asks until the answer has a status. No answer may be late.
fn ask_until(receiver: &Receiver, status: u16) -> Reply {
    let begun = Instant::now();
    loop {
        let asked = Instant::now();
        let reply = receiver.get("/healthz");
        assert!(asked.elapsed() < Duration::from_secs(3));
        if reply.status == status {
            return reply;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{reply:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_disk_that_hangs_is_told_and_delays_no_answer() {
    let faulty = Faulty::start(&[]);
    ask_until(&faulty.receiver, 200);
    faulty.fail(("write", 0, "/.probe"));
    let reply = ask_until(&faulty.receiver, 503);
    let text = String::from_utf8_lossy(&reply.body);
    assert!(text.contains("does not answer"), "{text}");
    faulty.mend();
    ask_until(&faulty.receiver, 200);
}

#[test]
fn a_database_that_is_locked_is_told_and_delays_no_answer() {
    let receiver = Receiver::start(&[]);
    ask_until(&receiver, 200);
    let lock = Lock::take(&receiver);
    ask_until(&receiver, 503);
    lock.release();
    ask_until(&receiver, 200);
}

#[test]
fn a_health_check_writes_to_the_database() {
    if has_no_sqlite() {
        return;
    }
    let receiver = Receiver::start(&[]);
    let log = || fs::read(receiver.data().join("receiver.sqlite-wal")).unwrap();
    let before = log();
    let begun = Instant::now();
    ask_until(&receiver, 200);
    while log() == before {
        assert!(begun.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(50));
    }
}
