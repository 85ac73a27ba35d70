//! Uploads to the servlet of `examples/receivers/tomcat` in a real Tomcat: through cuts and kills, and complete in the
//! end.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use resup::{Client, DigestMode, SegmentSize, Upload};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::form_table::{check, Reader, ODD_NAMES};
use resup_test_support::seed;
use resup_test_support::tomcat::{Setup, Tomcat};

const SIZE: u64 = 50_000_000;

fn patient(proxy: &ChaosProxy) -> Client {
    let client = Client::new(&format!("http://{}/resup/upload", proxy.addr())).unwrap();
    let pause = Duration::from_millis(50);
    client.set_retry_backoff(pause, pause * 4).unwrap();
    client.set_retry_limit(1000);
    client
}

struct File {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

fn file(size: u64, seed: u64) -> File {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("文件.bin");
    files::make(&path, size, seed).unwrap();
    File { _dir: dir, path }
}

fn assert_stored(tomcat: &Tomcat, upload: &Upload, file: &File) {
    let id = upload.remote().id().unwrap();
    files::assert_same(&file.path, &tomcat.stored_file(&id));
}

#[test]
fn an_upload_of_50_mb_goes_on_after_every_cut() {
    let seed = seed::seed();
    let Some(tomcat) = Setup::new().start() else {
        return;
    };
    let mut left = 6;
    let faults = move |_: u64, rng: &mut fastrand::Rng| {
        let cut = left > 0;
        left -= u32::from(cut);
        Faults {
            // Six of them are less than the file.
            cut_up_after: cut.then(|| rng.u64(6_000_000..8_000_000)),
            how: if rng.bool() { Cut::Rst } else { Cut::Fin },
            // Tomcat reads as fast as this: a reset would destroy what it has not read yet.
            rate_up: cut.then_some(8 << 20),
            ..Faults::default()
        }
    };
    let proxy = ChaosProxy::start(tomcat.addr(), faults, seed);
    let file = file(SIZE, seed);
    let mut upload = Upload::from_file(&patient(&proxy), &file.path).unwrap();
    upload.run().unwrap();
    assert_stored(&tomcat, &upload, &file);
    assert_eq!(upload.remote().snapshot().attempts, 7);
    let lost = proxy.bytes_up() - SIZE;
    assert!(lost < SIZE / 5, "{lost} bytes were sent again");
}

#[test]
fn a_tomcat_that_is_killed_keeps_what_it_confirmed() {
    let seed = seed::seed();
    let mut rng = seed::rng(seed);
    let setup = Setup::new().set("commit_bytes", "1048576");
    let Some(mut tomcat) = setup.start() else {
        return;
    };
    let faults = |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(16 << 20),
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(tomcat.addr(), faults, seed);
    let file = file(SIZE, seed);
    let mut upload = Upload::from_file(&patient(&proxy), &file.path).unwrap();
    let remote = upload.remote();
    upload.start().unwrap();
    let kills = 3;
    let mut confirmed = 0;
    for n in 1..=kills {
        let until = SIZE * n / (kills + 1) - rng.u64(..SIZE / 20);
        while proxy.bytes_up() < until {
            assert!(upload.wait(Duration::from_millis(1)).is_none());
        }
        tomcat.kill();
        let now = remote.snapshot().offset;
        assert!(
            now >= confirmed,
            "the offset fell from {confirmed} to {now}"
        );
        confirmed = now;
        tomcat.restart();
        proxy.set_target(tomcat.addr());
    }
    assert_eq!(upload.wait(Duration::from_secs(300)), Some(Ok(())));
    assert_stored(&tomcat, &upload, &file);
    assert!(confirmed > 0);
    let lost = proxy.bytes_up() - SIZE;
    assert!(lost < SIZE / 2, "{lost} bytes were sent again");
}

#[test]
fn an_upload_goes_on_after_a_kill_and_a_copy_needs_no_bytes() {
    let Some(mut tomcat) = Setup::new().set("max_segment", "400000").start() else {
        return;
    };
    let proxy = ChaosProxy::clean(tomcat.addr());
    let client = patient(&proxy);
    let file = file(2_000_000, 5);
    let mut first = Upload::from_file(&client, &file.path).unwrap();
    first.set_segment_size(SegmentSize::Fixed(100_000)).unwrap();
    let remote = first.remote();
    remote.set_rate_limit(500_000);
    first.start().unwrap();
    while remote.snapshot().offset < 500_000 {
        assert!(first.wait(Duration::from_millis(1)).is_none());
    }
    remote.cancel();
    assert!(matches!(first.wait(Duration::MAX), Some(Err(_))));
    tomcat.restart();
    proxy.set_target(tomcat.addr());

    let mut second = Upload::from_file(&client, &file.path).unwrap();
    second.run().unwrap();
    assert_stored(&tomcat, &second, &file);
    assert!(second.remote().snapshot().bytes_skipped >= 500_000);

    let mut copy = Upload::from_file(&client, &file.path).unwrap();
    copy.set_name("copy.bin").unwrap();
    copy.set_digest(DigestMode::First).unwrap();
    copy.run().unwrap();
    assert_stored(&tomcat, &copy, &file);
    assert_eq!(copy.remote().snapshot().bytes_sent, 0);
}

#[test]
fn forms_are_taken_or_refused_as_the_table_says() {
    if let Some(tomcat) = Setup::new().start() {
        check(tomcat.addr(), "/resup/upload", Reader::Own);
    }
}

#[test]
fn a_signed_form_may_have_fields_of_any_name() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "geheim").unwrap();
    let setup = Setup::new().set("secret_file", &secret.display().to_string());
    let Some(tomcat) = setup.start() else {
        return;
    };
    let client = Client::new(&tomcat.endpoint()).unwrap();
    client.set_signing_secret(b"geheim").unwrap();
    let file = file(1000, 1);
    let mut upload = Upload::from_file(&client, &file.path).unwrap();
    for name in ODD_NAMES {
        upload.set_field(name, name).unwrap();
    }
    upload.run().unwrap();
    assert_stored(&tomcat, &upload, &file);
}

#[test]
fn a_segment_that_the_protocol_does_not_know_is_refused_at_the_start() {
    for (value, message) in [
        ("999", "at least 1000 bytes"),
        ("18446744073709551615", "give a number of bytes"),
    ] {
        let Some(tomcat) = Setup::new().set("max_segment", value).start() else {
            return;
        };
        // Tomcat takes connections before it has written why an application did not start.
        let mut log = tomcat.log();
        for _ in 0..600 {
            if log.contains(message) || log.contains("Server startup in") {
                break;
            }
            thread::sleep(Duration::from_millis(100));
            log = tomcat.log();
        }
        assert!(log.contains(message), "{value}:\n{log}");
    }
}
