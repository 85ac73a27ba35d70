//! SIGKILL ends the program and the real receiver again and again: what was confirmed stays, and the file is
//! complete in the end. `RESUP_TEST_RUNS` is the number of kills.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use resup::{Client, SegmentSize, Upload};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::receiver::{Receiver, Setup};
use resup_test_support::{runs, seed};

fn patient(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    let pause = Duration::from_millis(50);
    client.set_retry_backoff(pause, pause * 4).unwrap();
    client.set_retry_limit(200);
    client
}

/// An upload that is broken by kills.
struct Case {
    size: u64,
    kills: u64,
    setup: fn() -> Setup,
    proxy: fn(&Receiver) -> ChaosProxy,
    /// Waits for the moment of a kill: that with this number, of an upload that had so many connections before.
    wait: fn(&ChaosProxy, (u64, u64), &mut fastrand::Rng),
}

/// A file that goes up on one connection.
const ONE: Case = Case {
    size: 24 << 20,
    kills: 5,
    setup: || Setup::new().arg("--commit-bytes=1048576"),
    proxy: |receiver| {
        let faults = |_: u64, _: &mut fastrand::Rng| Faults {
            rate_up: Some(48 << 20),
            ..Faults::default()
        };
        ChaosProxy::start(receiver.addr(), faults, 0)
    },
    wait: |proxy, (number, _), rng| {
        let until = ONE.size * number / (ONE.kills + 1) - rng.u64(..ONE.size / 20);
        while proxy.bytes_up() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    },
};

/// One whose parts are on several connections.
const PARTS: Case = Case {
    size: 7 << 20,
    kills: 3,
    setup: Setup::new,
    proxy: |receiver| {
        let faults = |_: u64, _: &mut fastrand::Rng| Faults {
            rate_up: Some(500_000),
            ..Faults::default()
        };
        ChaosProxy::narrow(receiver.addr(), faults, 0)
    },
    wait: |proxy, (_, before), rng| {
        let until = Instant::now() + Duration::from_secs(60);
        while proxy.connections() < before + 2 {
            assert!(Instant::now() < until, "there is one connection only");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(rng.u64(..400)));
    },
};

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
    ONE.until_the_last(|seed| ONE.kill_the_program(seed, ONE.size / 2));
}

#[test]
fn a_program_that_was_killed_amid_parts_sends_no_part_again_that_was_confirmed() {
    PARTS.until_the_last(|seed| PARTS.kill_the_program(seed, PARTS.size / 6));
}

#[test]
fn a_receiver_that_is_killed_keeps_what_it_confirmed() {
    ONE.until_the_last(|seed| drop(ONE.kill_the_receiver(seed)));
}

#[test]
fn a_receiver_that_is_killed_amid_parts_keeps_what_it_confirmed() {
    PARTS.until_the_last(|seed| {
        let lost = PARTS.kill_the_receiver(seed).bytes_up() - PARTS.size;
        assert!(lost < PARTS.size / 2, "{lost} bytes were sent again");
    });
}

impl Case {
    /// Runs `kill` until there were as many kills as wanted.
    fn until_the_last(&self, kill: impl Fn(u64)) {
        let seed = seed::seed();
        let uploads = runs::count(self.kills).div_ceil(self.kills);
        (0..uploads).for_each(|n| kill(seed.wrapping_add(n)));
    }

    /// Kills the program again and again. Before its last run, more than `least` bytes are there.
    fn kill_the_program(&self, seed: u64, least: u64) {
        let mut rng = seed::rng(seed);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("killed.bin");
        files::make(&file, self.size, seed).unwrap();
        let receiver = (self.setup)().start();
        let proxy = (self.proxy)(&receiver);
        let endpoint = format!("http://{}/upload", proxy.addr());
        for number in 1..=self.kills {
            let before = proxy.connections();
            let mut child = start_uploader(&endpoint, &file);
            (self.wait)(&proxy, (number, before), &mut rng);
            child.kill().unwrap();
            assert!(!child.wait().unwrap().success(), "killed too late");
        }
        let skipped = end(&endpoint, &file, &receiver);
        assert!(skipped > least, "only {skipped} bytes were skipped");
        let lost = proxy.bytes_up() - self.size;
        assert!(lost < self.size / 2, "{lost} bytes were sent again");
    }

    /// Kills the receiver again and again. Gives the proxy before it.
    fn kill_the_receiver(&self, seed: u64) -> ChaosProxy {
        let mut rng = seed::rng(seed);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("survivor.bin");
        files::make(&file, self.size, seed).unwrap();
        let mut receiver = (self.setup)().start();
        let proxy = (self.proxy)(&receiver);
        let client = patient(&format!("http://{}/upload", proxy.addr()));
        let mut upload = Upload::from_file(&client, &file).unwrap();
        let remote = upload.remote();
        upload.start().unwrap();
        let mut confirmed = 0;
        for number in 1..=self.kills {
            (self.wait)(&proxy, (number, proxy.connections()), &mut rng);
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
        proxy
    }
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
