//! Uploads by the library that lose their connections, are killed, or go over TLS.

use std::path::{Path, PathBuf};
use std::time::Duration;

use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::receiver::{Receiver, Setup};
use resup_test_support::scripted::{json, ScriptedServer, Step};

use super::harness::{finish, root};
use super::one::Report;
use super::platform::{all, Platform};

pub const SIZE: u64 = 24 << 20;

/// Uploads a file by the program `one.c`.
fn upload(platform: &Platform, program: &Path, url: &str, size: u64, more: &[&str]) -> Report {
    let file = platform.bench.path(&format!("{size}.bin"));
    files::make(&file, size, 5).unwrap();
    let mut command = platform.command(program);
    let outcome = platform.run(command.arg(url).arg(file).args(more));
    Report(outcome.stdout)
}

pub fn only_file(receiver: &Receiver) -> PathBuf {
    let entries = std::fs::read_dir(receiver.data().join("files")).unwrap();
    let files: Vec<_> = entries.map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// Starts a proxy that cuts the first connections after a quarter of the file.
pub fn cutting(receiver: &Receiver) -> ChaosProxy {
    let faults = |number: u64, _: &mut fastrand::Rng| Faults {
        cut_up_after: (number < 3).then_some(SIZE / 4),
        ..Faults::default()
    };
    ChaosProxy::start(receiver.addr(), faults, 0)
}

#[test]
fn an_upload_goes_on_after_cuts() {
    for platform in all() {
        let receiver = Setup::new().arg("--commit-bytes=1048576").start();
        let proxy = cutting(&receiver);
        let url = format!("http://{}/upload", proxy.addr());
        let one = platform.build("one", &["one.c"]);
        let settings = ["client_set_retry_backoff", "1,50"];
        let report = upload(&platform, &one, &url, SIZE, &settings);
        assert_eq!(report.number("status"), 0, "{report:?}");
        assert!(report.number("attempts") > 1, "{report:?}");
        let file = platform.bench.path(&format!("{SIZE}.bin"));
        files::assert_same(&file, &only_file(&receiver));
        assert!(proxy.bytes_up() < SIZE * 2, "{}", proxy.bytes_up());
    }
}

#[test]
fn an_upload_goes_on_after_its_program_was_killed() {
    for platform in all() {
        let receiver = Setup::new().arg("--commit-bytes=1048576").start();
        let faults = |_: u64, _: &mut fastrand::Rng| Faults {
            rate_up: Some(12 << 20),
            ..Faults::default()
        };
        let proxy = ChaosProxy::start(receiver.addr(), faults, 0);
        let url = format!("http://{}/upload", proxy.addr());
        let one = platform.build("one", &["one.c"]);
        let file = platform.bench.path(&format!("{SIZE}.bin"));
        files::make(&file, SIZE, 5).unwrap();
        for n in 1..=2 {
            let mut command = platform.command(&one);
            let mut child = command.arg(&url).arg(&file).spawn().unwrap();
            while proxy.bytes_up() < SIZE * n / 3 {
                assert!(child.try_wait().unwrap().is_none(), "it ended too early");
                std::thread::sleep(Duration::from_millis(1));
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let settings = ["client_set_retry_backoff", "1,50"];
        let report = upload(&platform, &one, &url, SIZE, &settings);
        assert_eq!(report.number("status"), 0, "{report:?}");
        files::assert_same(&file, &only_file(&receiver));
        assert!(proxy.bytes_up() < SIZE * 3 / 2, "{}", proxy.bytes_up());
    }
}

#[test]
fn only_an_authority_that_was_set_is_trusted() {
    for platform in all() {
        let one = platform.build("one", &["one.c"]);
        let ca = platform.bench.path("ca.pem");
        for (settings, status) in [
            (&[][..], 54),
            (&["client_set_ca_file", ca.to_str().unwrap()], 0),
        ] {
            let complete = Step::reply(200, &json("complete", 1000, "k"));
            let server = ScriptedServer::start_tls(vec![complete]);
            std::fs::write(&ca, server.ca_pem()).unwrap();
            let report = upload(&platform, &one, &server.endpoint(), 1000, settings);
            assert_eq!(report.number("status"), status, "{settings:?}: {report:?}");
        }
    }
}

#[test]
fn a_program_is_linked_with_the_static_library() {
    for platform in all() {
        let receiver = Receiver::start();
        let program = platform.bench.path("static");
        let mut cc = platform.compiler();
        cc.arg(root().join("examples/c/upload.c"));
        cc.arg(platform.artifact("libresup.a"));
        let libraries = std::fs::read_to_string(platform.artifact("native-libs")).unwrap();
        finish(cc.args(libraries.split_whitespace()), &program);
        let file = platform.bench.path("file.bin");
        files::make(&file, 3 << 20, 2).unwrap();
        let mut command = platform.command(&program);
        platform.run(command.arg(receiver.endpoint()).arg(&file));
        files::assert_same(&file, &only_file(&receiver));
    }
}
