//! Files go to servers of other people that have sessions (308 Resume Incomplete), whatever breaks on the way. `make servers`
//! fetches the servers.

#[path = "c/harness.rs"]
#[allow(dead_code)]
mod harness;
#[path = "common/steps.rs"]
mod steps;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Duration;

use resup::{Client, ProtocolName, SegmentSize, Upload};
use resup_test_support::chaos::ChaosProxy;
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{on, Fault, HttpProxy};
use resup_test_support::session::{Kind, SessionServer, ALL};
use resup_test_support::{files, runs, seed};
use serde_json::json;

/// Some segments of the least size.
const SIZE: u64 = 4 << 20;
/// The least size of a segment.
const SEGMENT: u64 = 1280 << 10;

struct Scene {
    server: SessionServer,
    proxy: HttpProxy,
    dir: tempfile::TempDir,
}

impl Scene {
    fn with(
        kind: Kind,
        plan: impl FnMut(&RequestHead, u64) -> Fault + Send + 'static,
    ) -> Option<Self> {
        let server = SessionServer::start(kind)?;
        Some(Self::at(server, plan))
    }

    fn at(
        server: SessionServer,
        plan: impl FnMut(&RequestHead, u64) -> Fault + Send + 'static,
    ) -> Self {
        Scene {
            proxy: HttpProxy::start(server.addr(), plan),
            server,
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn kind(&self) -> Kind {
        self.server.kind()
    }

    fn client(&self) -> Client {
        let endpoint = self.server.endpoint_at(self.proxy.addr());
        let client = Client::new(&endpoint).unwrap();
        let short = Duration::from_millis(20);
        client.set_retry_backoff(short, short * 8).unwrap();
        client.set_retry_limit(60);
        client.set_protocol(ProtocolName::Session);
        client
    }

    fn file(&self, size: u64) -> PathBuf {
        let path = self.dir.path().join("a file.bin");
        files::make(&path, size, size).unwrap();
        path
    }

    fn upload(&self, client: &Client, file: &Path) -> Upload {
        let mut upload = Upload::from_file(client, file).unwrap();
        upload
            .set_state_file(self.dir.path().join("state"))
            .unwrap();
        upload
    }

    #[track_caller]
    fn check(&self, file: &Path) {
        let equal = |path: &PathBuf| std::fs::read(path).unwrap() == std::fs::read(file).unwrap();
        let stored = self.server.files();
        assert!(stored.iter().any(equal), "{:?}: {stored:?}", self.kind());
    }
}

fn scenes() -> impl Iterator<Item = Scene> {
    ALL.into_iter()
        .filter_map(|kind| Scene::with(kind, |_, _| Fault::None))
}

/// Whether a request brings bytes of the file.
fn brings_bytes(head: &RequestHead) -> bool {
    head.method == "PUT" && head.content_length() > Some(0)
}

#[test]
fn files_arrive_in_segments_of_the_size_that_sessions_want() {
    for scene in scenes() {
        for (size, count) in [(0, 0), (1, 1), (1000, 1), (SIZE, 4)] {
            let (client, file) = (scene.client(), scene.file(size));
            let before = scene.proxy.exchanges().len();
            let mut upload = scene.upload(&client, &file);
            upload.set_name(&format!("f{size}")).unwrap();
            upload
                .set_segment_size(SegmentSize::Fixed(1 << 20))
                .unwrap();
            let result = upload.run();
            result.unwrap_or_else(|e| panic!("{:?}: {size} bytes: {e}", scene.kind()));
            assert_eq!(upload.remote().protocol(), Some("session"));
            scene.check(&file);
            let exchanges = scene.proxy.exchanges().split_off(before);
            let sent = exchanges.iter().filter(|it| brings_bytes(&it.head));
            let sizes: Vec<u64> = sent.map(|it| it.body_len).collect();
            assert_eq!(sizes.len(), count, "{:?}: {sizes:?}", scene.kind());
            let but_the_last = sizes.iter().rev().skip(1);
            assert!(
                but_the_last.into_iter().all(|size| *size == SEGMENT),
                "{sizes:?}"
            );
        }
    }
}

#[test]
fn answers_of_a_sites_own_for_finished_files_are_understood() {
    for answer in [
        json!({"body": {"message": "done"}}),
        json!({"body": {"name": "a"}, "statusCode": 201}),
        json!({"body": "stored", "statusCode": 200}),
    ] {
        for fault in [Fault::None, Fault::LoseResponse] {
            let Some(server) = SessionServer::start_answering(answer.clone()) else {
                return;
            };
            let scene = Scene::at(server, on("PUT", 1, fault));
            let file = scene.file(1000);
            let result = scene.upload(&scene.client(), &file).run();
            let methods: Vec<_> = scene.proxy.exchanges();
            result.unwrap_or_else(|e| panic!("{answer}: {e}\n{methods:?}"));
            scene.check(&file);
            let sent = scene.proxy.exchanges();
            let sent = sent.iter().filter(|it| brings_bytes(&it.head)).count();
            assert_eq!(sent, 1, "{answer}: {fault:?}");
        }
    }
}

#[test]
fn the_url_of_a_session_goes_on() {
    for scene in scenes() {
        let file = scene.file(SIZE);
        // One that ends after its first segment.
        let cut = HttpProxy::start(scene.server.addr(), {
            let mut segments = 0;
            move |head, _| {
                segments += u64::from(brings_bytes(head));
                if segments > 1 && brings_bytes(head) {
                    Fault::CutBody(0)
                } else {
                    Fault::None
                }
            }
        });
        let first = Client::new(&scene.server.endpoint_at(cut.addr())).unwrap();
        first.set_protocol(ProtocolName::Session);
        first.set_retry_limit(0);
        let mut upload = Upload::from_file(&first, &file).unwrap();
        upload
            .set_segment_size(SegmentSize::Fixed(SEGMENT))
            .unwrap();
        upload.run().unwrap_err();
        let url = upload.remote().id().unwrap();
        let url = url.replace(&cut.addr().to_string(), &scene.proxy.addr().to_string());
        let second = Client::new(&url).unwrap();
        second.set_protocol(ProtocolName::Session);
        let mut upload = Upload::from_file(&second, &file).unwrap();
        let result = upload.run();
        result.unwrap_or_else(|e| panic!("{:?}: {url}: {e}", scene.kind()));
        assert_eq!(
            upload.remote().snapshot().bytes_skipped,
            SEGMENT,
            "{:?}",
            scene.kind()
        );
        scene.check(&file);
    }
}

#[test]
fn lost_responses_lose_nothing() {
    for kind in ALL {
        for (method, times) in [("POST", 1), ("PUT", 1), ("PUT", 3), ("GET", 1)] {
            let Some(scene) = Scene::with(kind, on(method, times, Fault::LoseResponse)) else {
                continue;
            };
            let (client, file) = (scene.client(), scene.file(SIZE));
            let mut upload = scene.upload(&client, &file);
            upload
                .set_segment_size(SegmentSize::Fixed(SEGMENT))
                .unwrap();
            let result = upload.run();
            result.unwrap_or_else(|e| panic!("{kind:?}: {method}: {e}"));
            scene.check(&file);
        }
    }
}

#[test]
fn cuts_at_random_bytes_lose_nothing() {
    let seed = seed::seed();
    for kind in ALL {
        for run in 0..runs::count(6) {
            let Some(mut scene) = Scene::with(kind, |_, _| Fault::None) else {
                break;
            };
            let mut rng = seed::rng(seed.wrapping_add(run));
            let chaos = ChaosProxy::with_cuts(scene.server.addr(), &mut rng, (SIZE, 2000));
            scene.proxy = HttpProxy::clean(chaos.addr());
            let (client, file) = (scene.client(), scene.file(SIZE));
            let mut upload = scene.upload(&client, &file);
            if rng.bool() {
                upload
                    .set_segment_size(SegmentSize::Fixed(SEGMENT))
                    .unwrap();
            }
            let result = upload.run();
            result.unwrap_or_else(|e| panic!("{kind:?}: run {run}: {e}"));
            scene.check(&file);
        }
    }
}

#[test]
fn another_run_goes_on_after_the_server_was_killed() {
    for kind in ALL {
        let is_cut = Arc::new(AtomicBool::new(true));
        let (is_broken, sent) = (is_cut.clone(), AtomicU64::new(0));
        let plan = move |head: &RequestHead, _: u64| {
            let number = match brings_bytes(head) {
                true => sent.fetch_add(1, Relaxed),
                false => 0,
            };
            match number > 1 && is_broken.load(Relaxed) {
                true => Fault::CutBody(0),
                false => Fault::None,
            }
        };
        let Some(mut scene) = Scene::with(kind, plan) else {
            continue;
        };
        let (client, file) = (scene.client(), scene.file(SIZE));
        client.set_retry_limit(0);
        let mut upload = scene.upload(&client, &file);
        upload
            .set_segment_size(SegmentSize::Fixed(SEGMENT))
            .unwrap();
        upload.run().unwrap_err();
        scene.server.kill();
        scene.server.restart();
        scene.proxy.set_target(scene.server.addr());
        is_cut.store(false, Relaxed);
        let client = scene.client();
        let mut upload = scene.upload(&client, &file);
        upload.run().unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        // The emulator may forget its sessions when it is killed.
        if kind == Kind::Uploadx {
            assert_eq!(upload.remote().snapshot().bytes_skipped, 2 * SEGMENT);
        }
        scene.check(&file);
    }
}

#[test]
fn the_guides_steps_bring_files_to_each_server() {
    for scene in scenes() {
        let endpoint = scene.server.endpoint_at(scene.proxy.addr());
        let heading = "… Google Cloud Storage, OneDrive, or uploadx";
        if let Some(steps) = steps::take("my-server.md", heading, &endpoint) {
            steps.check(&scene.server.files());
        }
    }
}
