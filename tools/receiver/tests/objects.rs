//! Files in an object store: versitygw and moto, which `make servers` fetches.

#![cfg(unix)]

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::objects::{upload, Scene, PART, TIME};
use common::{
    begin, check_prefix, cut, digest_hex, md5_hex, post_form, Receiver, Reply, Upload, OFFER,
};
use resup_test_support::s3::{Kind, ALL};
use resup_test_support::{runs, seed};

/// The number of bytes of a file that has several parts.
const SIZE: usize = 2 * PART + 3_000_000;

#[test]
fn files_of_all_sizes_become_objects() {
    for kind in ALL {
        let Some(scene) = Scene::start(kind, &[]) else {
            continue;
        };
        let sizes = [0, 1, 300_000, PART - 1, PART, PART + 1, SIZE];
        let ids = sizes.map(|size| {
            let file = Upload::new(&format!("{size}"), size);
            let (id, _) = scene.receiver.locate_ok(&file);
            let reply = scene.receiver.send_rest(&file, &id, 0);
            reply.expect_complete(size as u64);
            scene.check(&id, &file);
            id
        });
        let list = scene.receiver.get("/uploads");
        assert_eq!(list.json["uploads"].as_array().unwrap().len(), sizes.len());
        scene.check_nothing_else(&ids.each_ref().map(String::as_str));
        for id in ids {
            assert_eq!(scene.receiver.delete(&format!("/uploads/{id}")).status, 204);
        }
        scene.check_nothing_else(&[]);
    }
}

#[test]
fn small_files_need_one_request() {
    for kind in ALL {
        let Some(scene) = Scene::start(kind, &[]) else {
            continue;
        };
        let files = [0, 1, 256 * 1024].map(|size| Upload::new(&format!("{size}"), size));
        let ids = files.each_ref().map(|file| {
            let reply = scene.receiver.exchange(&file.store("blake3").build());
            let id = reply.expect_complete(file.content.len() as u64).id();
            scene.check(&id, file);
            id
        });
        scene.check_nothing_else(&ids.each_ref().map(String::as_str));
        // The same content is not sent again.
        let other = Upload {
            name: "other".to_owned(),
            ..files[2].clone()
        };
        let form = other.clone().with("digests", OFFER);
        let form = form.with("blake3", &digest_hex("blake3", &other.content));
        let found = scene.receiver.locate(&form).expect_complete(256 * 1024);
        scene.check(&found.id(), &other);
    }
}

#[test]
fn broken_sends_lose_nothing() {
    let mut rng = seed::rng(seed::seed());
    for kind in ALL {
        let Some(scene) = Scene::start(kind, &[]) else {
            continue;
        };
        for run in 0..runs::count(2) {
            let file = Upload::new(&format!("{run}"), SIZE + rng.usize(..5));
            let (id, mut offset) = scene.receiver.locate_ok(&file);
            while (offset as usize) < SIZE - 1_000_000 {
                let most = rng.usize(1..SIZE - offset as usize);
                cut(begin(&scene.receiver, &file.send(&id, offset), most));
                let (_, there) = check_prefix(&scene.receiver, &file);
                assert_eq!(there, offset + most as u64);
                offset = there;
            }
            let reply = scene.receiver.send_rest(&file, &id, offset);
            reply.expect_complete(file.content.len() as u64);
            scene.check(&id, &file);
            assert_eq!(scene.server.unfinished(), 0);
        }
    }
}

#[test]
fn many_small_sends_become_one_object() {
    for kind in ALL {
        let Some(scene) = Scene::start(kind, &["--max-segment", "3Mi"]) else {
            continue;
        };
        let file = Upload::new("a", SIZE);
        let id = upload(&scene.receiver, &file, 3 << 20);
        scene.check(&id, &file);
        scene.check_nothing_else(&[&id]);
    }
}

#[test]
fn wrong_bytes_are_dropped_and_the_proven_ones_stay() {
    for kind in ALL {
        let Some(scene) = Scene::start(kind, &[]) else {
            continue;
        };
        let (receiver, file) = (&scene.receiver, Upload::new("a", SIZE));
        let wrong = Upload {
            content: file.content.iter().map(|it| it ^ 1).collect(),
            ..file.clone()
        };
        let (id, _) = receiver.locate_ok(&file);
        // The end of a part, the middle of one, and both with wrong bytes behind them that go into the next part.
        for (proven, more) in [(PART, 10), (PART + 5000, 3000), (PART + 9000, PART)] {
            let (_, offset) = check_prefix(receiver, &file);
            let prefix = md5_hex(&file.content[..proven]);
            let send = file.send(&id, offset).limit(proven - offset as usize);
            let reply = receiver.exchange(&send.tail("prefix_md5", &prefix).build());
            assert_eq!((reply.status, reply.offset()), (200, proven as u64));
            let send = wrong.send(&id, proven as u64).limit(more);
            let refused = send.clone().tail("prefix_md5", &prefix).build();
            let reply = receiver.exchange(&refused);
            assert_eq!((reply.status, reply.offset()), (422, proven as u64));
            let reply = receiver.exchange(&send.build());
            assert_eq!(
                (reply.status, reply.offset()),
                (200, (proven + more) as u64)
            );
            let held = [
                &file.content[..proven],
                &wrong.content[proven..proven + more],
            ]
            .concat();
            let restart = file.send(&id, 0).set("restart", &md5_hex(&held)).limit(100);
            let reply = receiver.exchange(&restart.build());
            let kept = match proven / PART == (proven + more) / PART {
                // They are in the tail.
                true => proven as u64,
                false => 100,
            };
            assert_eq!(reply.offset(), kept, "{:?}", reply.json);
            check_prefix(receiver, &file);
        }
        let (_, offset) = check_prefix(receiver, &file);
        let wrong_digest = wrong.send_rest_of(&id, offset);
        assert_eq!(receiver.exchange(&wrong_digest).status, 422);
        let (_, offset) = check_prefix(receiver, &file);
        receiver
            .send_rest(&file, &id, offset)
            .expect_complete(SIZE as u64);
        scene.check(&id, &file);
        scene.check_nothing_else(&[&id]);
    }
}

trait SendRestOf {
    fn send_rest_of(&self, id: &str, offset: u64) -> Vec<u8>;
}

impl SendRestOf for Upload {
    fn send_rest_of(&self, id: &str, offset: u64) -> Vec<u8> {
        let send = self.send(id, offset).tail("md5", &md5_hex(b"another"));
        send.build()
    }
}

#[test]
fn another_digest_begins_an_unfinished_upload_again_and_is_computed_of_a_finished_one() {
    let Some(scene) = Scene::start(Kind::Versity, &[]) else {
        return;
    };
    let (receiver, file) = (&scene.receiver, Upload::new("a", PART + 10));
    let newer = file.clone().with("digests", "blake3");
    let found = receiver.locate(&newer);
    let send = file
        .send(&found.id(), 0)
        .set("digest", "blake3")
        .limit(PART + 5);
    assert_eq!(receiver.exchange(&send.build()).offset(), PART as u64 + 5);
    let (id, offset) = check_prefix(receiver, &file);
    assert_eq!((&id, offset), (&found.id(), 0));
    receiver
        .send_rest(&file, &id, 0)
        .expect_complete(PART as u64 + 10);
    let found = receiver.locate(&newer).expect_complete(PART as u64 + 10);
    assert_eq!(
        found.text("prefix_blake3"),
        digest_hex("blake3", &file.content)
    );
    scene.check_nothing_else(&[&id]);
}

#[test]
fn files_have_their_names_in_a_tree() {
    for kind in ALL {
        for (conflict, places) in [
            (
                "rename",
                &["_/docs/a b%2525.txt", "_/docs/a b%2525 (2).txt"][..],
            ),
            ("replace", &["_/docs/a b%2525.txt"]),
        ] {
            let flags = ["--layout", "tree", "--conflict", conflict];
            let Some(scene) = Scene::start(kind, &flags) else {
                break;
            };
            let mut last = None;
            for size in [PART + 20, 5000] {
                let file = Upload::new("a b%25.txt", size).with("dir", "docs");
                let id = upload(&scene.receiver, &file, usize::MAX);
                scene.check(&id, &file);
                last = Some((id, file));
            }
            scene.check_nothing_else(places);
            let (id, file) = last.unwrap();
            scene.check(&id, &file);
        }
    }
}

/// Exchanges a request of tus, with these lines in its head.
fn tus(receiver: &Receiver, first: &str, lines: &str, body: &[u8]) -> Reply {
    let length = body.len();
    let head = format!(
        "{first} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n{lines}Content-Length: {length}\r\n\r\n"
    );
    receiver.exchange(&[head.as_bytes(), body].concat())
}

#[test]
fn uploads_by_tus_of_any_length_become_objects() {
    for kind in ALL {
        let Some(scene) = Scene::start(kind, &[]) else {
            continue;
        };
        let receiver = &scene.receiver;
        for (size, is_open) in [(SIZE, true), (SIZE, false), (10, true), (0, true)] {
            let file = Upload::new("upload", size);
            let told = format!("Upload-Length: {size}\r\n");
            let begun = match is_open {
                true => "Upload-Defer-Length: 1\r\n",
                false => &told,
            };
            let reply = tus(receiver, "POST /upload", begun, b"");
            let place = reply
                .head
                .lines()
                .find_map(|it| it.strip_prefix("location: "));
            let place = place.unwrap().to_owned();
            let mut offset = 0;
            for bytes in file.content.chunks(5_000_000) {
                let is_last = offset + bytes.len() == size;
                let length = if is_last && is_open { &*told } else { "" };
                let lines = format!(
                    "Content-Type: application/offset+octet-stream\r\nUpload-Offset: {offset}\r\n{length}"
                );
                let reply = tus(receiver, &format!("PATCH {place}"), &lines, bytes);
                assert_eq!(reply.status, 204, "{:?}", reply.json);
                offset += bytes.len();
                assert!(reply.head.contains(&format!("upload-offset: {offset}\r\n")));
            }
            if size == 0 {
                let lines = format!(
                    "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n{told}"
                );
                let reply = tus(receiver, &format!("PATCH {place}"), &lines, b"");
                assert_eq!(reply.status, 204, "{:?}", reply.json);
            }
            scene.check(place.rsplit('/').next().unwrap(), &file);
        }
        assert_eq!(scene.server.unfinished(), 0);
        assert_eq!(scene.server.keys().len(), 4);
    }
}

#[test]
fn discarded_and_expired_uploads_leave_nothing() {
    for kind in ALL {
        let Some(scene) = Scene::start(kind, &["--expire", "3s"]) else {
            continue;
        };
        let receiver = &scene.receiver;
        let [expired, discarded] = ["expired", "discarded"].map(|name| {
            let file = Upload::new(name, SIZE);
            let (id, _) = receiver.locate_ok(&file);
            cut(begin(receiver, &file.send(&id, 0), PART + 100_000));
            file
        });
        let form = discarded.locate_form();
        let form = form.replace("action=locate", "action=discard");
        assert_eq!(receiver.exchange(&post_form(&form)).status, 200);
        let until = Instant::now() + TIME;
        while receiver.get("/uploads").body.len() > 20 {
            assert!(Instant::now() < until, "{} does not expire", expired.name);
            thread::sleep(Duration::from_millis(100));
        }
        scene.check_nothing_else(&[]);
    }
}
