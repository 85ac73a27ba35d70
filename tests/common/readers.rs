//! Uploads of streams that are read once, to servers of tus and of the IETF's protocol.

use std::fs::File;
use std::path::Path;

use resup::{Client, SegmentSize, Upload, SIZE_UNKNOWN};
use resup_digests::{Algorithm, Digest};
use resup_test_support::chaos::ChaosProxy;
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{Fault, HttpProxy};
use resup_test_support::tus::{Kind, Setup};
use resup_test_support::{runs, seed};

use crate::scene::Scene;

pub const SEGMENT: u64 = 100_000;
pub const SIZE: u64 = 1_000_000;

/// Makes an upload of what a file has, as a stream without a size.
pub fn upload(client: &Client, file: &Path) -> Upload {
    let name = file.file_name().unwrap().to_str().unwrap();
    let mut upload = Upload::from_reader(client, File::open(file).unwrap(), name).unwrap();
    let segment = SegmentSize::Fixed(SEGMENT);
    upload.set_segment_size(segment).unwrap();
    upload
}

/// Runs an upload, and checks that the server has the file, and that the numbers and the digest are right.
#[track_caller]
pub fn run(scene: &Scene, upload: &mut Upload, file: &Path) {
    let name = &scene.name;
    upload.run().unwrap_or_else(|e| panic!("{name}: {e}"));
    scene.check(upload, file);
    let content = std::fs::read(file).unwrap();
    let now = upload.remote().snapshot();
    assert_eq!(now.size, content.len() as u64, "{name}");
    assert_eq!(now.offset, now.size, "{name}");
    let digest = Digest::of(Algorithm::Blake3, &content).hex();
    assert_eq!(upload.remote().digest(), Some(digest), "{name}");
}

/// Streams of all sizes arrive: each in as many requests as it has whole segments, and one more for its end.
pub fn all_sizes_arrive(setup: Setup) {
    let Some(scene) = Scene::with(setup, |_, _| Fault::None) else {
        return;
    };
    let client = scene.client();
    for size in [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, SIZE] {
        let before = scene.proxy.exchanges().len();
        let file = scene.file(size);
        let mut upload = upload(&client, &file);
        run(&scene, &mut upload, &file);
        let now = upload.remote().snapshot();
        assert_eq!(now.bytes_sent, size, "{}", scene.name);
        let patches = &scene.methods()[before..];
        let patches = patches.iter().filter(|it| *it == "PATCH").count() as u64;
        assert_eq!(patches, size / SEGMENT + 1, "{}: {size}", scene.name);
    }
}

/// The responses to a creation, to sends and to the last send are lost.
pub fn lost_responses_lose_nothing(setup: &Setup) {
    let last = SIZE / SEGMENT;
    let is_tusd = setup.kind() == Kind::Tusd && setup.is_ietf();
    for (method, from, times) in [("POST", 0, 1), ("PATCH", 0, 2), ("PATCH", last - 1, 1)] {
        let mut seen = 0;
        let plan = move |head: &RequestHead, _: u64| {
            // tusd refuses the versions of the draft that it does not speak, before one is right.
            let version = head.header("upload-draft-interop-version");
            let is_old = matches!(version, Some("3" | "4" | "5" | "6"));
            let is_tried = is_tusd && !is_old && method == "POST";
            if head.method != method || is_tried {
                return Fault::None;
            }
            seen += 1;
            match (from + 1..=from + times).contains(&seen) {
                true => Fault::LoseResponse,
                false => Fault::None,
            }
        };
        let Some(scene) = Scene::with(setup.clone(), plan) else {
            return;
        };
        let (client, file) = (scene.client(), scene.file(SIZE - 1));
        run(&scene, &mut upload(&client, &file), &file);
    }
}

/// Connections are cut at random bytes.
pub fn cuts_lose_nothing(setup: &Setup) {
    let seed = seed::seed();
    for number in 0..runs::count(5) {
        let mut rng = seed::rng(seed.wrapping_add(number));
        let Some(mut scene) = Scene::with(setup.clone(), |_, _| Fault::None) else {
            return;
        };
        let chaos = ChaosProxy::with_cuts(scene.server.addr(), &mut rng, (SIZE / 2, 600));
        scene.proxy = HttpProxy::clean(chaos.addr());
        let size = [SIZE, 3 * SEGMENT, rng.u64(..SIZE)][rng.usize(..3)];
        let (client, file) = (scene.client(), scene.file(size));
        let mut upload = upload(&client, &file);
        if rng.bool() {
            let size = rng.u64(20_000..SIZE);
            upload.set_segment_size(SegmentSize::Fixed(size)).unwrap();
        }
        run(&scene, &mut upload, &file);
    }
}

/// Damaged bytes are sent again where the server has checksums.
pub fn damaged_bytes_are_sent_again(setup: Setup) {
    let mut patches = 0;
    let plan = move |head: &RequestHead, _: u64| {
        patches += u64::from(head.method == "PATCH");
        match head.method == "PATCH" && patches % 3 == 1 {
            true => Fault::FlipBody(patches * 999),
            false => Fault::None,
        }
    };
    let Some(scene) = Scene::with(setup, plan) else {
        return;
    };
    let (client, file) = (scene.client(), scene.file(SIZE - 1));
    run(&scene, &mut upload(&client, &file), &file);
}

/// An upload that is run again goes on where the last run ended, also after one that got no answer.
pub fn another_run_goes_on(setup: Setup) {
    let (mut patches, mut heads) = (0, 0);
    let plan = move |head: &RequestHead, _: u64| {
        patches += u64::from(head.method == "PATCH");
        heads += u64::from(head.method == "HEAD");
        match head.method.as_str() {
            // A connection that breaks before that is taken for an old one.
            "PATCH" if matches!(patches, 2 | 4) => Fault::CutBody(300_000),
            "HEAD" if heads == 1 => Fault::LoseResponse,
            _ => Fault::None,
        }
    };
    let Some(scene) = Scene::with(setup, plan) else {
        return;
    };
    let (client, file) = (scene.client(), scene.file(3_000_000));
    client.set_retry_limit(0);
    let mut upload = upload(&client, &file);
    let segment = SegmentSize::Fixed(400_000);
    upload.set_segment_size(segment).unwrap();
    for _ in 0..3 {
        let error = upload.run().unwrap_err();
        assert!(error.is_retryable(), "{}: {error}", scene.name);
        assert_eq!(upload.remote().snapshot().size, SIZE_UNKNOWN);
    }
    run(&scene, &mut upload, &file);
    assert!(upload.remote().snapshot().bytes_skipped > 800_000);
}
