//! The connection is lost at every single byte: in the end the server has the file that was sent.

#[path = "common/digests.rs"]
mod digests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use resup::{Client, Upload};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::model::ModelReceiver;

fn client(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    let short = Duration::from_millis(2);
    client.set_retry_backoff(short, short * 4).unwrap();
    client.set_retry_limit(50);
    client
        .set_response_timeout(Duration::from_millis(600))
        .unwrap();
    client
        .set_stall_timeout(Duration::from_millis(600))
        .unwrap();
    client
}

/// Uploads `content` through a proxy whose first connection has `faults`. Returns the bytes that went each
/// way.
fn upload_with(receiver: &ModelReceiver, name: &str, content: &[u8], faults: Faults) -> (u64, u64) {
    let mut faults = Some(faults);
    let proxy = ChaosProxy::start(
        receiver.addr(),
        move |_, _| faults.take().unwrap_or_default(),
        0,
    );
    let client = client(&receiver.endpoint_at(proxy.addr()));
    let mut upload = Upload::from_memory(&client, content, name).unwrap();
    upload
        .run()
        .unwrap_or_else(|e| panic!("{name} failed: {e}"));
    digests::assert_told(&upload.remote(), content, name);
    // The proxy counts bytes after it has passed them on.
    std::thread::sleep(Duration::from_millis(if name == "whole" { 100 } else { 0 }));
    (proxy.bytes_up(), proxy.bytes_down())
}

/// Runs `case` for every number below `count`, on two threads.
fn for_all(count: u64, case: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    break;
                }
                case(n);
            });
        }
    });
}

fn every_byte(how: Cut, up: bool) {
    let receiver = ModelReceiver::start();
    // Each upload has its own content: the server would know equal ones by their digest.
    let content = |n: u64| files::bytes(700, n);
    let whole = content(u64::MAX);
    let (bytes_up, bytes_down) = upload_with(&receiver, "whole", &whole, Faults::default());
    let count = if up { bytes_up } else { bytes_down };
    assert!(count > 200, "{count}");
    for_all(count, |n| {
        let (cut_up_after, cut_down_after) = if up { (Some(n), None) } else { (None, Some(n)) };
        let faults = Faults {
            cut_up_after,
            cut_down_after,
            how,
            ..Faults::default()
        };
        upload_with(&receiver, &n.to_string(), &content(n), faults);
    });
    let finished = receiver.files();
    assert_eq!(finished.len() as u64, count + 1);
    for (name, stored) in finished {
        let n = name.parse().unwrap_or(u64::MAX);
        assert!(stored == content(n), "{name} differs");
    }
    println!("{count} cuts");
}

#[test]
fn an_upload_survives_a_reset_at_every_byte_of_the_requests() {
    every_byte(Cut::Rst, true);
}

#[test]
fn an_upload_survives_a_close_at_every_byte_of_the_requests() {
    every_byte(Cut::Fin, true);
}

#[test]
fn an_upload_survives_a_reset_at_every_byte_of_the_responses() {
    every_byte(Cut::Rst, false);
}

#[test]
fn an_upload_survives_a_close_at_every_byte_of_the_responses() {
    every_byte(Cut::Fin, false);
}
