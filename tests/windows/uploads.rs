//! Uploads that lose their connections, are killed, go over TLS, or are too large for 32 bits.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::model::ModelReceiver;
use resup_test_support::receiver::{Receiver, Setup};
use resup_test_support::scripted::{json, reply, End, Read, ScriptedServer, Step};
use resup_test_support::tls::{Authority, Identity};

use super::one::Report;
use super::wine::{both, Wine};

/// The program `one.c` for Windows.
pub struct One<'a> {
    wine: &'a Wine,
    program: PathBuf,
}

/// Builds it, linked as MSVC's programs are.
pub fn one(wine: &Wine) -> One<'_> {
    let program = wine.build("one", &["one.c"], "resup.lib");
    One { wine, program }
}

impl One<'_> {
    pub fn upload(&self, url: &str, size: u64, settings: &[&str]) -> Report {
        let file = self.wine.bench.path(&format!("{size}.bin"));
        files::make(&file, size, 5).unwrap();
        self.upload_file(url, &file, settings)
    }

    fn upload_file(&self, url: &str, file: &Path, settings: &[&str]) -> Report {
        let mut command = self.wine.command(&self.program);
        let outcome = self.wine.run(command.arg(url).arg(file).args(settings));
        // Windows ends lines in its own way.
        Report(outcome.stdout.replace('\r', ""))
    }
}

fn only_file(receiver: &Receiver) -> PathBuf {
    let entries = std::fs::read_dir(receiver.data().join("files")).unwrap();
    let files: Vec<_> = entries.map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

const SIZE: u64 = 24 << 20;

#[test]
fn an_upload_goes_on_after_cuts() {
    for wine in both() {
        let receiver = Setup::new().arg("--commit-bytes=1048576").start();
        let faults = |number: u64, _: &mut fastrand::Rng| Faults {
            cut_up_after: (number < 3).then_some(SIZE / 4),
            ..Faults::default()
        };
        let proxy = ChaosProxy::start(receiver.addr(), faults, 0);
        let url = format!("http://{}/upload", proxy.addr());
        let report = one(&wine).upload(&url, SIZE, &["client_set_retry_backoff", "1,50"]);
        assert_eq!(report.number("status"), 0, "{report:?}");
        assert!(report.number("attempts") > 1, "{report:?}");
        let file = wine.bench.path(&format!("{SIZE}.bin"));
        files::assert_same(&file, &only_file(&receiver));
        assert!(proxy.bytes_up() < SIZE * 2, "{}", proxy.bytes_up());
    }
}

/// Starts a proxy by which an upload takes a second or more.
fn slow(receiver: SocketAddr) -> ChaosProxy {
    let faults = |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(12 << 20),
        ..Faults::default()
    };
    ChaosProxy::start(receiver, faults, 0)
}

#[test]
fn an_upload_goes_on_after_its_program_was_killed() {
    for wine in both() {
        let receiver = Setup::new().arg("--commit-bytes=1048576").start();
        let proxy = slow(receiver.addr());
        let url = format!("http://{}/upload", proxy.addr());
        let one = one(&wine);
        let file = wine.bench.path("killed.bin");
        files::make(&file, SIZE, 7).unwrap();
        for n in 1..=2 {
            let mut command = wine.command(&one.program);
            let mut child = command.arg(&url).arg(&file).spawn().unwrap();
            while proxy.bytes_up() < SIZE * n / 3 {
                assert!(child.try_wait().unwrap().is_none(), "it ended too early");
                std::thread::sleep(Duration::from_millis(1));
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let report = one.upload_file(&url, &file, &["client_set_retry_backoff", "1,50"]);
        assert_eq!(report.number("status"), 0, "{report:?}");
        files::assert_same(&file, &only_file(&receiver));
        assert!(proxy.bytes_up() < SIZE * 3 / 2, "{}", proxy.bytes_up());
    }
}

#[test]
fn only_an_authority_that_was_set_is_trusted() {
    for wine in both() {
        let one = one(&wine);
        let ca = wine.bench.path("ca.pem");
        let path = ca.to_str().unwrap();
        for (settings, status) in [
            (&[][..], 54),
            (&["client_set_trust", "1"], 54),
            (&["client_set_ca_file", path], 0),
            (&["client_set_ca_file_utf16", path], 0),
            (&["client_set_tls_verify", "0"], 0),
        ] {
            let server =
                ScriptedServer::start_tls(vec![Step::reply(200, &json("complete", 1000, "k"))]);
            std::fs::write(&ca, server.ca_pem()).unwrap();
            let report = one.upload(&server.endpoint(), 1000, settings);
            assert_eq!(report.number("status"), status, "{settings:?}: {report:?}");
        }
    }
}

#[test]
fn an_unusual_fault_in_a_certificate_is_named() {
    let authority = Authority::new();
    for wine in both() {
        let wrong = Identity::of(authority.certify_as_authority(), &authority);
        let server = ModelReceiver::start_tls(wrong);
        let ca = wine.bench.path("ca.pem");
        std::fs::write(&ca, authority.pem()).unwrap();
        let settings = ["client_set_ca_file", ca.to_str().unwrap()];
        let report = one(&wine).upload(&server.endpoint(), 1000, &settings);
        assert_eq!(report.number("status"), 54, "{report:?}");
        let error = report.text("error");
        assert!(
            error.contains(
                "certificate is a CA's or signed by itself, and none of the trusted ones"
            ),
            "{report:?}"
        );
    }
}

#[test]
fn a_file_that_is_rewritten_with_its_time_put_back_is_noticed() {
    for wine in both() {
        let receiver = Receiver::start();
        let proxy = slow(receiver.addr());
        let url = format!("http://{}/upload", proxy.addr());
        let one = one(&wine);
        let path = wine.bench.path("rewritten.bin");
        files::make(&path, SIZE, 7).unwrap();
        let rewritten = std::thread::scope(|scope| {
            scope.spawn(|| {
                while proxy.bytes_up() < SIZE / 4 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                let file = std::fs::File::options().write(true).open(&path).unwrap();
                let time = file.metadata().unwrap().modified().unwrap();
                std::os::unix::fs::FileExt::write_all_at(&file, b"new", 0).unwrap();
                file.set_modified(time).unwrap();
            });
            one.upload_file(&url, &path, &["client_set_retry_limit", "0"])
        });
        assert_eq!(rewritten.number("status"), 34, "{rewritten:?}");
        let error = rewritten.text("error");
        assert!(error.contains("its bytes are others"), "{rewritten:?}");
    }
}

/// The stall limit is 60 s here.
#[test]
fn a_refusal_while_a_write_is_blocked_is_noticed() {
    for wine in both() {
        let new = json("new", 0, "k");
        let full = (507, r#"{"message":"full"}"#);
        let server = ScriptedServer::start_with(move |head, _| match head.boundary() {
            None => Step::reply(200, &new),
            // It reads no more when the client has filled all buffers.
            Some(_) => Step::new()
                .read(Read::HeadAndBodyBytes(1))
                .wait(Duration::from_secs(1))
                .write(reply(full.0, full.1))
                .end(End::HoldOpen),
        });
        let began = std::time::Instant::now();
        let settings = ["client_set_retry_limit", "0"];
        let report = one(&wine).upload(&server.endpoint(), 3 * SIZE, &settings);
        assert_eq!(report.text("message"), "full", "{report:?}");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(30), "{took:?}");
    }
}

/// A little more than 32 bits can count.
const HUGE: u64 = (4 << 30) + (3 << 20) + 7;

fn huge_file(wine: &Wine) -> PathBuf {
    let path = wine.bench.path("huge.bin");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(HUGE).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &files::bytes(1 << 20, 9), HUGE - (1 << 20))
        .unwrap();
    path
}

#[test]
fn an_upload_goes_on_past_4_gib() {
    for wine in both() {
        let file = huge_file(&wine);
        let from = HUGE - (1 << 20);
        let server = ScriptedServer::start_with(move |head, _| match head.boundary() {
            None => Step::reply(200, &json("partial", from, "k")),
            Some(_) => Step::reply(200, &json("complete", HUGE, "k")),
        });
        let settings = ["upload_set_digest", "0"];
        let report = one(&wine).upload_file(&server.endpoint(), &file, &settings);
        assert_eq!(report.number("status"), 0, "{report:?}");
        let requests = server.requests();
        assert_eq!(requests[0].field("size"), Some(HUGE.to_string()));
        let send = &requests[1];
        assert!(send.body_text().contains(&from.to_string()), "its offset");
        let tail = files::bytes(1 << 20, 9);
        let found = send.body.windows(4096).any(|part| part == &tail[..4096]);
        assert!(found, "the bytes from there on");
    }
}

#[test]
fn a_file_of_more_than_4_gib_arrives() {
    let wine = both().last().unwrap();
    let file = huge_file(&wine);
    let receiver = Receiver::start();
    let report = one(&wine).upload_file(&receiver.endpoint(), &file, &[]);
    assert_eq!(report.number("status"), 0, "{report:?}");
    let stored = only_file(&receiver);
    assert_eq!(std::fs::metadata(&stored).unwrap().len(), HUGE);
    // The receiver has compared the MD5 of the whole.
    let tail = |path: &Path| {
        let mut bytes = vec![0; 2 << 20];
        let file = std::fs::File::open(path).unwrap();
        let at = HUGE - bytes.len() as u64;
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, at).unwrap();
        bytes
    };
    assert!(tail(&stored) == tail(&file));
}
