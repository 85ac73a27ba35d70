//! Parts on connections that are cut at random. `RESUP_TEST_RUNS` is the number of uploads.

#[path = "common/scene.rs"]
mod scene;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use resup::{DigestAlgorithm, DigestMode, SegmentSize};
use resup_test_support::chaos::{Cut, Faults};
use resup_test_support::model::Options;
use resup_test_support::{runs, seed};

use scene::Scene;

/// Uploads through a network on which connections are cut at random.
fn random_cuts(seed: u64) {
    let mut rng = seed::rng(seed);
    let connections = [1, 6][rng.usize(..2)];
    let size = rng.u64(3 << 20..5 << 20) * if connections == 1 { 1 } else { 2 };
    let options = Options {
        max_segment: (rng.u8(..3) == 0).then(|| rng.u64(100_000..1_000_000)),
        buffering: rng.u8(..4) == 0,
        late: rng.u8(..4) == 0,
        tls: rng.bool(),
        ..Options::newest()
    };
    let tls = options.tls;
    let digest = match rng.u8(..3) {
        0 => DigestMode::First,
        _ => DigestMode::OnePass,
    };
    let algorithm = [DigestAlgorithm::Automatic, DigestAlgorithm::Md5][rng.usize(..2)];
    let segments = match rng.u8(..3) {
        0 => SegmentSize::Fixed(rng.u64(100_000..2_000_000)),
        _ => SegmentSize::Unlimited,
    };
    println!("{seed}: {size} {connections} {options:?} {digest:?} {algorithm:?} {segments:?}");
    let cuts = AtomicU64::new(12);
    let scene = Scene::with(options, size, seed, move |_, rng| {
        let faults = Faults {
            rate_up: Some(1_000_000),
            ..Faults::default()
        };
        let take = |left: u64| left.checked_sub(1);
        let is_over = || {
            cuts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                .is_err()
        };
        if rng.bool() || is_over() {
            return faults;
        }
        let at = rng.u64(..size / 3);
        Faults {
            cut_up_after: (rng.u8(..4) > 0).then_some(at),
            cut_down_after: (rng.u8(..4) == 0).then(|| rng.u64(..2000)),
            how: [Cut::Rst, Cut::Fin, Cut::Stall][rng.usize(..9) / 4],
            ..faults
        }
    });
    let client = scene.client();
    if tls {
        client.set_ca_pem(scene.receiver.ca_pem()).unwrap();
    }
    // Longer than what is in the buffers on the way takes.
    let limit = Duration::from_secs(2);
    client.set_response_timeout(limit).unwrap();
    client.set_stall_timeout(limit).unwrap();
    let mut upload = scene.upload(&client);
    upload.set_connections(connections).unwrap();
    upload.set_digest(digest).unwrap();
    upload.set_digest_algorithm(algorithm).unwrap();
    upload.set_segment_size(segments).unwrap();
    let result = upload.run();
    result.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    scene.check_content(&upload);
    // What a lost answer said, or one that came while a part was under way, the client cannot know.
    let again = scene.receiver.stats().bytes_again;
    let unknown = if connections == 1 { 0 } else { size / 10 };
    assert!(again <= unknown, "seed {seed}: {again} bytes came again");
}

#[test]
fn random_cuts_lose_nothing() {
    let seed = seed::seed();
    runs::on_threads(12, runs::count(12), |run| {
        random_cuts(seed.wrapping_add(run))
    });
}
