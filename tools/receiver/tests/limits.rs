//! The limits: sizes, rates, numbers of clients, and times.

mod common;

use std::io::ErrorKind::WouldBlock;
use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use common::{begin, check_prefix, cut, head, md5_hex, post_form, Receiver, Reply, Upload};

#[test]
fn a_file_that_is_too_large_is_refused_before_it_is_sent() {
    let receiver = Receiver::start(&["--max-size", "1000", "--max-segment", "1000"]);
    let refused = receiver.locate(&Upload::new("a", 1001));
    let refused = refused.expect(
        413,
        "1.00 kB (1001 bytes), the most that this receiver takes is 1.00 kB (1000 bytes)",
    );
    // Smaller segments would not help.
    assert!(refused.json.get("max_segment").is_none());
    receiver.locate_ok(&Upload::new("a", 1000));
}

#[test]
fn a_later_size_limit_is_checked_in_sends() {
    let mut receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1001);
    let (id, _) = receiver.locate_ok(&file);
    receiver.set_flags(&["--max-size", "1000"]);
    receiver.kill_and_restart();
    receiver.send_rest(&file, &id, 0).expect(413, "1001 bytes");
}

#[test]
fn a_quota_counts_finished_and_announced_bytes() {
    let receiver = Receiver::start(&["--quota", "1000"]);
    let done = Upload::new("a", 400);
    let (id, _) = receiver.locate_ok(&done);
    receiver.send_rest(&done, &id, 0).expect_complete(400);
    receiver.locate_ok(&Upload::new("b", 500));
    let third = Upload::new("c", 101);
    let refused = receiver.locate(&third);
    refused.expect(
        507,
        "101 bytes goes over the quota of 1.00 kB (1000 bytes): 900 bytes are taken",
    );
    receiver.locate_ok(&Upload::new("c", 100));
    // What is known goes on.
    receiver.locate(&done).expect_complete(400);
    let (open, _) = receiver.locate_ok(&Upload::new("b", 500));
    receiver.delete(&format!("/uploads/{open}"));
    receiver.locate_ok(&third);
}

#[test]
fn a_later_quota_counts_sizes_that_were_announced_before() {
    let mut receiver = Receiver::start(&[]);
    let most = |name| post_form(&format!("action=locate&name={name}&size={}", i64::MAX));
    for name in ["a", "b"] {
        assert_eq!(receiver.exchange(&most(name)).status, 200);
    }
    receiver.set_flags(&["--quota", "1000"]);
    receiver.kill_and_restart();
    let refused = receiver.exchange(&most("c"));
    refused.expect(507, "goes over the quota");
}

#[test]
fn a_quota_is_kept_with_many_requests_at_once() {
    let receiver = Receiver::start(&["--quota", "1000"]);
    let taken = thread::scope(|scope| {
        let ask = |n| receiver.locate(&Upload::new(&format!("{n}"), 100)).status;
        let asked: Vec<_> = (0..30).map(|n| scope.spawn(move || ask(n))).collect();
        let statuses = asked.into_iter().map(|status| status.join().unwrap());
        statuses.filter(|status| *status == 200).count()
    });
    assert_eq!(taken, 10);
}

#[test]
fn the_number_of_uploads_at_once_is_limited() {
    for (flag, status, message) in [
        ("--max-uploads", 503, "busy with other uploads"),
        ("--max-uploads-per-user", 429, "2 uploads are being sent"),
    ] {
        let receiver = Receiver::start(&[flag, "2"]);
        let files = ["a", "b", "c"].map(|name| Upload::new(name, 200_000));
        let ids = files.each_ref().map(|file| receiver.locate_ok(file).0);
        let open = [0, 1].map(|n| begin(&receiver, &files[n].send(&ids[n], 0), 1000));
        thread::sleep(Duration::from_millis(300));
        let refused = receiver.send_rest(&files[2], &ids[2], 0);
        let refused = refused.expect(status, message);
        assert!(refused.head.contains("retry-after: "), "{}", refused.head);
        let [first, _second] = open;
        cut(first);
        receiver
            .send_rest(&files[2], &ids[2], 0)
            .expect_complete(200_000);
    }
}

#[test]
fn a_newer_request_replaces_a_silent_one() {
    let receiver = Receiver::start(&["--max-uploads-per-user", "1"]);
    let file = Upload::new("a", 1000);
    let (id, _) = receiver.locate_ok(&file);
    let _dead = begin(&receiver, &file.send(&id, 0), 400);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(check_prefix(&receiver, &file).1, 400);
    receiver.send_rest(&file, &id, 400).expect_complete(1000);
}

#[test]
fn a_client_that_is_too_slow_is_refused_and_its_bytes_are_kept() {
    let flags = ["--min-rate", "1000", "--min-rate-window", "0.5"];
    let receiver = Receiver::start(&flags);
    let file = Upload::new("a", 100_000);
    let (id, _) = receiver.locate_ok(&file);
    let mut stream = begin(&receiver, &file.send(&id, 0), 10);
    let mut writer = stream.try_clone().unwrap();
    let rest = file.content[10..].to_vec();
    let drip = thread::spawn(move || {
        let mut pieces = rest.chunks(10);
        while pieces
            .next()
            .is_some_and(|piece| writer.write_all(piece).is_ok())
        {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let told = Reply::read(&mut stream).expect(408, "too slow: the least is 1000 bytes");
    assert!(told.offset() >= 50);
    drop(stream);
    drip.join().unwrap();
    assert_eq!(check_prefix(&receiver, &file), (id.clone(), told.offset()));

    // The time that the receiver itself needs does not count, nor do pauses that are made good.
    let send = file.send(&id, told.offset());
    let send = send.tail("md5", &md5_hex(&file.content));
    let mut stream = begin(&receiver, &send, 2000);
    thread::sleep(Duration::from_millis(900));
    stream.write_all(&send.bytes[2000..]).unwrap();
    stream.write_all(&send.closing()).unwrap();
    Reply::read(&mut stream).expect_complete(100_000);
}

#[test]
fn fields_that_arrive_too_slowly_are_refused_too() {
    let drip = |receiver: &Receiver, request: Vec<u8>, body: usize| {
        let mut stream = receiver.connect();
        let (begun, rest) = request.split_at(request.len() - body);
        stream.write_all(begun).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let rest = rest.to_vec();
        let drip = thread::spawn(move || {
            let mut bytes = rest.chunks(1);
            while bytes
                .next()
                .is_some_and(|byte| writer.write_all(byte).is_ok())
            {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let reply = Reply::read(&mut stream);
        drop(stream);
        drip.join().unwrap();
        reply
    };
    let receiver = Receiver::start(&["--min-rate", "1000", "--min-rate-window", "0.5"]);
    let file = Upload::new("a", 1000);
    let (id, _) = receiver.locate_ok(&file);
    let send = file.send(&id, 0);
    let length = send.opening().len() + send.bytes.len() + send.closing().len();
    drip(&receiver, send.build(), length).expect(408, "too slow");

    let receiver = Receiver::start(&["--body-idle-timeout", "1"]);
    let form = file.locate_form();
    let reply = drip(&receiver, post_form(&form), form.len());
    reply.expect(408, "has not come within 1 s");
    let reply = drip(&receiver, send.build(), length);
    reply.expect(408, "no further for 1 s");
}

#[test]
fn header_blocks_are_limited() {
    let receiver = Receiver::start(&[]);
    let long = |bytes: usize, lines: usize| {
        let line = format!("x-{}: {}\r\n", lines, "x".repeat(bytes / lines));
        let request = format!(
            "GET /uploads HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
            line.repeat(lines)
        );
        receiver.exchange(request.as_bytes())
    };
    assert_eq!(long(10_000, 1).status, 200);
    assert_eq!(long(10_000, 90).status, 200);
    long(20_000, 1).expect(431, "16384 bytes");
    long(1_000, 200).expect(431, "100 lines");
    // Beyond what is even looked at.
    let mut stream = receiver.connect();
    let _ = stream.write_all(&head("GET", "/uploads", &"x".repeat(200_000), 0));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"));
    assert_eq!(receiver.get("/uploads").status, 200);
}

#[test]
fn a_client_that_is_still_sending_can_read_any_refusal() {
    let receiver = Receiver::start(&[]);
    for target in ["/nothing", "/uploads", "/uploads/x/file"] {
        let kind = "application/octet-stream";
        let mut request = head("POST", target, kind, 16 << 20);
        request.resize(request.len() + (16 << 20), 7);
        let status = receiver.exchange(&request).status;
        assert!(matches!(status, 404 | 405), "{target} {status}");
    }
}

fn is_active(receiver: &Receiver, id: &str) -> bool {
    let list = receiver.get("/uploads").json;
    let mut uploads = list["uploads"].as_array().unwrap().iter();
    uploads.any(|upload| upload["id"] == id && upload["active"] == true)
}

#[test]
fn a_new_connection_replaces_one_without_a_request() {
    let receiver = Receiver::start(&["--max-connections", "5"]);
    let mut silent: Vec<_> = (0..5).map(|_| receiver.connect()).collect();
    for stream in &mut silent {
        stream.write_all(b"GET /uploads HTTP/1.1\r\n").unwrap();
    }
    let file = Upload::new("a", 100_000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0).expect_complete(100_000);
    // The oldest one has gone.
    let gone = silent[0].read(&mut [0]);
    assert!(!matches!(&gone, Ok(1)) && !matches!(&gone, Err(e) if e.kind() == WouldBlock));

    // Those that are being served stay.
    let files: Vec<_> = (0..5).map(|n| Upload::new(&format!("{n}"), 1000)).collect();
    let ids: Vec<_> = files
        .iter()
        .map(|file| receiver.locate_ok(file).0)
        .collect();
    let mut open: Vec<_> = files
        .iter()
        .zip(&ids)
        .map(|(file, id)| {
            let send = file.send(id, 0).tail("md5", &md5_hex(&file.content));
            let stream = begin(&receiver, &send, 500);
            // Until the receiver has read the head, the connection may give way to the next one.
            for _ in 0..2000 {
                if file.name == "4" || is_active(&receiver, id) {
                    break;
                }
                thread::sleep(Duration::from_millis(5));
            }
            stream
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    let full = receiver.get("/uploads").expect(503, "full");
    assert!(full.head.contains("retry-after: 2"));
    for (stream, (file, id)) in open.iter_mut().zip(files.iter().zip(&ids)) {
        let send = file.send(id, 0).tail("md5", &md5_hex(&file.content));
        stream.write_all(&send.bytes[500..]).unwrap();
        stream.write_all(&send.closing()).unwrap();
        Reply::read(stream).expect_complete(1000);
    }
}

#[test]
fn a_new_connection_replaces_one_that_reads_no_response() {
    let receiver = Receiver::start(&["--max-connections", "3", "--body-idle-timeout", "1"]);
    let file = Upload::new("a", 30_000_000);
    let (id, _) = receiver.locate_ok(&file);
    receiver
        .send_rest(&file, &id, 0)
        .expect_complete(30_000_000);
    let download = head("GET", &format!("/uploads/{id}/file"), "", 0);
    let begun = |_| {
        let mut stream = receiver.connect();
        stream.write_all(&download).unwrap();
        stream.read_exact(&mut [0; 1000]).unwrap();
        stream
    };
    let mut deaf: Vec<_> = (0..3).map(begun).collect();
    receiver.get("/uploads").expect(503, "full");
    // This one takes it, though slowly.
    let mut slow = deaf.remove(0);
    for _ in 0..15 {
        slow.read_exact(&mut vec![0; 1_000_000]).unwrap();
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(receiver.get("/uploads").status, 200);
    slow.read_exact(&mut vec![0; 14_000_000]).unwrap();
}

#[test]
fn an_upload_without_progress_expires_with_its_bytes() {
    // Two seconds.
    let receiver = Receiver::start(&["--expire", "0.0000231481"]);
    let dead = Upload::new("dead", 1000);
    let (dead_id, _) = receiver.locate_ok(&dead);
    receiver.exchange(&dead.send(&dead_id, 0).limit(400).build());
    let done = Upload::new("done", 1000);
    let (done_id, _) = receiver.locate_ok(&done);
    receiver.send_rest(&done, &done_id, 0).expect_complete(1000);
    let live = Upload::new("live", 100_000);
    let (live_id, _) = receiver.locate_ok(&live);
    let send = live.send(&live_id, 0).tail("md5", &md5_hex(&live.content));
    let mut stream = begin(&receiver, &send, 1000);
    for _ in 0..60 {
        thread::sleep(Duration::from_millis(100));
        if receiver.get(&format!("/uploads/{dead_id}")).status == 404 {
            break;
        }
    }
    receiver
        .send_rest(&dead, &dead_id, 400)
        .expect(404, "no upload");
    assert!(!receiver.partial(&dead_id).exists());
    receiver.locate(&done).expect_complete(1000);
    // It has a writer, though that has had nothing to write.
    thread::sleep(Duration::from_millis(2500));
    stream.write_all(&send.bytes[1000..]).unwrap();
    stream.write_all(&send.closing()).unwrap();
    Reply::read(&mut stream).expect_complete(100_000);

    let (id, offset) = receiver.locate_ok(&dead);
    assert_ne!(id, dead_id);
    receiver.send_rest(&dead, &id, offset).expect_complete(1000);
}

#[test]
fn bytes_without_a_record_are_kept_unless_it_was_being_deleted() {
    let mut receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(400).build());
    let orphan = receiver.partial(&"0".repeat(32));
    std::fs::write(&orphan, "nobody's").unwrap();
    let withdrawn = receiver.partial(&format!("{}.withdrawn", "1".repeat(32)));
    std::fs::write(&withdrawn, "nobody's").unwrap();
    receiver.kill_and_restart();
    let aside = receiver.data().join("partial.unknown");
    let kept = std::fs::read(aside.join(orphan.file_name().unwrap()));
    assert_eq!(kept.unwrap(), b"nobody's");
    assert!(!orphan.exists() && !withdrawn.exists());
    assert_eq!(check_prefix(&receiver, &file), (id, 400));
}

#[test]
fn the_number_of_uploads_is_limited_also_without_bytes() {
    let quota = ["--quota", "1000"].as_slice();
    for (flags, most) in [(&["--max-records", "2"][..], 2), (quota, 100)] {
        let receiver = Receiver::start(flags);
        let empty = |n: usize| Upload::new(&format!("{n}"), 0);
        for n in 0..most {
            receiver.locate_ok(&empty(n));
        }
        let refused = receiver.locate(&empty(most));
        refused.expect(507, "the most that one user may have here");
        receiver.locate_ok(&empty(0));
    }
}
