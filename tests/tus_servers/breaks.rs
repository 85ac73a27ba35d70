//! What breaks on the way.

use resup::{ErrorKind, SegmentSize};
use resup_test_support::chaos::ChaosProxy;
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{on, Fault, HttpProxy};
use resup_test_support::tus::{Kind, Setup, ALL};
use resup_test_support::{runs, seed};

use crate::scene::{name, setups, Scene};
use crate::{SEGMENT, SIZE};

#[test]
fn lost_responses_lose_nothing() {
    for setup in setups() {
        let name = name(&setup);
        for (method, times) in [("OPTIONS", 1), ("POST", 1), ("PATCH", 2), ("HEAD", 2)] {
            if method == "OPTIONS" && setup.is_ietf() {
                continue;
            }
            // There is a HEAD only after something else was lost.
            let first = u64::from(method == "HEAD");
            let mut lost_first = on("PATCH", first, Fault::CutBody(SEGMENT / 2));
            let mut lost = on(method, times, Fault::LoseResponse);
            // tusd refuses the versions of the draft that it does not speak, before one is right.
            let is_tusd = setup.kind() == Kind::Tusd && setup.is_ietf();
            let is_refused = move |head: &RequestHead| {
                let version = head.header("upload-draft-interop-version");
                let is_old = matches!(version, Some("3" | "4" | "5" | "6"));
                is_tusd && head.method == "POST" && !is_old
            };
            let plan = move |head: &RequestHead, number: u64| match lost_first(head, number) {
                Fault::None if is_refused(head) => Fault::None,
                Fault::None => lost(head, number),
                fault => fault,
            };
            let Some(scene) = Scene::with(setup.clone(), plan) else {
                continue;
            };
            let (client, file) = (scene.client(), scene.file(SIZE));
            let mut upload = scene.upload(&client, &file);
            upload
                .set_segment_size(SegmentSize::Fixed(SEGMENT))
                .unwrap();
            upload
                .run()
                .unwrap_or_else(|e| panic!("{name}: {method}: {e}"));
            scene.check(&upload, &file);
            // The upload whose creation the client never heard of is left; the receiver has no file for it.
            let files = match method == "POST" && scene.kind() != Kind::Receiver {
                true => 2,
                false => 1,
            };
            assert_eq!(scene.server.files().len(), files, "{name}: {method}");
            let lost = scene.proxy.exchanges();
            let lost = lost.iter().filter(|it| it.response.is_none()).count() as u64;
            assert!(lost >= times, "{name}: {method}: {lost}");
        }
    }
}

#[test]
fn cuts_at_random_bytes_lose_nothing() {
    let seed = seed::seed();
    // uploadx first tells the bytes of a send with a checksum that was cut, and a moment later drops them: what is sent
    // meanwhile would leave a hole.
    for setup in setups() {
        for run in 0..runs::count(6) {
            let mut rng = seed::rng(seed.wrapping_add(run));
            let Some(mut scene) = Scene::with(setup.clone(), |_, _| Fault::None) else {
                break;
            };
            let chaos = ChaosProxy::with_cuts(scene.server.addr(), &mut rng, (SIZE, 600));
            scene.proxy = HttpProxy::clean(chaos.addr());
            let (client, file) = (scene.client(), scene.file(SIZE));
            let mut upload = scene.upload(&client, &file);
            if rng.bool() {
                let size = rng.u64(20_000..SIZE);
                upload.set_segment_size(SegmentSize::Fixed(size)).unwrap();
            }
            upload
                .run()
                .unwrap_or_else(|e| panic!("{}: run {run}: {e}", scene.name));
            scene.check(&upload, &file);
        }
    }
}

#[test]
fn damaged_bytes_are_sent_again_where_the_server_has_checksums() {
    for kind in ALL.into_iter().filter(|kind| kind.has_checksums()) {
        // Every third request comes damaged.
        let mut patches = 0;
        let plan = move |head: &RequestHead, _: u64| {
            patches += u64::from(head.method == "PATCH");
            match head.method == "PATCH" && patches % 3 == 1 {
                true => Fault::FlipBody(patches * 999),
                false => Fault::None,
            }
        };
        let Some(scene) = Scene::with(Setup::new(kind), plan) else {
            continue;
        };
        let (client, file) = (scene.client(), scene.file(SIZE));
        let mut upload = scene.upload(&client, &file);
        upload
            .set_segment_size(SegmentSize::Fixed(SEGMENT))
            .unwrap();
        upload.run().unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        scene.check(&upload, &file);
        assert_eq!(scene.server.files().len(), 1);
    }
}

#[test]
fn a_network_that_damages_all_is_named() {
    for kind in ALL.into_iter().filter(|kind| kind.has_checksums()) {
        let setup = Setup::new(kind);
        let Some(scene) = Scene::with(setup, on("PATCH", u64::MAX, Fault::FlipBody(7))) else {
            continue;
        };
        let (client, file) = (scene.client(), scene.file(SIZE));
        client.set_retry_limit(4);
        let error = scene.upload(&client, &file).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{kind:?}: {error}");
    }
}
