//! The static programs: files go from the command to the receiver, both in qemu where need be.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::receiver::{Receiver, Setup};

use super::platform::{all, Platform};
use super::uploads::{cutting, only_file, SIZE};

/// Returns the platforms that have programs.
fn with_programs() -> impl Iterator<Item = Platform> {
    all().filter(|platform| !platform.has_glibc())
}

/// Writes a script that runs a command with more arguments: what starts a receiver has one path for it.
pub fn script(path: &Path, command: &Command) {
    use std::os::unix::fs::PermissionsExt;
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let text = format!("#!/bin/sh\nexec {} \"$@\"\n", words.join(" "));
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Starts the platform's receiver.
fn receiver(platform: &Platform) -> Receiver {
    let binary = platform.bench.path("receiver.sh");
    script(
        &binary,
        &platform.command_alone(&platform.artifact("resup-receiver")),
    );
    let setup = Setup {
        binary: Some(binary),
        ..Setup::new()
    };
    setup.arg("--commit-bytes=1048576").start()
}

/// Makes a command that uploads a file by the platform's program.
fn put(platform: &Platform, file: &Path, url: &str) -> Command {
    let mut command = platform.command_alone(&platform.artifact("resup"));
    command.arg("put").arg(file).arg(url).arg("--json");
    command
}

fn make_file(platform: &Platform) -> PathBuf {
    let file = platform.bench.path("file.bin");
    files::make(&file, SIZE, 9).unwrap();
    file
}

#[test]
fn an_upload_goes_on_after_cuts() {
    for platform in with_programs() {
        let receiver = receiver(&platform);
        let proxy = cutting(&receiver);
        let file = make_file(&platform);
        let url = format!("http://{}/upload", proxy.addr());
        platform.run(&mut put(&platform, &file, &url));
        files::assert_same(&file, &only_file(&receiver));
        assert!(proxy.connections() > 1);
        assert!(proxy.bytes_up() < SIZE * 2, "{}", proxy.bytes_up());
    }
}

#[test]
fn an_upload_goes_on_after_both_programs_were_killed() {
    for platform in with_programs() {
        let mut receiver = receiver(&platform);
        let file = make_file(&platform);
        let faults = |_: u64, _: &mut fastrand::Rng| Faults {
            rate_up: Some(8 << 20),
            ..Faults::default()
        };
        let proxy = ChaosProxy::start(receiver.addr(), faults, 0);
        let url = format!("http://{}/upload", proxy.addr());
        let mut child = put(&platform, &file, &url).spawn().unwrap();
        while proxy.bytes_up() < SIZE / 2 {
            assert!(child.try_wait().unwrap().is_none(), "it ended too early");
            std::thread::sleep(Duration::from_millis(1));
        }
        receiver.kill();
        child.kill().unwrap();
        child.wait().unwrap();
        receiver.restart();
        let outcome = platform.run(&mut put(&platform, &file, &receiver.endpoint()));
        files::assert_same(&file, &only_file(&receiver));
        let (_, skipped) = outcome.stdout.rsplit_once("\"bytes_skipped\":").unwrap();
        assert!(!skipped.starts_with("0"), "{}", outcome.stdout);
    }
}
