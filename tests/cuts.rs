//! The connection is lost at every single byte, and in every way at random ones: in the end the server has
//! the file that was sent.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use resup::{Client, Upload};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::seed;

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
    assert_eq!(
        upload.remote().md5(),
        Some(files::md5_hex_of(content)),
        "{name}"
    );
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

/// Picks what a bad network does to one connection.
fn random_faults(rng: &mut fastrand::Rng, size: u64) -> Faults {
    let mut faults = Faults {
        how: [Cut::Rst, Cut::Fin, Cut::Stall][rng.usize(..3)],
        ..Faults::default()
    };
    match rng.u8(..8) {
        0..=2 => faults.cut_up_after = Some(rng.u64(..size + 2000)),
        3 => faults.cut_down_after = Some(rng.u64(..400)),
        4 => faults.corrupt_up_at = Some(rng.u64(..size + 2000)),
        5 => faults.corrupt_down_at = Some(rng.u64(..400)),
        6 => faults.drop_response = true,
        _ => faults.refuse = true,
    }
    faults
}

#[test]
fn random_faults_never_make_a_wrong_file() {
    let seed = seed::seed();
    let count = std::env::var("RESUP_TEST_RUNS").map_or(60, |n| n.parse().unwrap());
    for_all(count, |n| {
        let mut rng = seed::rng(seed.wrapping_add(n));
        let size = rng.usize(..3_000_000);
        let content = files::bytes(size, seed.wrapping_add(n));
        let receiver = ModelReceiver::with(Options {
            max_segment: rng.bool().then(|| rng.u64(1000..1_000_000)),
            hide_prefix_md5: rng.bool(),
            ..Options::default()
        });
        let faulty = 5;
        let proxy = ChaosProxy::start(
            receiver.addr(),
            move |connection, rng| match connection < faulty {
                true => random_faults(rng, size as u64),
                false => Faults::default(),
            },
            seed.wrapping_add(n),
        );
        let client = client(&receiver.endpoint_at(proxy.addr()));
        let mut upload = Upload::from_memory(&client, content.clone(), "random").unwrap();
        // A corrupted byte can make the server refuse, or its response wrong: then the run fails, and another
        // run has to succeed.
        let mut runs = 0;
        while let Err(error) = upload.run() {
            runs += 1;
            assert!(runs <= faulty, "run {n} (seed {seed}): {error}");
        }
        let finished = receiver.files();
        let stored: Vec<_> = finished
            .iter()
            .map(|(_, bytes)| bytes == &content)
            .collect();
        assert!(
            stored.contains(&true),
            "run {n} (seed {seed}): the file is not among the {} stored",
            stored.len()
        );
    });
}
