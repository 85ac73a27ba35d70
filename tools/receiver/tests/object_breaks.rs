//! Object stores, receivers and connections that break while files go into an object store. RESUP_TEST_RUNS makes the tests
//! longer.

#![cfg(unix)]

mod common;

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use common::objects::{ask, upload, Scene, PART, TIME};
use common::{begin, check_prefix, cut, head, md5_hex, post_form, Upload};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::s3::{Kind, S3Server};
use resup_test_support::{runs, seed};

/// The number of bytes of a file that has several parts.
const SIZE: usize = 2 * PART + 3_000_000;

const POINTS: [&str; 8] = [
    "after-write",
    "after-begin",
    "after-sync",
    "after-commit",
    "after-complete",
    "before-commit",
    "after-group",
    "after-finish",
];

#[test]
fn a_receiver_that_is_killed_at_a_commit_point_goes_on() {
    let Some(mut scene) = Scene::start(Kind::Versity, &[]) else {
        return;
    };
    for (run, point) in POINTS.iter().cycle().take(runs::count(8)).enumerate() {
        let count = 1 + run / POINTS.len();
        let plan = format!("{point}:{count}");
        scene.receiver.kill_and_restart_crashing(&plan);
        let file = Upload::new(&format!("{run}"), SIZE);
        let mut offset = 0;
        if let Some(found) = ask(&scene.receiver, &post_form(&file.locate_form())) {
            for most in [PART + 100_000, SIZE] {
                let send = file.send(&found.id(), offset);
                let most = most.min(SIZE - offset as usize);
                let send = send.limit(most).tail("md5", &md5_hex(&file.content));
                let Some(reply) = try_ask(&scene, &send.build()) else {
                    break;
                };
                offset = reply.offset();
            }
        }
        scene.receiver.kill_and_restart();
        let (id, held) = check_prefix(&scene.receiver, &file);
        assert!(held >= offset, "{plan}: {held} of {offset}");
        if held < SIZE as u64 || offset < SIZE as u64 {
            let reply = scene.receiver.send_rest(&file, &id, held);
            reply.expect_complete(SIZE as u64);
        }
        scene.check(&id, &file);
        // A start drops what no record has.
        scene.receiver.kill_and_restart();
        assert_eq!(scene.server.unfinished(), 0, "{plan}");
        let keys = scene.server.keys();
        assert!(
            keys.iter().all(|it| it.contains("/files/")),
            "{plan}: {keys:?}"
        );
        assert_eq!(keys.len(), run + 1, "{plan}: {keys:?}");
    }
}

/// Exchanges a request for a response; nothing when the receiver is not there.
fn try_ask(scene: &Scene, request: &[u8]) -> Option<common::Reply> {
    let mut stream = std::net::TcpStream::connect(scene.receiver.address).ok()?;
    stream.set_read_timeout(Some(TIME)).unwrap();
    let _ = stream.write_all(request);
    common::Reply::try_read(&mut stream)
}

#[test]
fn a_killed_receiver_lacks_less_than_a_part() {
    let Some(mut scene) = Scene::start(Kind::Versity, &[]) else {
        return;
    };
    let mut rng = seed::rng(seed::seed());
    for run in 0..runs::count(3) {
        let file = Upload::new(&format!("{run}"), SIZE + run as usize);
        let (id, mut offset) = scene.receiver.locate_ok(&file);
        while (offset as usize) < SIZE - 1_000_000 {
            let sent = rng.usize(1..=SIZE - offset as usize);
            let stream = begin(&scene.receiver, &file.send(&id, offset), sent);
            // All that was sent has come when the parts are there that it fills.
            let end = offset as usize + sent;
            let until = Instant::now() + TIME;
            let full = end.saturating_sub(1) / PART * PART;
            loop {
                let now = scene.receiver.get(&format!("/uploads/{id}"));
                let there = now.json["offset"].as_u64().unwrap() as usize;
                if there >= full.max(offset as usize) {
                    break;
                }
                assert!(Instant::now() < until, "{there} of {full}");
                thread::sleep(Duration::from_millis(5));
            }
            scene.receiver.kill_and_restart();
            drop(stream);
            let (_, there) = check_prefix(&scene.receiver, &file);
            assert!(end - there as usize <= PART, "{there} of {end}");
            assert!(there >= offset, "{there} of {offset}");
            if there == offset {
                // Bytes of less than a part are kept when a request breaks, and not when the receiver does.
                cut(begin(&scene.receiver, &file.send(&id, offset), sent));
                (_, offset) = check_prefix(&scene.receiver, &file);
                assert_eq!(offset as usize, end);
            } else {
                offset = there;
            }
        }
        let reply = scene.receiver.send_rest(&file, &id, offset);
        reply.expect_complete(file.content.len() as u64);
        scene.check(&id, &file);
    }
}

#[test]
fn uploads_go_on_after_stops_and_kills_of_the_store() {
    let Some(mut scene) = Scene::start(Kind::Versity, &[]) else {
        return;
    };
    let mut rng = seed::rng(seed::seed());
    let (done, count) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    let address = scene.receiver.address;
    let mut finished = Vec::new();
    thread::scope(|scope| {
        let receiver = std::mem::replace(&mut scene.receiver, common::Receiver::start(&[]));
        assert_eq!(receiver.address, address);
        let receiver = Arc::new(receiver);
        let clients: Vec<_> = (0..2)
            .map(|client| {
                let (receiver, done, count) = (receiver.clone(), done.clone(), &count);
                scope.spawn(move || {
                    let mut all = Vec::new();
                    while !done.load(Ordering::Relaxed) || all.is_empty() {
                        let number = count.fetch_add(1, Ordering::Relaxed);
                        let size = [SIZE, 400_000][number % 2] + client;
                        let file = Upload::new(&format!("{number}"), size);
                        let id = upload(&receiver, &file, 6_000_000);
                        all.push((id, file));
                    }
                    all
                })
            })
            .collect();
        for run in 0..runs::count(4) {
            thread::sleep(Duration::from_millis(rng.u64(50..1500)));
            match run % 2 {
                0 => {
                    scene.kill_store();
                    thread::sleep(Duration::from_millis(rng.u64(..7000)));
                    scene.restart_store();
                }
                _ => {
                    scene.server.signal("STOP");
                    thread::sleep(Duration::from_millis(rng.u64(..2000)));
                    scene.server.signal("CONT");
                }
            }
        }
        done.store(true, Ordering::Relaxed);
        for client in clients {
            finished.extend(client.join().unwrap());
        }
        scene.receiver = Arc::into_inner(receiver).unwrap();
    });
    println!("{} uploads", finished.len());
    for (id, file) in &finished {
        scene.check(id, file);
    }
    let ids: Vec<_> = finished.iter().map(|(id, _)| id.as_str()).collect();
    scene.check_nothing_else(&ids);
}

#[test]
fn a_store_that_is_away_is_told_and_awaited() {
    let Some(mut server) = S3Server::start(Kind::Versity) else {
        return;
    };
    let proxy = ChaosProxy::clean(server.addr());
    server.kill();
    // It is away at the start.
    let mut scene = Scene::with(server, proxy, &[]);
    let file = Upload::new("a", PART + 10);
    for request in [post_form(&file.locate_form()), head("GET", "/", "", 0)] {
        let reply = ask(&scene.receiver, &request).expect("an answer");
        assert_eq!(reply.status, 503, "{:?}", reply.json);
        assert!(reply.head.contains("retry-after: "), "{}", reply.head);
        assert!(reply
            .text("message")
            .contains("object store cannot be reached"));
    }
    scene.restart_store();
    let id = upload(&scene.receiver, &file, usize::MAX);
    // It goes away later.
    scene.kill_store();
    let until = Instant::now() + TIME;
    loop {
        let health = scene.receiver.get("/healthz");
        let text = String::from_utf8_lossy(&health.body).into_owned();
        if health.status == 503 {
            assert!(text.contains("object store cannot be reached"), "{text}");
            break;
        }
        assert!(Instant::now() < until, "{text}");
        thread::sleep(Duration::from_millis(100));
    }
    for request in [
        head("GET", &format!("/uploads/{id}/file"), "", 0),
        head("DELETE", &format!("/uploads/{id}"), "", 0),
        Upload::new("b", 1000).store("blake3").build(),
    ] {
        let reply = ask(&scene.receiver, &request).expect("an answer");
        assert_eq!(reply.status, 503, "{:?}", reply.json);
        assert!(reply.head.contains("retry-after: "), "{}", reply.head);
    }
    // Lists need no store.
    assert_eq!(scene.receiver.get("/uploads").status, 200);
    scene.restart_store();
    // The answer may be that of the last probe.
    let until = Instant::now() + TIME;
    while scene.receiver.get("/healthz").status != 200 {
        assert!(
            Instant::now() < until,
            "it does not see that the store is back"
        );
        thread::sleep(Duration::from_millis(100));
    }
    scene.check(&id, &file);
    let log = scene.log();
    let name = format!(
        "the object store {} cannot",
        common::objects::address(&scene.proxy)
    );
    assert!(log.contains(&name), "{log}");
    assert!(!log.contains("a-secret-of-the-backend"), "{log}");
}

#[test]
fn a_store_that_has_lost_the_parts_makes_an_upload_begin_again() {
    // moto has all in memory.
    let Some(mut scene) = Scene::start(Kind::Moto, &[]) else {
        return;
    };
    let file = Upload::new("a", SIZE);
    let (id, _) = scene.receiver.locate_ok(&file);
    cut(begin(&scene.receiver, &file.send(&id, 0), PART + 100));
    let (_, offset) = check_prefix(&scene.receiver, &file);
    assert_eq!(offset as usize, PART + 100);
    // Without its bucket it is only away.
    scene.kill_store();
    scene.restart_store();
    let send = file.send(&id, offset).build();
    assert_eq!(ask(&scene.receiver, &send).unwrap().status, 503);
    let (_, offset) = check_prefix(&scene.receiver, &file);
    assert_eq!(offset as usize, PART + 100);
    scene.server.make_bucket();
    let id = upload(&scene.receiver, &file, usize::MAX);
    scene.check(&id, &file);
    assert!(scene.log().contains("the upload begins again"));
}

#[test]
fn a_broken_way_to_the_store_loses_nothing() {
    let Some(server) = S3Server::start(Kind::Versity) else {
        return;
    };
    let seed = seed::seed();
    let is_bad = Arc::new(AtomicBool::new(false));
    let are_bad = is_bad.clone();
    let plan = move |_: u64, rng: &mut fastrand::Rng| match are_bad.load(Ordering::Relaxed) {
        true => {
            let how = if rng.bool() { Cut::Rst } else { Cut::Fin };
            let (down, up) = match rng.bool() {
                true => (Some(rng.u64(..3000)), None),
                false => (None, Some(rng.u64(..3 * PART as u64))),
            };
            Faults {
                cut_down_after: down,
                cut_up_after: up,
                how,
                ..Faults::default()
            }
        }
        false => Faults::default(),
    };
    let proxy = ChaosProxy::start(server.addr(), plan, seed);
    let scene = Scene::with(server, proxy, &[]);
    is_bad.store(true, Ordering::Relaxed);
    scene.proxy.cut_all();
    let mut finished = Vec::new();
    for run in 0..runs::count(3) {
        let file = Upload::new(&format!("{run}"), SIZE + run as usize);
        let id = upload(&scene.receiver, &file, 7_000_000);
        finished.push((id, file));
    }
    is_bad.store(false, Ordering::Relaxed);
    for (id, file) in &finished {
        scene.check(id, file);
    }
}
