//! SIGKILL ends the program and the servers while a file goes up.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use resup::{ProtocolName, SegmentSize, Upload};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::dav::ALL;
use resup_test_support::http_proxy::{Fault, HttpProxy};

use crate::{client, scenes, Scene, SIZE};

const LARGE: u64 = 2 * SIZE;

/// Not a test: the program that `a_program_that_was_killed…` starts and kills.
#[test]
fn child_uploader() {
    let variable = std::env::var;
    let (Ok(endpoint), Ok(file)) = (variable("CHILD_ENDPOINT"), variable("CHILD_FILE")) else {
        return;
    };
    let client = client(&endpoint);
    client.set_protocol(ProtocolName::Dav);
    let mut upload = Upload::from_file(&client, file).unwrap();
    upload
        .set_segment_size(SegmentSize::Fixed(LARGE / 12))
        .unwrap();
    upload.run().unwrap_or_else(|e| panic!("{e}"));
    println!("\nskipped={} ", upload.remote().snapshot().bytes_skipped);
}

fn start_uploader(scene: &Scene, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::child_uploader", "--nocapture"])
        .env("CHILD_ENDPOINT", format!("http://{}/", scene.proxy.addr()))
        .env("CHILD_FILE", file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Puts a slow link between the proxy of a scene and its server.
fn slow_down(scene: &mut Scene) -> ChaosProxy {
    let faults = |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(4 << 20),
        ..Faults::default()
    };
    let link = ChaosProxy::narrow(scene.server.addr(), faults, 0);
    scene.proxy = HttpProxy::clean(link.addr());
    link
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_program_that_was_killed_goes_on_without_a_state_file() {
    for kind in ALL.into_iter().filter(|kind| kind.takes_ranges()) {
        let Some(mut scene) = Scene::with(kind, |_, _| Fault::None) else {
            continue;
        };
        let link = slow_down(&mut scene);
        let file = scene.file(LARGE);
        for number in 1..=2 {
            let mut child = start_uploader(&scene, &file);
            let place = LARGE * number / 3;
            wait_until("no bytes come", || link.bytes_up() >= place);
            child.kill().unwrap();
            assert!(
                !child.wait().unwrap().success(),
                "{kind:?}: killed too late"
            );
        }
        let output = start_uploader(&scene, &file).wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{kind:?}: {text}");
        let (_, rest) = text.split_once("skipped=").unwrap();
        let skipped: u64 = rest.split_whitespace().next().unwrap().parse().unwrap();
        assert!(
            skipped > LARGE / 3,
            "{kind:?}: only {skipped} bytes were skipped"
        );
        scene.check(&file);
    }
}

#[test]
fn a_server_that_was_killed_goes_on() {
    for mut scene in scenes() {
        let kind = scene.kind();
        let link = slow_down(&mut scene);
        let (client, file) = (scene.client(), scene.file(LARGE));
        let mut upload = Upload::from_file(&client, &file).unwrap();
        upload
            .set_segment_size(SegmentSize::Fixed(LARGE / 12))
            .unwrap();
        std::thread::scope(|scope| {
            let run = scope.spawn(move || upload.run());
            for number in 1..=2 {
                wait_until("no bytes come", || link.bytes_up() >= LARGE * number / 4);
                scene.server.kill();
                scene.server.restart();
                link.set_target(scene.server.addr());
            }
            let result = run.join().unwrap();
            result.unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        });
        scene.check(&file);
    }
}
