//! Uploads by tus and the IETF's resumable uploads whose connections are cut and whose receiver is killed, at random and
//! where something has just become durable. RESUP_TEST_RUNS makes the test longer.

mod common;

use std::thread;
use std::time::Duration;

use common::raw::Raw;
use common::{cut, Receiver, Reply, Upload};
use resup_test_support::{runs, seed};

const POINTS: [&str; 6] = [
    "after-write",
    "after-sync",
    "after-commit",
    "before-commit",
    "after-group",
    "after-finish",
];

#[test]
fn nothing_that_was_confirmed_is_lost_and_nothing_else_is_kept() {
    let runs: usize = runs::count(15);
    let mut rng = seed::rng(seed::seed());
    let mut receiver = Receiver::start(&["--commit-bytes", "50000", "--layout", "tree"]);
    for run in 0..runs {
        let bytes = Upload::new("x", rng.usize(1..400_000)).content;
        let is_tus = rng.bool();
        // The IETF's clients may tell the length with the last bytes only.
        let is_open = !is_tus && rng.bool();
        let place = match is_tus {
            true => receiver.tus_create(bytes.len() as u64, &[("filename", "same name")]),
            false => {
                let post = Raw::ietf("POST", "/upload", "?0");
                let post = match is_open {
                    true => post,
                    false => post.set("Upload-Length", &bytes.len().to_string()),
                };
                post.send(&receiver).place()
            }
        };
        let patch = |from: usize, to: usize| {
            let (piece, is_last) = (&bytes[from..to], to == bytes.len());
            match is_tus {
                true => Raw::tus_patch(&place, from as u64, piece),
                false => Raw::ietf_patch(
                    &place,
                    from as u64,
                    if is_last { "?1" } else { "?0" },
                    piece,
                ),
            }
        };
        let mut confirmed = 0;
        for attempt in 0..9 {
            let head = match is_tus {
                true => Raw::tus("HEAD", &place).send(&receiver),
                false => Raw::ietf("HEAD", &place, "").send(&receiver),
            };
            let offset = head.upload_offset() as usize;
            assert!(offset >= confirmed, "{run}: {offset} of {confirmed}");
            confirmed = offset;
            if head.header("upload-complete") == Some("?1") || (is_tus && offset == bytes.len()) {
                break;
            }
            let to = match attempt < 4 {
                true => rng.usize(offset..=bytes.len()),
                false => bytes.len(),
            };
            let raw = match rng.bool() {
                true => patch(offset, to),
                false => patch(offset, to).chunked(),
            };
            match rng.u32(..if attempt < 4 { 4 } else { 1 }) {
                0 => {
                    let reply = raw.send(&receiver);
                    // A request whose connection is gone may have begun only after the HEAD.
                    if reply.status == 409 {
                        assert!(reply.upload_offset() as usize > offset, "{run}");
                        continue;
                    }
                    assert_eq!(
                        reply.status / 100,
                        2,
                        "{run}: {} {}",
                        reply.head,
                        reply.json
                    );
                    assert_eq!(reply.upload_offset(), to as u64);
                    confirmed = to;
                }
                1 => cut(raw.begin(&receiver, rng.usize(..=raw.body.len()))),
                2 => drop(raw.begin(&receiver, rng.usize(..=raw.body.len()))),
                _ => {
                    let point = POINTS[rng.usize(..POINTS.len())];
                    receiver.kill_and_restart_crashing(&format!("{point}:{}", rng.u32(1..4)));
                    let mut stream = raw.begin(&receiver, raw.body.len());
                    thread::sleep(Duration::from_micros(rng.u64(..20_000)));
                    if let Some(reply) = Reply::try_read(&mut stream).filter(|_| rng.bool()) {
                        confirmed = reply.upload_offset() as usize;
                    }
                    receiver.kill_and_restart();
                }
            }
        }
        assert!(receiver.download(&place) == bytes, "{run}");
    }
}
