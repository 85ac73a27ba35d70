//! SIGKILL ends the program and the real receiver again and again: what was confirmed stays, and the file is
//! complete in the end.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use resup::{Client, SegmentSize, Upload};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::receiver::{Receiver, Setup};
use resup_test_support::seed;

const SIZE: u64 = 24 << 20;

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
    let seed = seed::seed();
    let mut rng = seed::rng(seed);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("killed.bin");
    files::make(&file, SIZE, seed).unwrap();
    let receiver = Setup::new().arg("--commit-bytes=1048576").start();
    let proxy = slow_proxy(&receiver);
    let endpoint = format!("http://{}/upload", proxy.addr());
    let kills = 5;
    for n in 1..=kills {
        let mut child = start_uploader(&endpoint, &file);
        let until = SIZE * n / (kills + 1) - rng.u64(..SIZE / 20);
        while proxy.bytes_up() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "killed too late");
    }
    let output = start_uploader(&endpoint, &file).wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let value = |key: &str| {
        let at = text.find(key).unwrap() + key.len();
        text[at..].split_whitespace().next().unwrap().to_owned()
    };
    files::assert_same(&file, &receiver.stored_file(&value("id=")));
    let skipped: u64 = value("skipped=").parse().unwrap();
    assert!(skipped > SIZE / 2, "only {skipped} bytes were skipped");
    let lost = proxy.bytes_up() - SIZE;
    assert!(lost < SIZE / 2, "{lost} bytes were sent again");
}

#[test]
fn a_receiver_that_is_killed_keeps_what_it_confirmed() {
    let seed = seed::seed();
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
    for n in 1..=5 {
        let until = SIZE * n / 6 - rng.u64(..SIZE / 20);
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
