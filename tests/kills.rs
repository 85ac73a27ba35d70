//! SIGKILL ends the program and the real receiver again and again: what was confirmed stays, and the file is
//! complete in the end. `RESUP_TEST_RUNS` is the number of kills.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use resup::{Client, SegmentSize, Upload};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::receiver::{Receiver, Setup};
use resup_test_support::seed;

const SIZE: u64 = 24 << 20;
/// How often an upload is broken by a kill.
const KILLS: u64 = 5;

/// The size of a file whose parts are on several connections.
const PARTS_SIZE: u64 = 7 << 20;
/// How often such an upload is broken.
const PARTS_KILLS: u64 = 3;

/// Runs a case with so many kills until there were as many as wanted.
fn until_the_last(kills: u64, case: impl Fn(u64)) {
    let wanted = std::env::var("RESUP_TEST_RUNS").map_or(kills, |n| n.parse().unwrap());
    let seed = seed::seed();
    (0..wanted.div_ceil(kills)).for_each(|n| case(seed.wrapping_add(n)));
}

fn patient(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    let pause = Duration::from_millis(50);
    client.set_retry_backoff(pause, pause * 4).unwrap();
    client.set_retry_limit(200);
    client
}

/// Starts a proxy that makes an upload slow enough to be killed on the way.
fn slow_proxy(receiver: &Receiver) -> ChaosProxy {
    let faults = |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(48 << 20),
        ..Faults::default()
    };
    ChaosProxy::start(receiver.addr(), faults, 0)
}

/// Starts a proxy on which parts get several connections.
fn narrow_proxy(receiver: &Receiver) -> ChaosProxy {
    let faults = |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(500_000),
        ..Faults::default()
    };
    ChaosProxy::narrow(receiver.addr(), faults, 0)
}

/// Waits until two connections were made after the first `before`, and for a moment of parts.
fn wait_for_parts(proxy: &ChaosProxy, before: u64, rng: &mut fastrand::Rng) {
    let until = Instant::now() + Duration::from_secs(60);
    while proxy.connections() < before + 2 {
        assert!(Instant::now() < until, "there is one connection only");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(rng.u64(..400)));
}

/// Not a test: the program that `a_program_that_was_killed…` starts and kills.
#[test]
fn child_uploader() {
    let (Ok(endpoint), Ok(file)) = (std::env::var("CHILD_ENDPOINT"), std::env::var("CHILD_FILE"))
    else {
        return;
    };
    let mut upload = Upload::from_file(&patient(&endpoint), file).unwrap();
    upload.run().unwrap();
    let remote = upload.remote();
    println!(
        "\nskipped={} id={}",
        remote.snapshot().bytes_skipped,
        remote.id().unwrap()
    );
}

fn start_uploader(endpoint: &str, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_uploader", "--nocapture"])
        .env("CHILD_ENDPOINT", endpoint)
        .env("CHILD_FILE", file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_program_that_was_killed_goes_on_and_never_from_0_again() {
    until_the_last(KILLS, kill_the_program);
}

fn kill_the_program(seed: u64) {
    let mut rng = seed::rng(seed);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("killed.bin");
    files::make(&file, SIZE, seed).unwrap();
    let receiver = Setup::new().arg("--commit-bytes=1048576").start();
    let proxy = slow_proxy(&receiver);
    let endpoint = format!("http://{}/upload", proxy.addr());
    for n in 1..=KILLS {
        let mut child = start_uploader(&endpoint, &file);
        let until = SIZE * n / (KILLS + 1) - rng.u64(..SIZE / 20);
        while proxy.bytes_up() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "killed too late");
    }
    let skipped = end(&endpoint, &file, &receiver);
    assert!(skipped > SIZE / 2, "only {skipped} bytes were skipped");
    let lost = proxy.bytes_up() - SIZE;
    assert!(lost < SIZE / 2, "{lost} bytes were sent again");
}

/// Ends an upload of which bytes are there. Gives how many.
fn end(endpoint: &str, file: &Path, receiver: &Receiver) -> u64 {
    let output = start_uploader(endpoint, file).wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let value = |key: &str| {
        let at = text.find(key).unwrap() + key.len();
        text[at..].split_whitespace().next().unwrap().to_owned()
    };
    files::assert_same(file, &receiver.stored_file(&value("id=")));
    value("skipped=").parse().unwrap()
}

#[test]
fn a_program_that_was_killed_amid_parts_sends_no_part_again_that_was_confirmed() {
    until_the_last(PARTS_KILLS, kill_the_program_amid_parts);
}

fn kill_the_program_amid_parts(seed: u64) {
    let mut rng = seed::rng(seed);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("parts.bin");
    files::make(&file, PARTS_SIZE, seed).unwrap();
    let receiver = Setup::new().start();
    let proxy = narrow_proxy(&receiver);
    let endpoint = format!("http://{}/upload", proxy.addr());
    for _ in 0..PARTS_KILLS {
        let before = proxy.connections();
        let mut child = start_uploader(&endpoint, &file);
        wait_for_parts(&proxy, before, &mut rng);
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "killed too late");
    }
    let skipped = end(&endpoint, &file, &receiver);
    assert!(skipped > PARTS_SIZE / 6, "{skipped} bytes were skipped");
    let lost = proxy.bytes_up() - PARTS_SIZE;
    assert!(lost < PARTS_SIZE / 2, "{lost} bytes were sent again");
}

#[test]
fn a_receiver_that_is_killed_amid_parts_keeps_what_it_confirmed() {
    until_the_last(PARTS_KILLS, kill_the_receiver_amid_parts);
}

fn kill_the_receiver_amid_parts(seed: u64) {
    let mut rng = seed::rng(seed);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("parts.bin");
    files::make(&file, PARTS_SIZE, seed).unwrap();
    let mut receiver = Setup::new().start();
    let proxy = narrow_proxy(&receiver);
    let client = patient(&format!("http://{}/upload", proxy.addr()));
    let mut upload = Upload::from_file(&client, &file).unwrap();
    let remote = upload.remote();
    upload.start().unwrap();
    let mut confirmed = 0;
    for _ in 0..PARTS_KILLS {
        wait_for_parts(&proxy, proxy.connections(), &mut rng);
        receiver.kill();
        let now = remote.snapshot().offset;
        assert!(now >= confirmed, "{confirmed} became {now}");
        confirmed = now;
        receiver.restart();
        proxy.set_target(receiver.addr());
    }
    assert_eq!(upload.wait(Duration::from_secs(120)), Some(Ok(())));
    files::assert_same(&file, &receiver.stored_file(&remote.id().unwrap()));
    assert!(confirmed > 0);
    let lost = proxy.bytes_up() - PARTS_SIZE;
    assert!(lost < PARTS_SIZE / 2, "{lost} bytes were sent again");
}

#[test]
fn a_receiver_that_is_killed_keeps_what_it_confirmed() {
    until_the_last(KILLS, kill_the_receiver);
}

fn kill_the_receiver(seed: u64) {
    let mut rng = seed::rng(seed);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("survivor.bin");
    files::make(&file, SIZE, seed).unwrap();
    let mut receiver = Setup::new().arg("--commit-bytes=1048576").start();
    let proxy = slow_proxy(&receiver);
    let client = patient(&format!("http://{}/upload", proxy.addr()));
    let mut upload = Upload::from_file(&client, &file).unwrap();
    let remote = upload.remote();
    upload.start().unwrap();
    let mut confirmed = 0;
    for n in 1..=KILLS {
        let until = SIZE * n / (KILLS + 1) - rng.u64(..SIZE / 20);
        while proxy.bytes_up() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        receiver.kill();
        let now = remote.snapshot().offset;
        assert!(
            now >= confirmed,
            "the offset fell from {confirmed} to {now}"
        );
        confirmed = now;
        receiver.restart();
        proxy.set_target(receiver.addr());
    }
    assert_eq!(upload.wait(Duration::from_secs(120)), Some(Ok(())));
    files::assert_same(&file, &receiver.stored_file(&remote.id().unwrap()));
    assert!(confirmed > 0);
}

#[test]
fn a_receiver_that_dies_at_a_commit_point_keeps_what_it_confirmed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("commit.bin");
    files::make(&file, 6 << 20, 3).unwrap();
    for point in ["after-write", "after-sync", "after-commit"] {
        for nth in [1, 2, 4] {
            let data = tempfile::tempdir().unwrap();
            let setup = || Setup::new().data(data.path()).arg("--commit-bytes=1048576");
            let crash = format!("{point}:{nth}");
            let mut dying = setup().env("RESUP_RECEIVER_CRASH", &crash).start();
            let proxy = ChaosProxy::clean(dying.addr());
            let client = patient(&format!("http://{}/upload", proxy.addr()));
            let mut upload = Upload::from_file(&client, &file).unwrap();
            upload
                .set_segment_size(SegmentSize::Fixed(2 << 20))
                .unwrap();
            let remote = upload.remote();
            upload.start().unwrap();
            while !dying.has_ended() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let confirmed = remote.snapshot().offset;
            drop(dying);
            let receiver = setup().start();
            proxy.set_target(receiver.addr());
            let outcome = upload.wait(Duration::from_secs(60));
            assert_eq!(outcome, Some(Ok(())), "{crash}");
            files::assert_same(&file, &receiver.stored_file(&remote.id().unwrap()));
            let sent = remote.snapshot().bytes_sent;
            assert!(
                sent <= (6 << 20) + (6 << 20) - confirmed,
                "{crash}: {sent} bytes sent although {confirmed} were confirmed"
            );
        }
    }
}
