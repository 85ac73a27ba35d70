//! What breaks on the way.

use resup::{SegmentSize, Upload};
use resup_test_support::chaos::ChaosProxy;
use resup_test_support::dav::{Kind, ALL};
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{Fault, HttpProxy};
use resup_test_support::{runs, seed};

use crate::{scenes, Scene, SIZE};

/// Whether a request brings a range of the file.
fn brings_range(head: &RequestHead) -> bool {
    let range = head.header("content-range");
    let is_range = range.or(head.header("x-update-range")).is_some();
    is_range && !head.target.contains("resup-probe")
}

#[test]
fn lost_responses_lose_nothing() {
    for kind in ALL {
        // Each request of an upload in turn, those of the small file included.
        for lost in 0..14 {
            let plan = move |_: &RequestHead, number: u64| match number == lost {
                true => Fault::LoseResponse,
                false => Fault::None,
            };
            let Some(scene) = Scene::with(kind, plan) else {
                break;
            };
            let (client, file) = (scene.client(), scene.file(SIZE));
            let mut upload = Upload::from_file(&client, &file).unwrap();
            upload
                .set_segment_size(SegmentSize::Fixed(SIZE / 2 + 1))
                .unwrap();
            let result = upload.run();
            result.unwrap_or_else(|e| panic!("{kind:?}: response {lost}: {e}"));
            scene.check(&file);
        }
    }
}

#[test]
fn a_cut_request_keeps_its_bytes_where_the_server_keeps_them() {
    for kind in [Kind::Apache, Kind::Dufs] {
        let mut cuts = 3;
        let plan = move |head: &RequestHead, _: u64| match brings_range(head) && cuts > 0 {
            true => {
                cuts -= 1;
                Fault::CutBody(SIZE / 5)
            }
            false => Fault::None,
        };
        let Some(scene) = Scene::with(kind, plan) else {
            continue;
        };
        let (client, file) = (scene.client(), scene.file(SIZE));
        let mut upload = Upload::from_file(&client, &file).unwrap();
        upload.run().unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        scene.check(&file);
        let sent: u64 = scene.proxy.exchanges().iter().map(|it| it.body_len).sum();
        assert!(sent < SIZE + SIZE / 2, "{kind:?}: {sent} bytes were sent");
    }
}

#[test]
fn cuts_at_random_bytes_lose_nothing() {
    let seed = seed::seed();
    for mut scene in scenes() {
        let kind = scene.kind();
        for run in 0..runs::count(6) {
            let mut rng = seed::rng(seed.wrapping_add(run));
            let chaos = ChaosProxy::with_cuts(scene.server.addr(), &mut rng, (SIZE, 2000));
            scene.proxy = HttpProxy::clean(chaos.addr());
            let (client, file) = (scene.client(), scene.file(SIZE));
            let mut upload = Upload::from_file(&client, &file).unwrap();
            if rng.bool() {
                let size = rng.u64(100_000..SIZE);
                upload.set_segment_size(SegmentSize::Fixed(size)).unwrap();
            }
            let result = upload.run();
            result.unwrap_or_else(|e| panic!("{kind:?}: run {run}: {e}"));
            scene.check(&file);
            let there = scene.server.data().join(file.file_name().unwrap());
            std::fs::remove_file(there).unwrap();
        }
    }
}
