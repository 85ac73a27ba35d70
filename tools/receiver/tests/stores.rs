//! Stores: a small file in one request.

mod common;

use std::fs;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use common::signing::{hmac, nonce, now, signed, SECRET};
use common::{begin, cut, digest_hex, Receiver, Reply, Upload, OFFER};
use serde_json::Value;

fn partial_is_empty(receiver: &Receiver) -> bool {
    let mut names = fs::read_dir(receiver.data().join("partial")).unwrap();
    names.next().is_none()
}

fn count(receiver: &Receiver) -> usize {
    receiver.get("/uploads").json["uploads"]
        .as_array()
        .unwrap()
        .len()
}

#[test]
fn a_small_file_is_stored_by_one_request() {
    for (layout, path) in [("id", None), ("tree", Some("files/_/docs/a"))] {
        for digest in ["blake3", "sha256", "md5"] {
            let receiver = Receiver::start(&["--layout", layout]);
            let file = Upload::new("a", 5000).with("dir", "docs");
            // A second time it is answered alike, and nothing is stored.
            let ids = [(); 2].map(|()| {
                let reply = receiver.exchange(&file.store(digest).build());
                let reply = reply.expect_complete(5000);
                assert_eq!(reply.text("digest"), digest);
                let prefix = reply.text(&format!("prefix_{digest}"));
                assert_eq!(prefix, digest_hex(digest, &file.content));
                reply.id()
            });
            assert_eq!(ids[0], ids[1]);
            let path = path.map_or(receiver.file(&ids[0]), |path| receiver.data().join(path));
            assert_eq!(fs::read(path).unwrap(), file.content);
            assert!(partial_is_empty(&receiver));
            assert_eq!(count(&receiver), 1);
            // A locate finds it, by the digest of the store, too.
            let same = file.clone().with("digests", digest);
            receiver.locate(&same).expect_complete(5000);
        }
    }
}

#[test]
fn files_of_no_bytes_and_of_the_most_are_stored() {
    let receiver = Receiver::start(&[]);
    let found = receiver.locate(&Upload::new("x", 1).with("digests", OFFER));
    let small = found.json["small"].as_u64().unwrap() as usize;
    assert_eq!(small, 256 * 1024);
    for size in [0, 1, small] {
        let file = Upload::new(&format!("f{size}"), size);
        let reply = receiver.exchange(&file.store("blake3").build());
        let id = reply.expect_complete(size as u64).id();
        assert_eq!(receiver.stored(&id), file.content);
    }
    let large = Upload::new("large", small + 1);
    receiver
        .exchange(&large.store("blake3").build())
        .expect(413, "262144");
    assert_eq!(count(&receiver), 4);
    // A limit for sends is one for stores, too.
    let receiver = Receiver::start(&["--max-segment", "1000"]);
    let found = receiver.locate(&Upload::new("x", 1).with("digests", OFFER));
    assert_eq!(found.json["small"], Value::from(1000));
    let file = Upload::new("a", 1001);
    receiver
        .exchange(&file.store("blake3").build())
        .expect(413, "1000");
}

#[test]
fn bytes_that_are_not_the_digests_are_dropped() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 5000);
    let other = digest_hex("blake3", b"another");
    let wrong = file.store("blake3").set("blake3", &other);
    let refused = receiver.exchange(&wrong.build()).expect(422, "digest");
    assert_eq!(refused.text("error"), "digest");
    let store = file.store("blake3");
    for (bad, message) in [
        (store.clone().without("digest"), "'digest'"),
        (store.clone().without("blake3"), "'blake3'"),
        (store.clone().set("blake3", "00"), "'blake3'"),
        (store.clone().set("digest", "crc32"), "'digest'"),
        (store.clone().set("size", "4999"), "more bytes than 'size'"),
        (store.clone().set("size", "5001"), "5000 bytes, 'size'"),
        (store.clone().without("name"), "'name'"),
        (store.clone().set("action", "put"), "'action'"),
    ] {
        receiver.exchange(&bad.build()).expect(400, message);
    }
    assert_eq!(count(&receiver), 0);
    assert!(partial_is_empty(&receiver));
    let id = receiver.exchange(&store.build()).expect_complete(5000).id();
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn a_broken_store_leaves_nothing() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 5000);
    for came in [0, 1, 4999, 5000] {
        cut(begin(&receiver, &file.store("blake3"), came));
        assert_eq!(count(&receiver), 0);
        assert!(partial_is_empty(&receiver));
    }
}

#[test]
fn a_file_that_is_known_without_bytes_is_stored_and_one_with_bytes_goes_on() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 5000);
    let (id, _) = receiver.locate_ok(&file);
    let stored = receiver.exchange(&file.store("blake3").build());
    assert_eq!(stored.expect_complete(5000).id(), id);
    assert_eq!(receiver.stored(&id), file.content);

    let file = Upload::new("b", 5000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(2000).build());
    let reply = receiver.exchange(&file.store("blake3").build());
    assert_eq!((reply.status, reply.text("state")), (200, "partial"));
    assert_eq!((reply.id(), reply.offset()), (id.clone(), 2000));
    assert_eq!(
        reply.text("prefix_blake3"),
        digest_hex("blake3", &file.content[..2000])
    );
    let end = receiver.exchange(&file.send_with("blake3", &id, 2000).build());
    end.expect_complete(5000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn a_store_is_refused_as_a_locate_would_be() {
    let receiver = Receiver::start(&["--layout", "tree", "--conflict", "refuse"]);
    let file = Upload::new("a", 100);
    receiver
        .exchange(&file.store("blake3").build())
        .expect_complete(100);
    let mut other = Upload::new("a", 200);
    receiver
        .exchange(&other.store("blake3").build())
        .expect(409, "is there already");
    assert_eq!(count(&receiver), 1);
    assert!(partial_is_empty(&receiver));
    other.name = "b/c".to_owned();
    let bad = receiver.exchange(&other.store("blake3").build());
    bad.expect(400, "'name'");

    let receiver = Receiver::start(&["--quota", "1000"]);
    for (size, status) in [(600, 200), (500, 507), (400, 200)] {
        let file = Upload::new("a", size);
        let reply = receiver.exchange(&file.store("blake3").build());
        assert_eq!(reply.status, status, "{:?}", reply.json);
    }
    assert!(partial_is_empty(&receiver));
    let receiver = Receiver::start(&["--max-size", "100"]);
    receiver
        .exchange(&Upload::new("a", 101).store("blake3").build())
        .expect(413, "the file has 101");
    let receiver = Receiver::start(&["--layout", "tree", "--conflict", "replace"]);
    for size in [100, 200] {
        let file = Upload::new("a", size);
        let reply = receiver.exchange(&file.store("blake3").build());
        reply.expect_complete(size as u64);
        let stored = fs::read(receiver.data().join("files/_/a")).unwrap();
        assert_eq!(stored, file.content);
    }
    assert_eq!(count(&receiver), 1);
}

#[test]
fn a_store_is_signed_before_and_after_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    fs::write(&secret, SECRET).unwrap();
    let receiver = Receiver::start(&["--signing-secret-file", secret.to_str().unwrap()]);
    let file = Upload::new("a", 3000);
    let plain = file.store("blake3");
    receiver.exchange(&plain.build()).expect(403, "not signed");
    let mut store = plain.clone();
    store.fields = signed(plain.fields.clone(), now(), &nonce());
    receiver.exchange(&store.build()).expect(403, "not signed");
    assert_eq!(count(&receiver), 0);
    assert!(partial_is_empty(&receiver));
    store.fields = signed(plain.fields, now(), &nonce());
    let sign = store.fields.last().unwrap().clone();
    let store = store.tail("sign_tail", &hmac(&[sign]));
    receiver.exchange(&store.build()).expect_complete(3000);
}

#[test]
fn concurrent_stores_of_one_file_make_one_upload() {
    for conflict in ["rename", "refuse", "replace"] {
        let receiver = Receiver::start(&["--layout", "tree", "--conflict", conflict]);
        for round in 0..10 {
            let file = Upload::new(&format!("a{round}"), 5000);
            let mut ids: Vec<_> = thread::scope(|scope| {
                let store = || receiver.exchange(&file.store("blake3").build());
                let threads: Vec<_> = (0..6).map(|_| scope.spawn(store)).collect();
                let replies = threads.into_iter().map(|thread| thread.join().unwrap());
                replies
                    .map(|reply| reply.expect_complete(5000).id())
                    .collect()
            });
            ids.dedup();
            assert_eq!(ids.len(), 1, "{conflict} {round}");
        }
        assert_eq!(count(&receiver), 10);
        assert!(partial_is_empty(&receiver));
    }
}

#[test]
fn a_locate_beside_stores_of_the_same_file_finds_it() {
    let receiver = Receiver::start(&["--layout", "tree", "--conflict", "refuse"]);
    for round in 0..40 {
        let file = Upload::new(&format!("a{round}"), 5000).with("digests", OFFER);
        let hex = digest_hex("blake3", &file.content);
        let same = file.clone().with("blake3", &hex);
        thread::scope(|scope| {
            let (receiver, same) = (&receiver, &same);
            for _ in 0..6 {
                scope.spawn(move || {
                    let reply = receiver.locate(same);
                    // A slow machine may need longer for the store than the locate waits.
                    assert!(matches!(reply.status, 200 | 423), "{:?}", reply.json);
                });
            }
            let stored = receiver.exchange(&file.store("blake3").build());
            stored.expect_complete(5000);
        });
    }
}

#[test]
fn a_store_that_finds_no_room_does_not_drop_the_file_that_it_would_replace() {
    let flags = ["--layout", "tree", "--conflict", "replace"];
    let limits = [["--quota", "1000"], ["--max-records", "1"]];
    for (limit, size) in limits.into_iter().zip([1001, 700]) {
        let receiver = Receiver::start(&[&flags[..], &limit].concat());
        let file = Upload::new("a", 500);
        let id = receiver
            .exchange(&file.store("blake3").build())
            .expect_complete(500)
            .id();
        let larger = receiver.exchange(&Upload::new("a", size).store("blake3").build());
        if limit[0] == "--quota" {
            larger.expect(507, "goes over the quota");
            let kept = receiver.get(&format!("/uploads/{id}/file"));
            assert_eq!((kept.status, &kept.body), (200, &file.content));
        } else {
            // It takes the place of the other one.
            larger.expect_complete(size as u64);
        }
        assert_eq!(count(&receiver), 1);
        assert!(partial_is_empty(&receiver));
    }
}

#[test]
fn what_cannot_be_removed_of_a_replaced_file_costs_nothing() {
    let receiver = Receiver::start(&["--layout", "tree", "--conflict", "replace"]);
    let old = Upload::new("a", 500);
    let old = receiver.exchange(&old.store("blake3").build());
    // No file can be removed that is a directory.
    fs::create_dir(receiver.partial(&old.expect_complete(500).id())).unwrap();
    let file = Upload::new("a", 700);
    let id = receiver
        .exchange(&file.store("blake3").build())
        .expect_complete(700)
        .id();
    let reply = receiver.get(&format!("/uploads/{id}/file"));
    assert_eq!(reply.body, file.content);
}

#[test]
fn all_digests_of_a_store_have_to_be_right() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 5000);
    for other in ["md5", "sha256"] {
        let wrong = digest_hex(other, b"another");
        let store = file.store("blake3").set(other, &wrong);
        receiver.exchange(&store.build()).expect(422, "digest");
        assert_eq!(count(&receiver), 0);
        assert!(partial_is_empty(&receiver));
    }
    let store = file.store("blake3");
    let store = store.set("md5", &digest_hex("md5", &file.content));
    receiver.exchange(&store.build()).expect_complete(5000);
}

#[test]
fn all_stores_together_have_bounded_memory() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 256 * 1024);
    let store = file.store("blake3");
    let mut streams: Vec<_> = (0..256).map(|_| begin(&receiver, &store, 10)).collect();
    let until = Instant::now() + Duration::from_secs(60);
    // When the receiver has read the beginnings of all.
    let more = (0..).find_map(|number| {
        let more = Upload::new(&format!("b{number}"), 5000);
        let reply = receiver.exchange(&more.store("blake3").build());
        assert!(Instant::now() < until, "it takes any number");
        if reply.status == 413 {
            reply.expect(413, "locate it");
            return Some(more);
        }
        reply.expect_complete(5000);
        // It may have taken the room of one of them.
        streams.push(begin(&receiver, &store, 10));
        thread::sleep(Duration::from_millis(100));
        None
    });
    let more = more.expect("one that is refused");
    // So the client locates it, and sends it.
    let (id, _) = receiver.locate_ok(&more);
    receiver.send_rest(&more, &id, 0).expect_complete(5000);
    streams.into_iter().for_each(cut);
    receiver
        .exchange(&store.build())
        .expect_complete(256 * 1024);
}

#[test]
fn a_crash_leaves_a_stored_file_or_nothing() {
    for layout in ["id", "tree"] {
        for (point, there) in [
            ("after-write", false),
            ("after-sync", false),
            ("before-commit", false),
            ("after-group", true),
            ("after-finish", true),
            ("after-rename", true),
        ] {
            let mut receiver = Receiver::start_crashing(point, &["--layout", layout]);
            let file = Upload::new("a", 5000);
            let mut stream = receiver.connect();
            let _ = stream.write_all(&file.store("blake3").build());
            assert!(Reply::try_read(&mut stream).is_none(), "{point}");
            receiver.kill_and_restart();
            assert!(partial_is_empty(&receiver), "{point}");
            assert_eq!(count(&receiver), usize::from(there), "{point}");
            let id = receiver
                .exchange(&file.store("blake3").build())
                .expect_complete(5000)
                .id();
            let reply = receiver.get(&format!("/uploads/{id}/file"));
            assert_eq!(reply.body, file.content, "{point}");
            assert_eq!(count(&receiver), 1);
        }
    }
}
