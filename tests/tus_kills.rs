//! SIGKILL ends the program and servers of other people while files go up by tus: what was confirmed stays.
//! `RESUP_TEST_RUNS` is the number of kills. `make servers` fetches the servers.

#[path = "common/tus.rs"]
mod scene;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use resup::{ProtocolName, SegmentSize, Upload};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::http_proxy::HttpProxy;
use resup_test_support::tus::Kind;
use resup_test_support::{runs, seed};

use scene::{check_offsets, client, scenes, Scene};

const SIZE: u64 = 8 << 20;
/// The size of a file in sections, on several connections.
const LARGE: u64 = 24 << 20;
const KILLS: u64 = 3;

/// The servers, each with the number of connections and the size of a file: those that join sections get a large one, too.
fn cases() -> impl Iterator<Item = (Scene, u32, u64)> {
    let joining = |scene: &Scene| {
        let joins = matches!(scene.kind(), Kind::Tusd | Kind::Python);
        joins && scene.protocol() == ProtocolName::Tus
    };
    let on_one = scenes().map(|scene| (scene, 1, SIZE));
    on_one.chain(scenes().filter(joining).map(|scene| (scene, 6, LARGE)))
}

/// Gives the size of segments for a file.
fn segment(size: u64) -> u64 {
    match size == LARGE {
        true => LARGE / 32,
        false => size / 16,
    }
}

/// Not a test: the program that `a_program_that_was_killed…` starts and kills.
#[test]
fn child_uploader() {
    let variable = std::env::var;
    let (Ok(endpoint), Ok(file), Ok(state), Ok(connections)) = (
        variable("CHILD_ENDPOINT"),
        variable("CHILD_FILE"),
        variable("CHILD_STATE"),
        variable("CHILD_CONNECTIONS"),
    ) else {
        return;
    };
    let size = std::fs::metadata(&file).unwrap().len();
    let client = client(&endpoint);
    client.set_protocol(match variable("CHILD_IS_IETF").is_ok() {
        true => ProtocolName::Ietf,
        false => ProtocolName::Tus,
    });
    let mut upload = Upload::from_file(&client, file).unwrap();
    upload.set_state_file(state).unwrap();
    upload
        .set_connections(connections.parse().unwrap())
        .unwrap();
    upload
        .set_segment_size(SegmentSize::Fixed(segment(size)))
        .unwrap();
    upload.run().unwrap();
    let remote = upload.remote();
    println!(
        "\nskipped={} id={}",
        remote.snapshot().bytes_skipped,
        remote.id().unwrap()
    );
}

fn start_uploader(scene: &Scene, file: &Path, connections: u32) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    if scene.protocol() == ProtocolName::Ietf {
        command.env("CHILD_IS_IETF", "1");
    }
    command
        .args(["--exact", "child_uploader", "--nocapture"])
        .env("CHILD_ENDPOINT", scene.endpoint())
        .env("CHILD_FILE", file)
        .env("CHILD_STATE", scene.state_file())
        .env("CHILD_CONNECTIONS", connections.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Puts a slow link between the proxy of a scene and its server: so slow that others beside it help, where there may be
/// some.
fn slow_down(scene: &mut Scene, connections: u32) -> ChaosProxy {
    let rate = if connections == 1 { 4 << 20 } else { 1 << 20 };
    let faults = move |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(rate),
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

/// Gives the bytes at which kill `number` is to be.
fn place(size: u64, number: u64, kills: u64, rng: &mut fastrand::Rng) -> u64 {
    size * number / (kills + 1) - rng.u64(..size / 20)
}

#[test]
fn a_program_that_was_killed_goes_on_and_never_from_0_again() {
    let seed = seed::seed();
    let kills = runs::count(KILLS);
    for (mut scene, connections, size) in cases() {
        let kind = format!("{} {connections}", scene.name);
        let mut rng = seed::rng(seed);
        let link = slow_down(&mut scene, connections);
        let file = scene.file(size);
        for number in 1..=kills {
            let mut child = start_uploader(&scene, &file, connections);
            let place = place(size, number, kills, &mut rng);
            wait_until("no bytes come", || link.bytes_up() >= place);
            child.kill().unwrap();
            assert!(!child.wait().unwrap().success(), "{kind}: killed too late");
        }
        let output = start_uploader(&scene, &file, connections)
            .wait_with_output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{kind}: {text}");
        let value = |key: &str| {
            let at = text.find(key).unwrap() + key.len();
            text[at..].split_whitespace().next().unwrap().to_owned()
        };
        let stored = scene.server.stored_file(&value("id="));
        resup_test_support::files::assert_same(&file, &stored);
        let skipped: u64 = value("skipped=").parse().unwrap();
        // A kill costs what each connection has under way.
        let least = size / if connections == 1 { 2 } else { 4 };
        println!("{kind}: {skipped} of {size} bytes skipped");
        assert!(skipped > least, "{kind}: only {skipped} bytes were skipped");
        check_offsets(&scene.proxy.exchanges());
        if connections == 1 {
            assert_eq!(scene.server.files(), [stored], "{kind}");
        }
    }
}

#[test]
fn a_server_that_is_killed_goes_on_with_what_it_has() {
    let seed = seed::seed();
    let kills = runs::count(KILLS);
    for (mut scene, connections, size) in cases() {
        let kind = format!("{} {connections}", scene.name);
        let mut rng = seed::rng(seed);
        let link = slow_down(&mut scene, connections);
        let (client, file) = (scene.client(), scene.file(size));
        client.set_retry_limit(200);
        let mut upload = scene.upload(&client, &file);
        upload.set_connections(connections).unwrap();
        upload
            .set_segment_size(SegmentSize::Fixed(segment(size)))
            .unwrap();
        let remote = upload.remote();
        upload.start().unwrap();
        for number in 1..=kills {
            let place = place(size, number, kills, &mut rng);
            wait_until("no bytes come", || link.bytes_up() >= place);
            scene.server.kill();
            scene.server.restart();
            link.set_target(scene.server.addr());
        }
        let outcome = upload.wait(Duration::from_secs(120));
        assert_eq!(outcome, Some(Ok(())), "{kind}");
        scene.check(&upload, &file);
        // Each kill costs a segment at most, since nothing but a checked segment is whole.
        let sent = remote.snapshot().bytes_sent;
        println!("{kind}: {sent} bytes sent");
        let under_way = u64::from(connections) * (segment(size) + (2 << 20));
        assert!(sent <= size + kills * under_way, "{kind}: {sent}");
        if connections == 1 {
            assert_eq!(scene.server.files().len(), 1, "{kind}");
        }
    }
}
