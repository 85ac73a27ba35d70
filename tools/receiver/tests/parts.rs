//! Parts: several sends of one upload at a time.

mod common;

use std::thread;
use std::time::Duration;

use common::parts::{check, end, locate, ranges, start, take};
use common::{begin, cut, digest_hex, Receiver, Reply, Upload, OFFER};
use serde_json::Value;

#[test]
fn the_log_tells_which_bytes_of_a_part_are_stored() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let told = log.clone();
    let receiver = Receiver::start_changed(dir, &["--log-format", "json"], move |command| {
        command.stderr(std::fs::File::create(&told).unwrap());
    });
    let file = Upload::new("a", 1000);
    let id = locate(&receiver, &file).id();
    for (from, to) in [(800, 1000), (800, 1000), (0, 100), (0, 100), (100, 300)] {
        take(&receiver, &file, &id, from, to);
    }
    let wrong = file.send(&id, 350).limit(150);
    let wrong = wrong.set("digest", "blake3").set("part", "run");
    let wrong = wrong.tail("part_blake3", &digest_hex("blake3", b""));
    assert_eq!(receiver.exchange(&wrong.build()).status, 422);
    let log = std::fs::read_to_string(log).unwrap();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let parts = lines.filter(|line| line["action"] == "send");
    let parts: Vec<_> = parts
        .map(|it| [it["from"].as_u64(), it["to"].as_u64()])
        .collect();
    let due = [
        [800, 1000],
        [800, 1000],
        [0, 100],
        [0, 100],
        [100, 300],
        [350, 350],
    ];
    assert_eq!(parts, due.map(|pair| pair.map(Some)));
}

#[test]
fn parts_come_in_any_order_and_only_the_whole_digest_completes_the_file() {
    let (mut receiver, file, id) = start(&[]);
    let found = locate(&receiver, &file);
    assert_eq!(found.json["parts"], 6);
    let first = take(&receiver, &file, &id, 800, 1000);
    assert_eq!((first.text("state"), first.offset()), ("partial", 0));
    assert_eq!(ranges(&first, &file), [(800, 1000)]);
    let second = take(&receiver, &file, &id, 300, 600);
    assert_eq!(ranges(&second, &file), [(300, 600), (800, 1000)]);
    let listed = &receiver.get("/uploads").json["uploads"][0];
    assert_eq!(
        (&listed["offset"], &listed["held"]),
        (&0.into(), &500.into())
    );
    // What was confirmed survives.
    receiver.kill_and_restart();
    let found = locate(&receiver, &file);
    assert_eq!((found.text("state"), found.offset()), ("partial", 0));
    assert_eq!(ranges(&found, &file), [(300, 600), (800, 1000)]);
    let third = take(&receiver, &file, &id, 0, 300);
    assert_eq!(third.offset(), 600);
    receiver.kill_and_restart();
    assert_eq!(locate(&receiver, &file).offset(), 600);
    let last = take(&receiver, &file, &id, 600, 800);
    assert_eq!((last.text("state"), last.offset()), ("partial", 1000));
    assert_eq!(last.json["ranges"], Value::Null);
    end(&receiver, &file, &id);
    let found = locate(&receiver, &file);
    assert_eq!(found.text("state"), "complete");
    assert_eq!(found.json["parts"], Value::Null);
}

#[test]
fn each_digest_proves_parts() {
    for digest in ["md5", "sha256", "blake3"] {
        let (receiver, file, id) = start(&[]);
        let exchange = |from, to| {
            let part = file.part_with(digest, &id, "r", from, to);
            receiver.exchange(&part.build())
        };
        let reply = exchange(500, 1000);
        assert_eq!(reply.text("digest"), digest);
        assert_eq!(ranges(&reply, &file), [(500, 1000)]);
        let wrong = file.part_with(digest, &id, "r", 0, 500);
        let mut wrong = wrong.tail("x", "");
        wrong.tail[0].1 = digest_hex(digest, b"another");
        receiver.exchange(&wrong.build()).expect(422, "digest");
        assert_eq!(exchange(0, 500).offset(), 1000);
        let last = receiver.exchange(&file.send_with(digest, &id, 1000).build());
        last.expect_complete(1000);
        assert_eq!(receiver.stored(&id), file.content);
    }
}

#[test]
fn parts_at_the_same_time_make_the_file() {
    let mut receiver = Receiver::start(&[]);
    let file = Upload::new("a", 6_000_000);
    let id = locate(&receiver, &file).id();
    for half in 0..2 {
        thread::scope(|scope| {
            for slot in 0..6 {
                let (receiver, file, id) = (&receiver, &file, &id);
                scope.spawn(move || {
                    for n in 0..5 {
                        let from = (half * 30 + n * 6 + slot) * 100_000;
                        take(receiver, file, id, from, from + 100_000);
                    }
                });
            }
        });
        receiver.kill_and_restart();
        let found = locate(&receiver, &file);
        assert_eq!(found.offset(), (half as u64 + 1) * 3_000_000);
    }
    end(&receiver, &file, &id);
}

#[test]
fn a_broken_part_is_kept_as_a_range() {
    let (mut receiver, file, id) = start(&[]);
    cut(begin(&receiver, &file.part(&id, "a", 200, 900), 250));
    assert_eq!(ranges(&locate(&receiver, &file), &file), [(200, 450)]);
    // Without its digest a part is broken, too, though all its bytes are there.
    let mut bare = file.part(&id, "a", 500, 600);
    bare.tail.clear();
    let refused = receiver.exchange(&bare.build());
    let refused = refused.expect(400, "'part_blake3' is missing");
    assert_eq!(ranges(&refused, &file), [(200, 450), (500, 600)]);
    cut(begin(&receiver, &file.part(&id, "a", 700, 800), 0));
    receiver.kill_and_restart();
    let found = locate(&receiver, &file);
    assert_eq!(ranges(&found, &file), [(200, 450), (500, 600)]);
    // At the offset it is no range.
    cut(begin(&receiver, &file.part(&id, "a", 0, 200), 150));
    let found = locate(&receiver, &file);
    assert_eq!(found.offset(), 150);
    take(&receiver, &file, &id, 150, 200);
    take(&receiver, &file, &id, 450, 500);
    assert_eq!(take(&receiver, &file, &id, 600, 1000).offset(), 1000);
    end(&receiver, &file, &id);
}

#[test]
fn a_terminated_receiver_keeps_what_arrived_of_parts() {
    let (mut receiver, file, id) = start(&[]);
    let mut streams = [
        begin(&receiver, &file.part(&id, "a", 0, 400), 100),
        begin(&receiver, &file.part(&id, "a", 500, 900), 100),
    ];
    thread::sleep(Duration::from_millis(300));
    assert!(receiver.terminate().success());
    for stream in &mut streams {
        Reply::read(stream).expect(503, "shutting down");
    }
    receiver.kill_and_restart();
    let found = locate(&receiver, &file);
    assert_eq!(found.offset(), 100);
    assert_eq!(ranges(&found, &file), [(500, 600)]);
}

#[test]
fn bytes_of_a_part_with_a_wrong_digest_are_dropped() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 3_000_000);
    let id = locate(&receiver, &file).id();
    take(&receiver, &file, &id, 0, 1000);
    take(&receiver, &file, &id, 2_900_000, 3_000_000);
    let mut wrong = file.part(&id, "run", 500_000, 2_500_000);
    wrong.tail[0].1 = digest_hex("blake3", b"another");
    let refused = receiver.exchange(&wrong.build()).expect(422, "digest");
    assert_eq!(refused.text("error"), "digest");
    assert_eq!(refused.offset(), 1000);
    assert_eq!(ranges(&refused, &file), [(2_900_000, 3_000_000)]);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = receiver.partial(&id).metadata().unwrap();
        assert!(metadata.blocks() * 512 < 500_000, "{}", metadata.blocks());
    }
    take(&receiver, &file, &id, 1000, 2_900_000);
    end(&receiver, &file, &id);
}

#[test]
fn a_part_that_is_there_is_answered_as_if_it_had_been_taken() {
    let (receiver, file, id) = start(&[]);
    take(&receiver, &file, &id, 0, 500);
    take(&receiver, &file, &id, 700, 800);
    for (from, to) in [(0, 500), (100, 200), (700, 800), (500, 500)] {
        let reply = take(&receiver, &file, &id, from, to);
        assert_eq!(reply.offset(), 500);
        assert_eq!(ranges(&reply, &file), [(700, 800)]);
    }
    let across = receiver.exchange(&file.part(&id, "run", 400, 600).build());
    let across = across.expect(409, "offset 400 is not where");
    assert_eq!(across.offset(), 500);
    assert_eq!(ranges(&across, &file), [(700, 800)]);
    take(&receiver, &file, &id, 500, 700);
    take(&receiver, &file, &id, 800, 1000);
    end(&receiver, &file, &id);
    // And one of a file that is finished.
    let late = receiver.exchange(&file.part(&id, "run", 800, 1000).build());
    late.expect_complete(1000);
}

#[test]
fn a_part_replaces_the_ranges_that_it_reaches_into() {
    let (mut receiver, file, id) = start(&[]);
    let mut other = file.clone();
    other.content[300..700].fill(0);
    take(&receiver, &other, &id, 200, 800);
    let reply = take(&receiver, &file, &id, 300, 700);
    // What it did not replace is still there.
    assert_eq!(ranges(&reply, &file), [(200, 300), (300, 700), (700, 800)]);
    // As soon as a byte of it can be on the disk, the old range does not count.
    let _stream = begin(&receiver, &other.part(&id, "run", 350, 400), 10);
    thread::sleep(Duration::from_millis(300));
    receiver.kill_and_restart();
    let found = locate(&receiver, &file);
    let left = [(200, 300), (300, 350), (400, 700), (700, 800)];
    assert_eq!(ranges(&found, &file), left);
    for (from, to) in [(350, 400), (0, 200), (800, 1000)] {
        take(&receiver, &file, &id, from, to);
    }
    end(&receiver, &file, &id);
}

#[test]
fn the_rest_of_a_large_range_is_not_read_again_for_a_few_bytes() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 20_000_000);
    let id = locate(&receiver, &file).id();
    take(&receiver, &file, &id, 1_000_000, 19_000_000);
    let reply = take(&receiver, &file, &id, 1_500_000, 1_501_000);
    let left = [(1_000_000, 1_500_000), (1_500_000, 1_501_000)];
    assert_eq!(ranges(&reply, &file), left);
    take(&receiver, &file, &id, 0, 1_000_000);
    take(&receiver, &file, &id, 1_501_000, 20_000_000);
    end(&receiver, &file, &id);
}

#[test]
fn a_send_that_brings_bytes_drops_the_ranges() {
    let (receiver, file, id) = start(&[]);
    take(&receiver, &file, &id, 500, 600);
    // One without bytes does not.
    let prefix = digest_hex("blake3", b"");
    let none = file.send(&id, 0).limit(0).set("digest", "blake3");
    let none = receiver.exchange(&none.tail("prefix_blake3", &prefix).build());
    check(&none, &file);
    assert_eq!(ranges(&none, &file), [(500, 600)]);
    assert_eq!(ranges(&locate(&receiver, &file), &file), [(500, 600)]);
    // An older client is told nothing of them.
    let older = receiver.locate(&file);
    assert_eq!((older.text("state"), older.offset()), ("partial", 0));
    assert_eq!(older.json["ranges"], Value::Null);
    receiver.exchange(&file.send(&id, 0).limit(100).build());
    let found = locate(&receiver, &file);
    assert_eq!(found.offset(), 100);
    assert_eq!(ranges(&found, &file), []);
    receiver.send_rest(&file, &id, 100).expect_complete(1000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn a_restart_drops_ranges_too() {
    let (receiver, file, id) = start(&[]);
    take(&receiver, &file, &id, 0, 100);
    take(&receiver, &file, &id, 500, 600);
    let restart = digest_hex("blake3", &file.content[..100]);
    let send = file.send(&id, 0).limit(10).set("digest", "blake3");
    let reply = receiver.exchange(&send.set("restart", &restart).build());
    check(&reply, &file);
    assert_eq!(reply.offset(), 10);
    assert_eq!(ranges(&reply, &file), []);
    // So does one of an upload of which only ranges are held.
    let (receiver, file, id) = start(&[]);
    take(&receiver, &file, &id, 500, 600);
    let restart = digest_hex("blake3", b"");
    let send = file.send_with("blake3", &id, 0).set("restart", &restart);
    receiver.exchange(&send.build()).expect_complete(1000);
}

#[test]
fn a_wrong_whole_digest_drops_what_no_digest_covers() {
    let (receiver, file, id) = start(&[]);
    let mut damaged = file.clone();
    damaged.content[300] ^= 1;
    take(&receiver, &file, &id, 0, 200);
    // A broken part: only the receiver has computed its digest.
    cut(begin(&receiver, &damaged.part(&id, "run", 200, 500), 250));
    let reply = receiver.exchange(&damaged.part(&id, "run", 450, 1000).build());
    assert_eq!(reply.offset(), 1000);
    let last = receiver.exchange(&file.send_with("blake3", &id, 1000).build());
    let refused = last.expect(422, "digest");
    assert_eq!(refused.offset(), 200);
    take(&receiver, &file, &id, 200, 1000);
    end(&receiver, &file, &id);
    // Where each part's digest was right and the whole one's is wrong, nothing can be trusted.
    let file = Upload::new("b", 1000);
    let id = locate(&receiver, &file).id();
    take(&receiver, &file, &id, 0, 1000);
    let wrong = file.send(&id, 1000).set("digest", "blake3");
    let wrong = wrong.tail("blake3", &digest_hex("blake3", b"another"));
    let refused = receiver.exchange(&wrong.build()).expect(422, "digest");
    assert_eq!(refused.offset(), 0);
}

#[test]
fn what_is_no_part_of_the_file_is_refused() {
    let (receiver, file, id) = start(&[]);
    let part = file.part(&id, "run", 500, 600);
    for run in ["", "a-b", "a b", &"a".repeat(65), "ä"] {
        let bad = part.clone().set("part", run);
        receiver.exchange(&bad.build()).expect(400, "'part'");
    }
    let long = "a1".repeat(32);
    check(
        &receiver.exchange(&part.clone().set("part", &long).build()),
        &file,
    );
    let past = part.clone().set("offset", "950");
    receiver
        .exchange(&past.build())
        .expect(400, "past the size");
    let unknown = part.clone().set("id", "unknown");
    receiver.exchange(&unknown.build()).expect(404, "unknown");
    let other = part.clone().set("name", "b");
    receiver.exchange(&other.build()).expect(409, "not of 'b'");
    let limited = Receiver::start(&["--max-segment", "1000"]);
    let file = Upload::new("a", 5000);
    let id = locate(&limited, &file).id();
    let refused = limited.exchange(&file.part(&id, "run", 0, 1001).build());
    refused.expect(413, "1000");
}

#[test]
fn ranges_are_for_clients_of_their_digest() {
    let (receiver, file, id) = start(&[]);
    receiver.exchange(&file.part_with("sha256", &id, "r", 500, 600).build());
    let with = |digests: &str| receiver.locate(&file.clone().with("digests", digests));
    // The digest of the upload is SHA-256 by now.
    assert_eq!(ranges(&with(OFFER), &file), [(500, 600)]);
    assert_eq!(ranges(&with("md5"), &file), []);
    let md5 = receiver.exchange(&file.part_with("md5", &id, "r", 0, 500).build());
    assert_eq!(md5.offset(), 600);
}

#[test]
fn a_file_that_lost_its_end_loses_those_ranges() {
    let (mut receiver, file, id) = start(&[]);
    for (from, to) in [(0, 100), (300, 400), (700, 800)] {
        take(&receiver, &file, &id, from, to);
    }
    receiver.kill();
    let partial = std::fs::File::options()
        .write(true)
        .open(receiver.partial(&id))
        .unwrap();
    partial.set_len(750).unwrap();
    receiver.kill_and_restart();
    let found = locate(&receiver, &file);
    assert_eq!(found.offset(), 100);
    assert_eq!(ranges(&found, &file), [(300, 400)]);
}
