//! Several receivers with one database and one object store, each with a data directory of its own.

#![cfg(unix)]

mod common;

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Mutex;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use common::objects::PART;
use common::several::{locate_free, try_exchange, upload, wait_until, Several};
use common::{begin, check_prefix, md5_hex, Receiver, Reply, Upload};
use resup_test_support::haproxy::HaProxy;
use resup_test_support::s3::{Kind, S3Server};
use resup_test_support::{runs, seed, tools};

/// Starts so many receivers with a store.
fn start(kind: Kind, count: usize, flags: &[&str]) -> Option<(S3Server, Several)> {
    let server = S3Server::start(kind)?;
    let store = format!("s3://bucket/some?endpoint=http://{}", server.addr());
    let several = Several::start_with_store(count, &store, flags)?;
    Some((server, several))
}

/// Checks that nothing is in the store but the finished files, when what is left over has been looked for.
fn check_nothing_else(server: &S3Server, several: &Several, ids: &[String]) {
    drop(several.launch("127.0.0.1:0"));
    let mut expected = Vec::from_iter(ids.iter().map(|id| format!("some/files/{id}")));
    expected.sort();
    let keys = || {
        let mut keys = server.keys();
        keys.sort();
        (keys, server.unfinished())
    };
    let until = Instant::now() + Duration::from_secs(30);
    while keys() != (expected.clone(), 0) && Instant::now() < until {
        sleep(Duration::from_millis(100));
    }
    assert_eq!(keys(), (expected, 0));
}

/// Reads a finished file from a receiver.
fn stored(receiver: &Receiver, id: &str) -> Vec<u8> {
    receiver.get(&format!("/uploads/{id}/file")).body
}

#[test]
fn uploads_through_a_proxy_go_on_while_receivers_are_killed() {
    let Some((server, several)) = start(Kind::Versity, 3, &[]) else {
        return;
    };
    let Some(proxy) = HaProxy::round_robin(&several.addresses()) else {
        return;
    };
    let seed = seed::seed();
    let is_over = AtomicBool::new(false);
    let (kills, requests) = (AtomicU64::new(0), AtomicU64::new(0));
    let addresses = several.addresses();
    let running = Mutex::new(several);
    let count = runs::count(8);
    let begun = Instant::now();
    let file = |number: u64| {
        let mut random = fastrand::Rng::with_seed(seed ^ (number + 1));
        let most = [400_000, 3 * PART][number as usize % 2];
        let size = random.usize(100_000..most);
        (Upload::new(&format!("file{number}"), size), random)
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = fastrand::Rng::with_seed(seed);
            while !is_over.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(random.u64(500..2000)));
                let one = random.usize(..addresses.len());
                let mut several = running.lock().unwrap();
                several.receivers[one].kill();
                several.receivers[one] = several.launch(&addresses[one].to_string());
                kills.fetch_add(1, Ordering::Relaxed);
            }
        });
        runs::on_threads(4, count, |number| {
            let (file, mut random) = file(number);
            let made = upload(proxy.addr(), &file, PART + PART / 2, &mut random);
            requests.fetch_add(made, Ordering::Relaxed);
        });
        is_over.store(true, Ordering::Relaxed);
    });
    let several = running.into_inner().unwrap();
    let (kills, requests) = (kills.into_inner(), requests.into_inner());
    let seconds = begun.elapsed().as_secs();
    println!("{count} uploads in {requests} requests and {seconds} s, {kills} kills");
    assert!(kills > 0);
    let mut ids = Vec::new();
    for number in 0..count {
        let (file, _) = file(number);
        let found = locate_free(&several.receivers[0], &file);
        let id = found.expect_complete(file.content.len() as u64).id();
        assert!(stored(&several.receivers[1], &id) == file.content);
        ids.push(id);
    }
    wait_until("leases are left", || {
        several.query("SELECT COUNT(*) FROM leases") == "0"
    });
    check_nothing_else(&server, &several, &ids);
}

/// Lets the first receiver stand still in a request that has wrong bytes behind the first `right` ones, of which `held` are
/// confirmed, while another one goes on with the upload to `ends` in turn. In the end it goes on, and may change nothing.
fn stand_still(kind: Kind, size: usize, right: usize, held: usize, ends: &[usize]) {
    let Some((server, several)) = start(kind, 2, &[]) else {
        return;
    };
    let [first, second] = &several.receivers[..] else {
        unreachable!()
    };
    let file = Upload::new("a", size);
    let mut other = file.clone();
    other.content[right..]
        .iter_mut()
        .for_each(|byte| *byte ^= 1);
    let (id, _) = first.locate_ok(&file);
    let send = other.send(&id, 0).tail("md5", &md5_hex(&other.content));
    let mut stream = begin(first, &send, right);
    let confirmed = || several.query("SELECT held FROM uploads");
    wait_until("they are not confirmed", || confirmed() == held.to_string());
    tools::signal(first.pid(), "STOP");
    let end = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let rest = [&send.bytes[right..], &send.closing()].concat();
            let _ = stream.write_all(&rest);
            Reply::try_read(&mut stream)
        });
        let mut from = locate_free(second, &file).offset() as usize;
        assert_eq!(from, held);
        for end in ends {
            let some = file.send(&id, from as u64).limit(end - from);
            assert_eq!(second.exchange(&some.build()).offset(), *end as u64);
            from = *end;
        }
        tools::signal(first.pid(), "CONT");
        writer.join().unwrap();
        from
    });
    if end < size {
        for receiver in [second, first] {
            let (same, offset) = check_prefix(receiver, &file);
            assert_eq!((&same, offset), (&id, end as u64));
        }
        let rest = first.send_rest(&file, &id, end as u64);
        rest.expect_complete(size as u64);
    }
    assert!(stored(second, &id) == file.content, "wrong bytes");
    check_nothing_else(&server, &several, &[id]);
}

#[test]
fn a_part_that_is_put_late_replaces_none() {
    for kind in [Kind::Versity, Kind::Moto] {
        let ends = [2 * PART + PART / 2];
        stand_still(kind, 3 * PART, PART + 1000, PART, &ends);
    }
}

#[test]
fn an_object_that_is_put_late_replaces_none() {
    for kind in [Kind::Versity, Kind::Moto] {
        stand_still(kind, 400_000, 150_000, 0, &[400_000]);
    }
}

#[test]
fn a_copy_that_a_kill_left_is_dropped() {
    for flags in [&["--layout", "id"], &["--layout", "tree"]] {
        let Some((server, several)) = start(Kind::Versity, 1, flags) else {
            return;
        };
        let mut first = several.launch_crashing("after-rename");
        let file = Upload::new("a", 1000);
        let (id, _) = first.locate_ok(&file);
        let md5 = md5_hex(&file.content);
        let send = file.send(&id, 0).tail("md5", &md5).build();
        assert!(try_exchange(first.address, &send).is_none());
        first.wait();
        let second = &several.receivers[0];
        locate_free(second, &file).expect_complete(1000);
        assert!(stored(second, &id) == file.content);
        let place = if flags[1] == "id" {
            id
        } else {
            "_/a".to_owned()
        };
        check_nothing_else(&server, &several, &[place]);
    }
}

#[test]
fn an_object_that_waits_for_its_name_outlives_its_receiver() {
    let flags = ["--layout", "tree", "--conflict", "refuse"];
    let Some((server, several)) = start(Kind::Versity, 2, &flags) else {
        return;
    };
    let [first, second] = &several.receivers[..] else {
        unreachable!()
    };
    let (file, other) = (Upload::new("a", 1000), Upload::new("a", 2000));
    let (id, _) = first.locate_ok(&file);
    let (taker, _) = first.locate_ok(&other);
    first.send_rest(&other, &taker, 0).expect_complete(2000);
    assert_eq!(first.send_rest(&file, &id, 0).status, 409);
    // As if it had been killed while it tries again.
    let lease = "INSERT INTO leases (id, number, receiver)";
    several.query(&format!(
        "{lease} VALUES ('{id}', nextval('lease_numbers'), 'dead')"
    ));
    assert_eq!(second.delete(&format!("/uploads/{taker}")).status, 204);
    let found = locate_free(second, &file);
    assert_eq!(found.offset(), 1000);
    second.send_rest(&file, &id, 1000).expect_complete(1000);
    assert!(stored(second, &id) == file.content);
    check_nothing_else(&server, &several, &["_/a".to_owned()]);
}
