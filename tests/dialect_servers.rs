//! Files in chunks, to the sample servers of the widgets that the presets are of. `make servers` fetches them.

#[path = "c/harness.rs"]
#[allow(dead_code)]
mod harness;
#[path = "dialect_servers/old_page.rs"]
mod old_page;
#[path = "common/forms.rs"]
mod scene;
#[path = "common/steps.rs"]
mod steps;

use std::time::Duration;

use resup::{Error, SegmentSize, Upload};
use resup_test_support::files;
use resup_test_support::forms::{FormApp, Kind, CHUNKED};
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::Fault;
use scene::Scene;

const CHUNK: u64 = 100_000;

impl Scene {
    fn upload(&self, size: u64, retries: u32) -> Upload {
        let client = self.client();
        client.set_retry_limit(retries);
        let mut upload = Upload::from_file(&client, self.file(size)).unwrap();
        upload.set_segment_size(SegmentSize::Fixed(CHUNK)).unwrap();
        upload
            .set_state_file(self.dir.path().join("state"))
            .unwrap();
        upload
    }

    fn run(&self, size: u64) -> Result<(), Error> {
        self.upload(size, 20).run()
    }

    /// Checks that the server has a file, and only once.
    #[track_caller]
    fn check(&self, size: u64) {
        let name = format!("file_{size}.bin");
        let names = self.server.files();
        let whole = names.iter().filter(|stored| stored.ends_with(&name));
        let whole: Vec<_> = whole.collect();
        assert_eq!(whole.len(), 1, "{:?}: {names:?}", self.kind);
        files::assert_same(&self.file(size), &self.server.stored_file(whole[0]));
    }

    fn is_asked(&self) -> bool {
        matches!(self.kind, Kind::Resumable | Kind::Flow)
    }
}

/// Does a fault to one of the requests that bring bytes, by its number from 1.
fn on(number: u64, fault: Fault) -> impl FnMut(&RequestHead, u64) -> Fault + Send {
    let mut posts = 0;
    move |head, _| {
        posts += u64::from(head.method == "POST");
        match head.method == "POST" && posts == number {
            true => fault,
            false => Fault::None,
        }
    }
}

#[test]
fn every_server_gets_files_of_every_size() {
    for kind in CHUNKED {
        let Some(scene) = Scene::with(kind, |_, _| Fault::None) else {
            continue;
        };
        for size in [1, 99_999, 100_000, 199_999, 200_000, 1_234_567] {
            scene
                .run(size)
                .unwrap_or_else(|e| panic!("{kind:?}, {size} bytes: {e}"));
            scene.check(size);
        }
    }
}

#[test]
fn every_server_gets_a_file_whatever_breaks() {
    let faults = [
        Fault::LoseResponse,
        Fault::CutBody(0),
        Fault::CutBody(50_000),
    ];
    for (kind, fault) in CHUNKED
        .into_iter()
        .flat_map(|kind| faults.map(|fault| (kind, fault)))
    {
        for number in 1..=4 {
            let Some(scene) = Scene::with(kind, on(number, fault)) else {
                continue;
            };
            let what = format!("{kind:?}, {fault:?} of {number}");
            scene.run(450_000).unwrap_or_else(|e| panic!("{what}: {e}"));
            scene.check(450_000);
        }
    }
}

#[test]
fn another_run_goes_on_from_the_chunks_that_a_server_has() {
    for kind in CHUNKED {
        let Some(scene) = Scene::with(kind, |_, _| Fault::None) else {
            continue;
        };
        let mut upload = scene.upload(450_000, 0);
        let remote = upload.remote();
        remote.set_rate_limit(400_000);
        upload.start().unwrap();
        while remote.snapshot().offset < 2 * CHUNK {
            assert!(upload.wait(Duration::from_millis(1)).is_none(), "{kind:?}");
        }
        remote.cancel();
        let end = upload.wait(Duration::from_secs(60));
        assert_eq!(end, Some(Err(Error::Cancelled)), "{kind:?}");
        let had = remote.snapshot().offset;
        let mut upload = scene.upload(450_000, 20);
        upload.run().unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        scene.check(450_000);
        if scene.is_asked() {
            assert!(upload.remote().snapshot().bytes_skipped >= had, "{kind:?}");
        }
    }
}

#[test]
fn what_a_sample_server_calls_invalid_is_no_success() {
    let Some(scene) = Scene::with(Kind::Resumable, |_, _| Fault::None) else {
        return;
    };
    // It takes no empty file, and says so with status 200.
    let told = scene.run(0).unwrap_err().to_string();
    assert!(
        told.contains("success needs not text:_resumable_request"),
        "{told}"
    );
    assert!(scene.server.files().is_empty());
}

#[test]
fn the_guides_steps_bring_files_to_each_sample_server() {
    for (kind, heading) in [
        (Kind::Resumable, "resumable.js"),
        (Kind::Flow, "flow.js, ng-flow"),
        (Kind::Plupload, "Plupload"),
        (Kind::WebUploader, "WebUploader"),
    ] {
        let Some(server) = FormApp::start(kind) else {
            continue;
        };
        let endpoint = server.endpoint_at(server.addr());
        if let Some(steps) = steps::take("widgets.md", heading, &endpoint) {
            let names = server.files().into_iter();
            steps.check(&names.map(|it| server.stored_file(&it)).collect::<Vec<_>>());
        }
    }
}
