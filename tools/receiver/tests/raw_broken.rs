//! Uploads by tus and the IETF's resumable uploads whose connection breaks, whose client falls silent, and whose receiver
//! is killed.

mod common;

use std::io::Write;
use std::thread;
use std::time::Duration;

use common::raw::Raw;
use common::{cut, Receiver, Reply, Upload};

const SIZE: usize = 3_000_000;

fn content() -> Vec<u8> {
    Upload::new("x", SIZE).content
}

/// Makes an upload, and the request that appends everything from an offset on.
fn both() -> [fn(&Receiver) -> String; 2] {
    [
        |receiver| receiver.tus_create(SIZE as u64, &[("filename", "a")]),
        |receiver| {
            let post = Raw::ietf("POST", "/upload", "?0");
            let post = post.set("Upload-Length", &SIZE.to_string());
            post.send(receiver).place()
        },
    ]
}

fn patches(place: &str, offset: u64, bytes: &[u8]) -> [Raw; 2] {
    [
        Raw::tus_patch(place, offset, bytes),
        Raw::ietf_patch(place, offset, "?1", bytes),
    ]
}

fn heads(place: &str) -> [Raw; 2] {
    [Raw::tus("HEAD", place), Raw::ietf("HEAD", place, "")]
}

#[test]
fn what_arrived_of_a_cut_body_is_kept() {
    let receiver = Receiver::start(&[]);
    let bytes = content();
    for protocol in 0..2 {
        let place = both()[protocol](&receiver);
        let head = heads(&place)[protocol].clone();
        let mut offset = 0;
        for cut_at in [1, 1_000_000, 2_999_999] {
            let patch = &patches(&place, offset as u64, &bytes[offset..])[protocol];
            cut(patch.begin(&receiver, cut_at - offset));
            let found = head.send(&receiver);
            assert_eq!(found.upload_offset(), cut_at as u64, "{protocol}");
            offset = cut_at;
        }
        patches(&place, offset as u64, &bytes[offset..])[protocol].send(&receiver);
        assert!(receiver.download(&place) == bytes);
    }
}

#[test]
fn a_body_without_its_end_is_told_and_kept() {
    let receiver = Receiver::start(&[]);
    let bytes = content();
    let place = both()[0](&receiver);
    let mut stream = patches(&place, 0, &bytes)[0].begin(&receiver, 5000);
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let reply = Reply::read(&mut stream);
    assert_eq!(reply.upload_offset(), 5000);
    reply.expect(408, "the connection ended before the body did");
}

#[test]
fn who_asks_takes_over_from_a_silent_client() {
    let receiver = Receiver::start(&[]);
    let bytes = content();
    for protocol in 0..2 {
        let place = both()[protocol](&receiver);
        let patch = &patches(&place, 0, &bytes)[protocol];
        let mut silent = patch.begin(&receiver, 500_000);
        thread::sleep(Duration::from_millis(50));
        let found = heads(&place)[protocol].send(&receiver);
        assert_eq!(found.upload_offset(), 500_000);
        Reply::read(&mut silent).expect(423, "taken this upload over");
        let mut silent = patches(&place, 500_000, &bytes[500_000..])[protocol].begin(&receiver, 9);
        thread::sleep(Duration::from_millis(50));
        // The next one goes on where it stood, so it is told the right offset.
        let next = patches(&place, 500_000, &bytes[500_000..])[protocol].send(&receiver);
        assert_eq!((next.status, next.upload_offset()), (409, 500_009));
        Reply::read(&mut silent).expect(423, "taken this upload over");
        patches(&place, 500_009, &bytes[500_009..])[protocol].send(&receiver);
        assert!(receiver.download(&place) == bytes);
    }
}

#[test]
fn who_asks_is_told_to_wait_while_bytes_arrive() {
    let receiver = Receiver::start(&[]);
    let bytes = content();
    let place = both()[0](&receiver);
    let patch = &patches(&place, 0, &bytes)[0];
    let mut alive = patch.begin(&receiver, 0);
    let sender = thread::spawn({
        let bytes = bytes.clone();
        move || {
            for piece in bytes.chunks(SIZE / 30) {
                alive.write_all(piece).unwrap();
                thread::sleep(Duration::from_millis(100));
            }
            Reply::read(&mut alive)
        }
    });
    thread::sleep(Duration::from_millis(100));
    // Nothing is told about an offset that moves.
    let reply = heads(&place)[0].send(&receiver);
    assert_eq!((reply.status, reply.header("upload-offset")), (423, None));
    assert_eq!(sender.join().unwrap().upload_offset(), SIZE as u64);
    assert!(receiver.download(&place) == bytes);
}

#[test]
fn what_was_confirmed_outlives_a_kill() {
    let mut receiver = Receiver::start(&["--commit-bytes", "100000"]);
    let bytes = content();
    for protocol in 0..2 {
        let place = both()[protocol](&receiver);
        patches(&place, 0, &bytes[..700_000])[0].send(&receiver);
        let rest = &bytes[700_000..];
        let stream = patches(&place, 700_000, rest)[protocol].begin(&receiver, 1_500_000);
        let id = place.strip_prefix("/upload/").unwrap().to_owned();
        // Some of it is durable before it is confirmed.
        let durable = |receiver: &Receiver| {
            let upload = receiver.get(&format!("/uploads/{id}")).json.clone();
            upload["offset"].as_u64().unwrap()
        };
        while durable(&receiver) <= 700_000 {
            thread::sleep(Duration::from_millis(20));
        }
        let least = durable(&receiver);
        receiver.kill_and_restart();
        drop(stream);
        let found = heads(&place)[protocol].send(&receiver).upload_offset();
        assert!(found >= least && found <= 2_200_000, "{found} of {least}");
        patches(&place, found, &bytes[found as usize..])[protocol].send(&receiver);
        assert!(receiver.download(&place) == bytes);
    }
}

#[test]
fn a_crash_at_the_end_leaves_an_upload_that_ends_by_itself() {
    for point in ["after-sync", "after-finish"] {
        let mut receiver = Receiver::start_crashing(&format!("{point}:1"), &[]);
        let place = both()[0](&receiver);
        let bytes = content();
        // It is killed by itself on the way.
        let _ = Raw::tus_patch(&place, 0, &bytes).begin(&receiver, SIZE);
        receiver.wait();
        receiver.kill_and_restart();
        let offset = receiver.tus_offset(&place);
        if offset < SIZE as u64 {
            Raw::tus_patch(&place, offset, &bytes[offset as usize..]).send(&receiver);
        }
        assert!(receiver.download(&place) == bytes, "{point}");
    }
}

#[test]
fn what_nobody_goes_on_with_expires() {
    let receiver = Receiver::start(&["--expire", "1s"]);
    let bytes = content();
    let place = both()[0](&receiver);
    let path = receiver.partial(place.strip_prefix("/upload/").unwrap());
    cut(patches(&place, 0, &bytes)[0].begin(&receiver, 10));
    for _ in 0..100 {
        if !path.exists() {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let reply = heads(&place)[0].send(&receiver);
    assert_eq!(reply.status, 404);
}

#[test]
fn a_shutdown_keeps_what_arrived() {
    let mut receiver = Receiver::start(&[]);
    let bytes = content();
    let place = both()[0](&receiver);
    let mut stream = patches(&place, 0, &bytes)[0].begin(&receiver, 800_000);
    thread::sleep(Duration::from_millis(100));
    assert!(receiver.terminate().success());
    Reply::read(&mut stream).expect(503, "shutting down");
    receiver.kill_and_restart();
    assert_eq!(receiver.tus_offset(&place), 800_000);
}

/// Apple's URLSession goes on after a lost connection, and gives up after a 500.
#[cfg(target_os = "linux")]
#[test]
fn a_failure_of_the_receiver_amid_a_body_ends_the_connection_of_the_ietfs_clients() {
    use common::faulty::Faulty;
    const EIO: i32 = 5;

    let faulty = Faulty::start(&[]);
    let receiver = &faulty.receiver;
    let bytes = content();
    for protocol in 0..2 {
        let place = both()[protocol](receiver);
        Raw::tus_patch(&place, 0, &bytes[..70_000]).send(receiver);
        faulty.fail(("fsync", EIO, "/partial/"));
        let patch = &patches(&place, 70_000, &bytes[70_000..])[protocol];
        let mut stream = patch.begin(receiver, SIZE - 70_000);
        match (protocol, Reply::try_read(&mut stream)) {
            (0, Some(reply)) => drop(reply.expect(500, "log")),
            (1, None) => {}
            (_, reply) => panic!("{protocol}: {reply:?}"),
        }
        faulty.mend();
        assert_eq!(
            heads(&place)[protocol].send(receiver).upload_offset(),
            70_000
        );
        patch.send(receiver);
        assert!(receiver.download(&place) == bytes);
    }
}
