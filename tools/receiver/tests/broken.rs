//! Uploads that are interrupted: by the connection, the client, the receiver or the disk.

mod common;

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use common::{begin, check_prefix, command, cut, head, md5_hex, Receiver, Reply, Upload};

#[test]
fn all_bytes_before_a_cut_are_kept() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 1_000_000);
    let (id, _) = receiver.locate_ok(&file);
    let mut offset = 0;
    for step in [1, 100_000, 1, 399_998, 0, 65_536] {
        cut(begin(&receiver, &file.send(&id, offset), step));
        offset += step as u64;
        assert_eq!(check_prefix(&receiver, &file), (id.clone(), offset));
    }
    // Without a word of good-bye; what the kernel had already taken may be lost with it.
    drop(begin(&receiver, &file.send(&id, offset), 1000));
    let possible = offset..=offset + 1000;
    let (_, kept) = check_prefix(&receiver, &file);
    assert!(possible.contains(&kept));
    let mut reply = receiver.send_rest(&file, &id, kept);
    if reply.status == 409 {
        // They came to be kept only after that locate.
        assert!(possible.contains(&reply.offset()) && reply.offset() > kept);
        reply = receiver.send_rest(&file, &id, reply.offset());
    }
    reply.expect_complete(1_000_000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn a_file_without_its_digest_is_finished_by_an_empty_send() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 5000);
    let (id, _) = receiver.locate_ok(&file);
    cut(begin(&receiver, &file.send(&id, 0), 5000));
    let found = receiver.locate(&file);
    assert_eq!((found.text("state"), found.offset()), ("partial", 5000));
    receiver.send_rest(&file, &id, 5000).expect_complete(5000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn a_receiver_killed_at_any_commit_point_keeps_a_correct_prefix() {
    for point in ["after-write", "after-sync", "after-commit"] {
        for time in [1, 3] {
            let plan = format!("{point}:{time}");
            let mut receiver = Receiver::start_crashing(&plan, &["--commit-bytes", "100000"]);
            let file = Upload::new("a.bin", 1_000_000);
            let (id, _) = receiver.locate_ok(&file);
            let mut stream = begin(&receiver, &file.send(&id, 0), 1_000_000);
            assert!(Reply::try_read(&mut stream).is_none(), "{plan}");
            receiver.wait();
            receiver.kill_and_restart();
            let (same, offset) = check_prefix(&receiver, &file);
            assert_eq!(same, id);
            let committed = match point {
                "after-commit" => time,
                "after-sync" => time - 1,
                _ => 0,
            };
            assert!(offset >= committed * 100_000, "{plan}: {offset}");
            receiver
                .send_rest(&file, &id, offset)
                .expect_complete(1_000_000);
            assert_eq!(receiver.stored(&id), file.content);
        }
    }
}

#[test]
fn a_receiver_killed_at_any_time_keeps_all_confirmed_bytes() {
    let mut receiver = Receiver::start(&["--commit-bytes", "50000"]);
    let file = Upload::new("a.bin", 8_000_000);
    let (id, mut offset) = receiver.locate_ok(&file);
    for delay in [1, 2, 3, 5, 8, 13, 21, 34] {
        let stream = begin(&receiver, &file.send(&id, offset).limit(1_000_000), 900_000);
        thread::sleep(Duration::from_millis(delay));
        receiver.kill_and_restart();
        drop(stream);
        let (same, kept) = check_prefix(&receiver, &file);
        assert_eq!(same, id);
        assert!(
            (offset..=offset + 900_000).contains(&kept),
            "{offset} {kept}"
        );
        offset = kept;
    }
    receiver
        .send_rest(&file, &id, offset)
        .expect_complete(8_000_000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn a_confirmed_offset_survives_a_kill() {
    let mut receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 300_000);
    let (id, _) = receiver.locate_ok(&file);
    for offset in [0, 100_000] {
        let sent = receiver.exchange(&file.send(&id, offset).limit(100_000).build());
        assert_eq!(sent.offset(), offset + 100_000);
        receiver.kill_and_restart();
        assert_eq!(
            check_prefix(&receiver, &file),
            (id.clone(), offset + 100_000)
        );
    }
    receiver
        .send_rest(&file, &id, 200_000)
        .expect_complete(300_000);
    receiver.kill_and_restart();
    receiver.locate(&file).expect_complete(300_000);
}

#[test]
fn a_slow_upload_is_confirmed_every_second() {
    let mut receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 100_000);
    let (id, _) = receiver.locate_ok(&file);
    let _stream = begin(&receiver, &file.send(&id, 0), 40_000);
    thread::sleep(Duration::from_millis(1800));
    receiver.kill_and_restart();
    assert_eq!(check_prefix(&receiver, &file), (id, 40_000));
}

#[test]
fn a_terminated_receiver_keeps_what_arrived() {
    let mut receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 100_000);
    let (id, _) = receiver.locate_ok(&file);
    let mut stream = begin(&receiver, &file.send(&id, 0), 40_000);
    thread::sleep(Duration::from_millis(300));
    assert!(receiver.terminate().success());
    let reply = Reply::read(&mut stream).expect(503, "shutting down");
    assert_eq!(reply.offset(), 40_000);
    receiver.kill_and_restart();
    assert_eq!(check_prefix(&receiver, &file), (id, 40_000));
}

#[test]
fn a_silent_connection_is_taken_over_within_two_seconds() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 100_000);
    let (id, _) = receiver.locate_ok(&file);
    let mut dead = begin(&receiver, &file.send(&id, 0), 40_000);
    // Until it is the writer: an earlier locate would find nothing to wait for.
    thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    assert_eq!(check_prefix(&receiver, &file), (id.clone(), 40_000));
    assert!(begun.elapsed() < Duration::from_secs(2));
    Reply::read(&mut dead).expect(423, "taken");

    let _dead = begin(&receiver, &file.send(&id, 40_000), 10_000);
    thread::sleep(Duration::from_millis(1200));
    let begun = Instant::now();
    let (_, offset) = check_prefix(&receiver, &file);
    assert!(begun.elapsed() < Duration::from_secs(2));
    receiver
        .send_rest(&file, &id, offset)
        .expect_complete(100_000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn an_active_writer_is_not_interrupted() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 100_000);
    let (id, _) = receiver.locate_ok(&file);
    let send = file.send(&id, 0).tail("md5", &md5_hex(&file.content));
    let mut live = begin(&receiver, &send, 0);
    thread::scope(|scope| {
        let feeder = scope.spawn(|| {
            for piece in file.content.chunks(2_500) {
                live.write_all(piece).unwrap();
                thread::sleep(Duration::from_millis(100));
            }
            live.write_all(&send.closing()).unwrap();
            Reply::read(&mut live)
        });
        thread::sleep(Duration::from_millis(200));
        let second = scope.spawn(|| {
            receiver
                .send_rest(&file, &id, 0)
                .expect(423, "another client")
        });
        receiver.locate(&file).expect(423, "another client");
        second.join().unwrap();
        feeder.join().unwrap().expect_complete(100_000);
    });
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn many_clients_of_one_file_never_mix_their_bytes() {
    let receiver = Receiver::start(&["--commit-bytes", "10000"]);
    let file = Upload::new("a.bin", 300_000);
    thread::scope(|scope| {
        for client in 0..6 {
            let (receiver, file) = (&receiver, &file);
            scope.spawn(move || {
                for round in 0..20 {
                    let found = receiver.locate(file);
                    if found.status != 200 || found.text("state") == "complete" {
                        continue;
                    }
                    let (id, offset) = (found.id(), found.offset());
                    let left = file.content.len() - offset as usize;
                    let count = left.min(7_000 + client * 1_000 + round * 10);
                    cut(begin(receiver, &file.send(&id, offset), count));
                }
            });
        }
    });
    let (id, offset) = check_prefix(&receiver, &file);
    receiver
        .send_rest(&file, &id, offset)
        .expect_complete(300_000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn a_silent_body_is_refused() {
    let receiver = Receiver::start(&["--body-idle-timeout", "0.3"]);
    let file = Upload::new("a.bin", 1000);
    let (id, _) = receiver.locate_ok(&file);
    let mut silent = begin(&receiver, &file.send(&id, 0), 400);
    assert_eq!(Reply::read(&mut silent).expect(408, "0.3 s").offset(), 400);
    assert_eq!(check_prefix(&receiver, &file), (id, 400));
}

#[test]
fn a_connection_without_a_request_is_closed() {
    let receiver = Receiver::start(&["--header-timeout", "0.3"]);
    let whole = head("GET", "/uploads", "", 0);
    for begun in [&b""[..], b"POST /upload HTTP/1.1\r\nHost:", &whole] {
        let mut silent = receiver.connect();
        silent.write_all(begun).unwrap();
        let begun = Instant::now();
        let _ = silent.read_to_end(&mut Vec::new());
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
}

#[test]
fn wrong_digests_are_refused_and_the_offset_is_reset() {
    let receiver = Receiver::start(&["--commit-bytes", "100"]);
    let file = Upload::new("a.bin", 5000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(2000).build());

    let wrong = md5_hex(b"wrong");
    let segment = file.send(&id, 2000).limit(1000).tail("prefix_md5", &wrong);
    let refused = receiver.exchange(&segment.build()).expect(422, "digest");
    assert_eq!((refused.text("error"), refused.offset()), ("digest", 2000));
    assert_eq!(check_prefix(&receiver, &file), (id.clone(), 2000));

    for (field, digest) in [("md5", wrong), ("sha256", "00".repeat(32))] {
        let refused = receiver.exchange(&file.send(&id, 2000).tail(field, &digest).build());
        let refused = refused.expect(422, "digest");
        assert_eq!((refused.text("state"), refused.offset()), ("partial", 2000));
        assert_eq!(check_prefix(&receiver, &file), (id.clone(), 2000));
    }
    receiver.send_rest(&file, &id, 2000).expect_complete(5000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn wrong_bytes_whose_digest_comes_alone_are_dropped() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 500);
    let (id, _) = receiver.locate_ok(&file);
    cut(begin(&receiver, &file.send(&id, 0), 500));
    assert_eq!(check_prefix(&receiver, &file), (id.clone(), 500));
    let wrong = md5_hex(b"wrong");
    let refused = receiver.exchange(&file.send(&id, 500).tail("md5", &wrong).build());
    assert_eq!(refused.expect(422, "digest").offset(), 0);
    receiver.send_rest(&file, &id, 0).expect_complete(500);
}

#[test]
fn the_md5_of_the_locate_is_checked_without_one_in_the_send() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 500).with("md5", &md5_hex(b"of another file"));
    let (id, _) = receiver.locate_ok(&file);
    receiver
        .exchange(&file.send(&id, 0).build())
        .expect(422, "digest");
}

#[test]
fn a_wrong_offset_is_refused_with_the_right_one() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 5000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(2000).build());
    for offset in [0, 1, 1999, 2001, 5000] {
        let reply = receiver.exchange(&file.send(&id, offset).build());
        assert_eq!(reply.expect(409, "2000").offset(), 2000);
    }
    receiver.send_rest(&file, &id, 2000).expect_complete(5000);
}

#[test]
fn a_restart_drops_the_old_bytes() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 5000);
    let (id, _) = receiver.locate_ok(&file);
    let mut old = file.clone();
    old.content.reverse();
    receiver.exchange(&old.send(&id, 0).limit(4000).build());
    let held = md5_hex(&old.content[..4000]);
    let misplaced = file.send(&id, 4000).set("restart", &held).build();
    receiver.exchange(&misplaced).expect(400, "restart");
    let stale = file.send(&id, 0).set("restart", &md5_hex(b"other"));
    let refused = receiver.exchange(&stale.build()).expect(409, "4000");
    assert_eq!(refused.offset(), 4000);
    let restart = file.send(&id, 0).set("restart", &held);
    cut(begin(&receiver, &restart, 100));
    assert_eq!(check_prefix(&receiver, &file), (id.clone(), 100));
    assert_eq!(receiver.partial(&id).metadata().unwrap().len(), 100);
    receiver.send_rest(&file, &id, 100).expect_complete(5000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn a_restart_replaces_a_complete_file_and_no_other_of_its_content() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 5000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0).expect_complete(5000);
    let mut twin = file.clone().with("md5", &md5_hex(&file.content));
    twin.name = "b.bin".to_owned();
    let linked = receiver.locate(&twin).expect_complete(5000).id();
    let mut new = file.clone();
    new.content.reverse();
    let old = md5_hex(&file.content);
    let replacement = new.send(&id, 0).set("restart", &old).build();
    for _ in 0..2 {
        // The second one is stale, and does nothing.
        receiver.exchange(&replacement).expect_complete(5000);
        assert_eq!(receiver.stored(&id), new.content);
    }
    assert_eq!(receiver.stored(&linked), file.content);
}

#[test]
fn a_damaged_file_starts_again() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 5000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(2000).build());
    std::fs::OpenOptions::new()
        .write(true)
        .open(receiver.partial(&id))
        .unwrap()
        .set_len(1000)
        .unwrap();
    assert_eq!(check_prefix(&receiver, &file), (id.clone(), 0));
    receiver.send_rest(&file, &id, 0).expect_complete(5000);
    // A finished one that has grown is not the one that was confirmed.
    let mut grown = std::fs::File::options();
    let mut grown = grown.append(true).open(receiver.file(&id)).unwrap();
    std::io::Write::write_all(&mut grown, b"more").unwrap();
    assert_eq!(check_prefix(&receiver, &file), (id.clone(), 0));
    receiver.send_rest(&file, &id, 0).expect_complete(5000);
    std::fs::remove_file(receiver.file(&id)).unwrap();
    assert_eq!(check_prefix(&receiver, &file), (id, 0));
}

#[test]
fn only_one_receiver_uses_a_directory() {
    let mut receiver = Receiver::start(&[]);
    let second = command(receiver.data(), &[]).output().unwrap();
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("another receiver"));
    receiver.kill_and_restart();
}
