//! What version 1.1 adds to the model receiver.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use super::model::{ask, locate, offset, request, send};
use super::{read_out, LONG};
use crate::digests::{hex_of, NAMES};
use crate::files::{bytes, md5_hex_of};
use crate::model::{ModelReceiver, Options};

const FIND: &str = "name=f&size=1000&mtime=1";
const FIND_NEWER: &str = "name=f&size=1000&mtime=1&digests=blake3,sha256,md5";

type Pairs<'p> = &'p [(&'p str, &'p str)];

/// Makes a form with a file.
fn form(fields: Pairs, file: &[u8], tail: Pairs) -> Vec<u8> {
    let write = |fields: Pairs| -> String {
        let part = |(name, value): &(&str, &str)| {
            format!("--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        fields.iter().map(part).collect()
    };
    let opening = write(fields)
        + "--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";
    let closing = format!("\r\n{}--XyZ--\r\n", write(tail));
    let body = [opening.as_bytes(), file, closing.as_bytes()].concat();
    request("multipart/form-data; boundary=XyZ", &body)
}

/// Makes a part with a digest after it.
fn part_with(data: &[u8], from: usize, to: usize, run: &str, digest: &str) -> Vec<u8> {
    let (offset, length) = (from.to_string(), (to - from).to_string());
    let fields = [
        ("action", "send"),
        ("id", "u1"),
        ("digest", "blake3"),
        ("part", run),
        ("offset", &offset),
        ("length", &length),
    ];
    form(&fields, &data[from..to], &[("part_blake3", digest)])
}

/// Makes a part of the run `a`.
fn part(data: &[u8], from: usize, to: usize) -> Vec<u8> {
    part_with(data, from, to, "a", &hex_of("blake3", &data[from..to]))
}

/// Makes a send of `data[from..to]` with BLAKE3.
fn send_newer(data: &[u8], from: usize, to: usize) -> Vec<u8> {
    let (offset, length) = (from.to_string(), (to - from).to_string());
    let fields = [
        ("action", "send"),
        ("id", "u1"),
        ("digest", "blake3"),
        ("offset", &offset),
        ("length", &length),
    ];
    let name = match to == data.len() {
        true => "blake3",
        false => "prefix_blake3",
    };
    form(
        &fields,
        &data[from..to],
        &[(name, &hex_of("blake3", &data[..to]))],
    )
}

/// Makes a store of the file `f`.
fn store(data: &[u8], digest: &str) -> Vec<u8> {
    let size = data.len().to_string();
    let fields = [
        ("action", "store"),
        ("name", "f"),
        ("size", &size),
        ("mtime", "1"),
        ("digest", "blake3"),
        ("blake3", digest),
    ];
    form(&fields, data, &[])
}

/// Starts a receiver of 1.1 that knows a file of 1000 bytes.
fn start() -> (ModelReceiver, Vec<u8>) {
    start_with(Options::newest())
}

fn start_with(options: Options) -> (ModelReceiver, Vec<u8>) {
    let receiver = ModelReceiver::with(options);
    ask(receiver.addr(), &locate(FIND_NEWER));
    (receiver, bytes(1000, 3))
}

/// Writes the beginning of a request, and leaves the connection open.
fn begin(receiver: &ModelReceiver, request: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(receiver.addr()).unwrap();
    client.write_all(request).unwrap();
    sleep(Duration::from_millis(100));
    client
}

#[test]
fn only_clients_of_1_1_get_its_members() {
    let (receiver, data) = start();
    let (_, body) = ask(receiver.addr(), &locate(FIND_NEWER));
    for member in [r#""digest":"blake3""#, r#""small":262144"#, r#""parts":6"#] {
        assert!(body.contains(member), "{body}");
    }
    ask(receiver.addr(), &part(&data, 500, 600));
    let (_, body) = ask(receiver.addr(), &locate(FIND));
    let due = format!(
        r#"{{"state":"new","offset":0,"id":"u1","prefix_md5":"{}"}}"#,
        md5_hex_of(b"")
    );
    assert_eq!(body, due);
    let (_, body) = ask(receiver.addr(), &send("u1", &data, 0, 400));
    assert_eq!(body, r#"{"state":"partial","offset":400,"id":"u1"}"#);

    // A receiver of 1.0 gives them to nobody.
    let (receiver, data) = start_with(Options::default());
    let (_, body) = ask(receiver.addr(), &locate(FIND_NEWER));
    assert_eq!(body, due);
    assert_eq!(ask(receiver.addr(), &store(&data, "00")).0, 400);
    assert_eq!(ask(receiver.addr(), &send("u1", &data, 0, 1000)).0, 200);
}

#[test]
fn each_digest_can_be_agreed_on_and_changed() {
    let data = bytes(1000, 3);
    for digest in NAMES {
        let receiver = ModelReceiver::with(Options::newest());
        let find = format!("{FIND}&digests=none,{digest}");
        ask(receiver.addr(), &locate(&find));
        let fields = |offset| {
            let more = [("offset", offset), ("length", "500")];
            [
                &[("action", "send"), ("id", "u1"), ("digest", digest)],
                &more[..],
            ]
            .concat()
        };
        let prefix = format!("prefix_{digest}");
        let half = hex_of(digest, &data[..500]);
        let first = form(&fields("0"), &data[..500], &[(&prefix, &half)]);
        let (status, body) = ask(receiver.addr(), &first);
        assert_eq!((status, offset(&body)), (200, 500));
        for known in NAMES {
            let find = format!("{FIND}&digests={known}");
            let (_, body) = ask(receiver.addr(), &locate(&find));
            let hex = hex_of(known, &data[..500]);
            assert!(
                body.contains(&format!(r#""prefix_{known}":"{hex}""#)),
                "{body}"
            );
        }
        let wrong = form(&fields("500"), &data[500..], &[(digest, &half)]);
        let (status, body) = ask(receiver.addr(), &wrong);
        assert_eq!((status, offset(&body)), (422, 500));
        let right = form(
            &fields("500"),
            &data[500..],
            &[(digest, &hex_of(digest, &data))],
        );
        assert_eq!(ask(receiver.addr(), &right).0, 200);
        // An instant upload by any of them.
        for known in NAMES {
            let hex = hex_of(known, &data);
            let find = format!("name={known}&size=1000&mtime=9&digests={known}&{known}={hex}");
            let (_, body) = ask(receiver.addr(), &locate(&find));
            assert!(body.contains("complete"), "{body}");
        }
    }
    let (receiver, data) = start();
    receiver.set_digests(&["sha256"]);
    assert_eq!(ask(receiver.addr(), &send_newer(&data, 0, 400)).0, 400);
    let (_, body) = ask(receiver.addr(), &locate(FIND_NEWER));
    assert!(body.contains(r#""digest":"sha256""#), "{body}");
}

#[test]
fn a_store_is_a_locate_and_a_send() {
    let (receiver, data) = start();
    let digest = hex_of("blake3", &data);
    let (status, body) = ask(receiver.addr(), &store(&data, &hex_of("blake3", b"")));
    assert_eq!(status, 422, "{body}");
    assert_eq!(receiver.files(), []);
    for _ in 0..2 {
        let (status, body) = ask(receiver.addr(), &store(&data, &digest));
        assert_eq!((status, offset(&body)), (200, 1000));
        assert!(body.contains("complete"), "{body}");
    }
    assert_eq!(receiver.files(), [("f".to_owned(), data)]);
    let large = bytes((256 << 10) + 1, 3);
    let (status, _) = ask(receiver.addr(), &store(&large, &hex_of("blake3", &large)));
    assert_eq!(status, 413);
}

#[test]
fn a_broken_store_leaves_nothing_and_a_part_of_the_file_stays() {
    let (receiver, data) = start_with(Options::newest());
    receiver.forget();
    let request = store(&data, &hex_of("blake3", &data));
    let client = begin(&receiver, &request[..request.len() - 300]);
    client.shutdown(Shutdown::Write).unwrap();
    read_out(&client, LONG);
    assert_eq!(receiver.held("f"), None);

    let (receiver, data) = start();
    ask(receiver.addr(), &send("u1", &data, 0, 400));
    let (status, body) = ask(receiver.addr(), &request);
    assert_eq!((status, offset(&body)), (200, 400));
    assert_eq!(ask(receiver.addr(), &send_newer(&data, 400, 1000)).0, 200);
    assert_eq!(receiver.files(), [("f".to_owned(), data)]);
}

#[test]
fn parts_come_in_any_order_and_do_not_complete_the_file() {
    let (receiver, data) = start();
    let (_, body) = ask(receiver.addr(), &part(&data, 800, 1000));
    let hex = hex_of("blake3", &data[800..]);
    let ranges = format!(r#""ranges":[{{"from":800,"to":1000,"blake3":"{hex}"}}]"#);
    assert!(body.contains(&ranges), "{body}");
    assert!(
        body.starts_with(r#"{"state":"partial","offset":0"#),
        "{body}"
    );
    ask(receiver.addr(), &part(&data, 300, 600));
    assert_eq!(receiver.ranges("f"), [(300, 600), (800, 1000)]);
    let (_, body) = ask(receiver.addr(), &part(&data, 0, 300));
    assert_eq!(offset(&body), 600);
    let (_, body) = ask(receiver.addr(), &part(&data, 600, 800));
    assert!(
        body.starts_with(r#"{"state":"partial","offset":1000"#),
        "{body}"
    );
    let (_, body) = ask(receiver.addr(), &send_newer(&data, 1000, 1000));
    assert!(body.contains("complete"), "{body}");
    assert_eq!(receiver.files(), [("f".to_owned(), data.clone())]);
    let stats = receiver.stats();
    assert_eq!((stats.file_bytes, stats.bytes_again), (1000, 0));

    let (receiver, _) = start();
    ask(receiver.addr(), &part(&data, 300, 600));
    ask(receiver.addr(), &part(&data, 500, 700));
    assert_eq!(receiver.stats().bytes_again, 100);
}

#[test]
fn a_broken_part_leaves_a_range_and_a_wrong_one_nothing() {
    let (receiver, data) = start();
    let request = part(&data, 200, 900);
    let start = request.windows(700).position(|w| *w == data[200..900]);
    let client = begin(&receiver, &request[..start.unwrap() + 250]);
    client.shutdown(Shutdown::Write).unwrap();
    read_out(&client, LONG);
    let (_, body) = ask(receiver.addr(), &locate(FIND_NEWER));
    let hex = hex_of("blake3", &data[200..450]);
    let range = format!(r#"{{"from":200,"to":450,"blake3":"{hex}"}}"#);
    assert!(body.contains(&range), "{body}");

    let wrong = part_with(&data, 500, 600, "a", &hex_of("blake3", b""));
    assert_eq!(ask(receiver.addr(), &wrong).0, 422);
    assert_eq!(receiver.ranges("f"), [(200, 450)]);
    // Ranges that no digest has proved are dropped when the whole file's is wrong, those of parts stay.
    assert!(receiver.damage("f", 200));
    ask(receiver.addr(), &part(&data, 0, 200));
    ask(receiver.addr(), &part(&data, 450, 1000));
    let (status, body) = ask(receiver.addr(), &send_newer(&data, 1000, 1000));
    assert_eq!((status, offset(&body)), (422, 200));
}

#[test]
fn a_send_that_brings_bytes_drops_the_ranges() {
    let (receiver, data) = start();
    ask(receiver.addr(), &part(&data, 500, 600));
    ask(receiver.addr(), &send("u1", &data, 0, 0));
    assert_eq!(receiver.ranges("f"), [(500, 600)]);
    ask(receiver.addr(), &send("u1", &data, 0, 100));
    assert_eq!(receiver.ranges("f"), []);
    assert_eq!(ask(receiver.addr(), &send("u1", &data, 100, 1000)).0, 200);
    assert_eq!(receiver.files(), [("f".to_owned(), data)]);
}

#[test]
fn one_run_is_one_writer_and_its_own_overlap_ends_an_older_part() {
    let (receiver, data) = start_with(Options {
        patient: true,
        parts: Some(2),
        ..Options::newest()
    });
    let cut = |from, to| {
        let mut request = part(&data, from, to);
        // What follows the file is 138 bytes.
        request.truncate(request.len() - 168);
        request
    };
    let clients = [(500, 1000), (100, 400)].map(|(from, to)| begin(&receiver, &cut(from, to)));
    assert_eq!(ask(receiver.addr(), &part(&data, 200, 300)).0, 200);
    assert_eq!(receiver.ranges("f"), [(100, 200), (200, 300), (300, 370)]);
    let third = begin(&receiver, &cut(400, 500));
    assert_eq!(ask(receiver.addr(), &part(&data, 0, 50)).0, 429);
    drop(third);
    drop(clients);
}

#[test]
fn another_run_waits_for_a_live_one_and_takes_over_a_dead_one() {
    let (receiver, data) = start_with(Options {
        patient: true,
        ..Options::newest()
    });
    let request = part(&data, 500, 1000);
    let mut client = begin(&receiver, &request[..request.len() - 400]);
    let alive = std::thread::spawn(move || {
        for byte in 0..15 {
            let at = request.len() - 400 + byte;
            client.write_all(&request[at..at + 1]).unwrap();
            sleep(Duration::from_millis(200));
        }
        client
    });
    let other = part_with(&data, 0, 100, "b", &hex_of("blake3", &data[..100]));
    assert_eq!(ask(receiver.addr(), &other).0, 423);
    let _client = alive.join().unwrap();
    assert_eq!(ask(receiver.addr(), &other).0, 200);
    assert_eq!(receiver.held("f"), Some(100));
    assert!(!receiver.ranges("f").is_empty());
}

#[test]
fn what_a_silent_part_brought_moves_the_offset_before_a_send_is_taken() {
    let (receiver, data) = start();
    let part = part(&data, 0, 500);
    let silent = begin(&receiver, &part[..part.len() - 400]);
    let (status, body) = ask(receiver.addr(), &send_newer(&data, 0, 1000));
    let held = offset(&body);
    assert_eq!(status, 409, "{body}");
    assert!((1..500).contains(&held), "{body}");
    let rest = send_newer(&data, held, 1000);
    assert_eq!(ask(receiver.addr(), &rest).0, 200);
    assert_eq!(receiver.files(), [("f".to_owned(), data)]);
    drop(silent);
}
