//! The ranges in an answer: as many as there may be, and those that cannot be.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use resup::{Client, Upload};
use resup_digests::{Algorithm, Digest};
use resup_test_support::scripted::{ScriptedServer, Step};

#[test]
fn a_lie_about_ranges_is_told_and_nothing_is_sent() {
    let range = |from: &str, to: &str| format!(r#"{{"from":{from},"to":{to}}}"#);
    let million = vec![range("7", "8"); 1001].join(",");
    for (ranges, told) in [
        (
            range("9000000", "9000001"),
            "goes past the file's size 8388608",
        ),
        (range("5", "9"), "begins before the offset 7"),
        (range("20", "20"), "has no byte"),
        (range("30", "20"), "has no byte"),
        (
            range("20", "30") + "," + &range("29", "40"),
            "overlaps the one before it",
        ),
        (
            range("40", "50") + "," + &range("20", "30"),
            "goes backwards",
        ),
        (range("-1", "30"), "is not a whole number"),
        (range("20.5", "30"), "is not a whole number"),
        (r#"{"from":20}"#.to_owned(), "has no \"to\""),
        ("7".to_owned(), "has no \"from\""),
        (million, "it has 1001 ranges"),
    ] {
        let answer = format!(
            r#"{{"state":"partial","offset":7,"id":"1","digest":"blake3","parts":6,"ranges":[{ranges}]}}"#
        );
        let requests = Arc::new(Mutex::new(HashSet::new()));
        let seen = requests.clone();
        let server = ScriptedServer::start_with(move |head, _| {
            seen.lock().unwrap().insert(head.boundary().is_some());
            Step::reply(200, &answer)
        });
        let client = Client::new(&server.endpoint()).unwrap();
        client.set_retry_limit(0);
        let mut upload = Upload::from_memory(&client, vec![7; 8 << 20], "x").unwrap();
        let error = upload.run().unwrap_err();
        assert!(error.to_string().contains(told), "{ranges}: {error}");
        assert_eq!(
            *requests.lock().unwrap(),
            HashSet::from([false]),
            "{ranges}"
        );
    }
}

#[test]
fn as_many_ranges_as_there_may_be_are_read_and_counted() {
    let digest = Digest::of(Algorithm::Blake3, &[7; 4000]).hex();
    let range = |at: u64| {
        let (from, to) = (at * 8000 + 4000, at * 8000 + 8000);
        // Blanks where a larger file has more digits.
        format!(r#"{{"from": {from:>15}, "to": {to:>15}, "blake3": "{digest}"}}"#)
    };
    let ranges: Vec<_> = (0..1000).map(range).collect();
    let ranges = ranges.join(",\n  ");
    let answer = format!(
        r#"{{"state":"partial","offset":7,"id":"1","digest":"blake3","parts":6,"ranges":[{ranges}]}}"#
    );
    let server = ScriptedServer::start_with(move |head, _| match head.boundary() {
        Some(_) => Step::reply(507, "{}"),
        None => Step::reply(200, &answer),
    });
    let client = Client::new(&server.endpoint()).unwrap();
    let mut upload = Upload::from_memory(&client, vec![7; 8_000_000], "x").unwrap();
    let error = upload.run().unwrap_err();
    assert!(error.to_string().contains("507"), "{error}");
    let skipped = upload.remote().snapshot().bytes_skipped;
    assert_eq!(skipped, 7 + 1000 * 4000);
}
