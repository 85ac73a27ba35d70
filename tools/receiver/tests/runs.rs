//! Runs: which parts may be sent at a time, and what ends them.

mod common;

use std::io::Write;
use std::thread;
use std::time::Duration;

use common::parts::{check, locate, ranges, start};
use common::{begin, Reply};
use serde_json::Value;

/// Sends a byte every 100 ms, until the receiver answers or all are sent.
fn feed(mut stream: std::net::TcpStream, bytes: &[u8]) -> std::net::TcpStream {
    for byte in bytes {
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    stream
}

#[test]
fn all_parts_of_a_run_are_one_writer() {
    let (receiver, file, id) = start(&[]);
    let alive = begin(&receiver, &file.part(&id, "a", 0, 400), 10);
    let _silent = begin(&receiver, &file.part(&id, "a", 500, 900), 10);
    thread::sleep(Duration::from_millis(300));
    let others = [
        file.part(&id, "b", 900, 1000).build(),
        file.send_with("blake3", &id, 0).build(),
        common::post_form(&file.locate_form()),
    ];
    let alive = thread::scope(|scope| {
        let alive = scope.spawn(|| feed(alive, &file.content[10..45]));
        // Another run, a send without `part` and a locate wait, and are locked out.
        for other in &others {
            scope.spawn(|| receiver.exchange(other).expect(423, "another client"));
        }
        // One of the run itself is not.
        check(
            &receiver.exchange(&file.part(&id, "a", 900, 1000).build()),
            &file,
        );
        alive.join().unwrap()
    });
    // When all of its clients are silent, the run is dead, and what it brought is there.
    let found = locate(&receiver, &file);
    assert_eq!(found.offset(), 45);
    assert_eq!(ranges(&found, &file), [(500, 510), (900, 1000)]);
    drop(alive);
}

#[test]
fn a_part_ends_an_older_one_of_its_run_with_the_same_bytes() {
    let (receiver, file, id) = start(&[]);
    let mut dead = begin(&receiver, &file.part(&id, "a", 200, 600), 100);
    let mut other = begin(&receiver, &file.part(&id, "a", 700, 900), 10);
    thread::sleep(Duration::from_millis(300));
    let again = receiver.exchange(&file.part(&id, "a", 200, 600).build());
    check(&again, &file);
    assert_eq!(ranges(&again, &file), [(200, 600)]);
    Reply::read(&mut dead).expect(423, "taken");
    // The one that has other bytes goes on.
    let part = file.part(&id, "a", 700, 900);
    other.write_all(&part.bytes[10..]).unwrap();
    other.write_all(&part.closing()).unwrap();
    check(&Reply::read(&mut other), &file);
    // At the offset, what came before is not in the way of the same bytes.
    let _dead = begin(&receiver, &file.part(&id, "a", 0, 200), 100);
    thread::sleep(Duration::from_millis(300));
    let again = receiver.exchange(&file.part(&id, "a", 0, 200).build());
    check(&again, &file);
    assert_eq!(again.offset(), 600);
}

#[test]
fn more_parts_than_answered_are_refused() {
    for (parts, member) in [("1", Value::Null), ("2", Value::from(2))] {
        let (receiver, file, id) = start(&["--parts", parts]);
        assert_eq!(locate(&receiver, &file).json["parts"], member);
        let count: usize = parts.parse().unwrap();
        let streams: Vec<_> = (0..count)
            .map(|n| begin(&receiver, &file.part(&id, "a", n * 100, n * 100 + 100), 10))
            .collect();
        thread::sleep(Duration::from_millis(300));
        let more = receiver.exchange(&file.part(&id, "a", 900, 1000).build());
        let more = more.expect(429, &format!("{parts} parts of this upload"));
        assert!(more.head.contains("retry-after"));
        drop(streams);
    }
    let failed = common::command(
        std::path::Path::new("/nonexistent"),
        &["--parts".into(), "0".into()],
    );
    let failed = { failed }.output().unwrap();
    let text = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(text.contains("from 1 to 64"), "{text}");
}

#[test]
fn a_part_counts_as_an_upload_that_is_being_sent() {
    for (limit, member) in [("1", Value::Null), ("2", Value::from(2))] {
        // No more parts are answered than one user may send.
        let (receiver, file, id) = start(&["--max-uploads-per-user", limit]);
        assert_eq!(locate(&receiver, &file).json["parts"], member);
        let other = common::Upload::new("b", 500);
        let (other_id, _) = receiver.locate_ok(&other);
        let _sends = match limit {
            "1" => vec![begin(&receiver, &other.send(&other_id, 0), 10)],
            _ => vec![
                begin(&receiver, &other.send(&other_id, 0), 10),
                begin(&receiver, &file.part(&id, "a", 0, 100), 10),
            ],
        };
        thread::sleep(Duration::from_millis(300));
        let more = receiver.exchange(&file.part(&id, "a", 900, 1000).build());
        more.expect(429, &format!("{limit} uploads are being sent"));
    }
}

#[test]
fn there_are_at_most_a_thousand_ranges_and_the_gap_can_be_filled() {
    let receiver = common::Receiver::start(&["--parts", "64"]);
    let file = common::Upload::new("a", 2000);
    let id = locate(&receiver, &file).id();
    let mut stream = receiver.connect();
    let mut ask = |from: usize| {
        let part = file.part(&id, "a", from, from + 1);
        stream.write_all(&part.build()).unwrap();
        Reply::read(&mut stream)
    };
    let mut taken = 0;
    let refused = loop {
        let reply = ask(2 * taken + 1);
        if reply.status != 200 {
            break reply;
        }
        taken += 1;
    };
    let refused = refused.expect(429, "missing at offset 0");
    assert_eq!(ranges(&refused, &file).len(), taken);
    assert!((800..=1000).contains(&taken), "{taken}");
    let first = receiver.exchange(&file.part(&id, "a", 0, 1).build());
    assert_eq!(first.offset(), 2);
}
