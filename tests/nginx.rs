//! Uploads through a real nginx, with its size limit, its buffering and its failures.

use std::path::PathBuf;
use std::time::Duration;

use resup::{Client, SegmentSize, Upload, UploadState};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::nginx::Nginx;
use resup_test_support::receiver::Receiver;

fn client(addr: std::net::SocketAddr) -> Client {
    let client = Client::new(&format!("http://{addr}/upload")).unwrap();
    let short = Duration::from_millis(5);
    client.set_retry_backoff(short, short * 40).unwrap();
    client.set_retry_limit(20);
    client
}

struct File {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

fn file(size: u64) -> File {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file.bin");
    files::make(&path, size, 21).unwrap();
    File { _dir: dir, path }
}

fn assert_stored(receiver: &Receiver, upload: &Upload, file: &File) {
    assert_eq!(upload.remote().snapshot().state, UploadState::Complete);
    let id = upload.remote().id().unwrap();
    files::assert_same(&file.path, &receiver.stored_file(&id));
}

/// Starts a proxy that cuts the first `times` connections after so many bytes each.
fn cutting_proxy(target: std::net::SocketAddr, times: usize, after: u64) -> ChaosProxy {
    let mut left = times;
    let faults = move |_: u64, _: &mut fastrand::Rng| {
        let cut = left > 0;
        left = left.saturating_sub(1);
        Faults {
            cut_up_after: cut.then_some(after),
            how: Cut::Rst,
            // nginx reads as fast as this: a reset would destroy what it has not read yet.
            rate_up: cut.then_some(48 << 20),
            ..Faults::default()
        }
    };
    ChaosProxy::start(target, faults, 0)
}

#[test]
fn a_body_limit_of_1_mb_is_met_by_smaller_segments_and_remembered() {
    let receiver = Receiver::start();
    let limit = "client_max_body_size 1m;";
    let Some(nginx) = Nginx::start(receiver.addr(), limit) else {
        return;
    };
    let client = client(nginx.addr());
    let file = file(5_500_000);
    let mut upload = Upload::from_file(&client, &file.path).unwrap();
    upload.run().unwrap();
    assert_stored(&receiver, &upload, &file);
    let first = upload.remote().snapshot();
    // Refused by their heads: 5.5 MB, then half of it and so on, until less than 1 MiB; no byte is sent in vain.
    assert_eq!(first.attempts, 1 + 3);
    assert_eq!(first.bytes_sent, 5_500_000);

    let mut second = Upload::from_file(&client, &file.path).unwrap();
    second.set_name("another.bin").unwrap();
    second.run().unwrap();
    assert_stored(&receiver, &second, &file);
    assert_eq!(second.remote().snapshot().attempts, 1);
}

#[test]
fn behind_a_buffering_nginx_a_lost_connection_costs_one_segment() {
    let receiver = Receiver::start();
    let Some(nginx) = Nginx::start(receiver.addr(), "client_max_body_size 0;") else {
        return;
    };
    for (name, segment) in [
        ("fixed", SegmentSize::Fixed(500_000)),
        ("automatic", SegmentSize::Automatic),
    ] {
        let proxy = cutting_proxy(nginx.addr(), 4, 1_300_000);
        let client = client(proxy.addr());
        let file = file(8_000_000);
        let mut upload = Upload::from_file(&client, &file.path).unwrap();
        upload.set_name(name).unwrap();
        upload.set_segment_size(segment).unwrap();
        upload.run().unwrap();
        assert_stored(&receiver, &upload, &file);
        let now = upload.remote().snapshot();
        assert_eq!(now.attempts, 5, "{name}");
        if name == "fixed" {
            assert!(now.bytes_sent <= 8_000_000 + 4 * 500_000, "{now:?}");
        }
    }
}

/// Makes a client with the default settings, but for short waits.
fn default_client(addr: std::net::SocketAddr) -> Client {
    let client = Client::new(&format!("http://{addr}/upload")).unwrap();
    let short = Duration::from_millis(5);
    client.set_retry_backoff(short, short * 40).unwrap();
    client
}

#[test]
fn a_line_that_breaks_before_a_buffering_nginx_needs_no_settings() {
    let receiver = Receiver::start();
    let Some(nginx) = Nginx::start(receiver.addr(), "client_max_body_size 0;") else {
        return;
    };
    for breaks_after in [3_000_000, 300_000] {
        let proxy = cutting_proxy(nginx.addr(), usize::MAX, breaks_after);
        let client = default_client(proxy.addr());
        let file = file(8_000_000);
        let mut upload = Upload::from_file(&client, &file.path).unwrap();
        upload.set_name(&breaks_after.to_string()).unwrap();
        let result = upload.run();
        assert_eq!(result, Ok(()), "{breaks_after}");
        assert_stored(&receiver, &upload, &file);
        let up = proxy.bytes_up();
        assert!(up < 3 * 8_000_000, "{breaks_after}: {up}");
    }
}

#[test]
fn a_limit_that_is_told_in_other_words_than_413_needs_no_settings() {
    let receiver = Receiver::start();
    // 444 is a close without a response.
    for status in [400, 500, 502, 504, 444] {
        let limit = format!(
            "client_max_body_size 0;\nif ($http_content_length ~ \"^[0-9]{{7}}\") {{ return {status}; }}"
        );
        let Some(nginx) = Nginx::start(receiver.addr(), &limit) else {
            return;
        };
        let client = default_client(nginx.addr());
        let file = file(5_500_000);
        let mut upload = Upload::from_file(&client, &file.path).unwrap();
        upload.set_name(&status.to_string()).unwrap();
        assert_eq!(upload.run(), Ok(()), "{status}");
        assert_stored(&receiver, &upload, &file);
    }
}

#[test]
fn behind_an_nginx_without_buffering_a_lost_connection_costs_what_was_on_its_way() {
    let receiver = Receiver::start();
    let stream = "client_max_body_size 0;\nproxy_request_buffering off;";
    let Some(nginx) = Nginx::start(receiver.addr(), stream) else {
        return;
    };
    let proxy = cutting_proxy(nginx.addr(), 3, 3_000_000);
    let client = client(proxy.addr());
    let file = file(16_000_000);
    let mut upload = Upload::from_file(&client, &file.path).unwrap();
    upload.run().unwrap();
    assert_stored(&receiver, &upload, &file);
    let now = upload.remote().snapshot();
    // From 0 on each time would be 16 MB and three times what the kernel takes (some MB).
    assert_eq!(now.attempts, 4);
    assert!(proxy.bytes_up() < 17_000_000, "{}", proxy.bytes_up());
}

#[test]
fn a_receiver_that_is_down_behind_nginx_is_waited_for() {
    let mut receiver = Receiver::start();
    // A fixed address for a receiver that has another port after each start.
    let proxy = ChaosProxy::clean(receiver.addr());
    let every = "client_max_body_size 0;\nkeepalive_requests 1;";
    let Some(nginx) = Nginx::start(proxy.addr(), every) else {
        return;
    };
    let client = client(nginx.addr());
    client.set_retry_limit(1000);
    let file = file(3_000_000);
    let mut upload = Upload::from_file(&client, &file.path).unwrap();
    let segment = SegmentSize::Fixed(200_000);
    upload.set_segment_size(segment).unwrap();
    let remote = upload.remote();
    remote.set_rate_limit(4_000_000);
    upload.start().unwrap();
    while remote.snapshot().offset < 600_000 {
        assert!(upload.wait(Duration::from_millis(1)).is_none());
    }
    receiver.kill();
    proxy.cut_all();
    while remote.snapshot().http_status != Some(502) {
        assert!(upload.wait(Duration::from_millis(1)).is_none());
    }
    let excerpt = |upload: &Upload| upload.remote().server_excerpt();
    while excerpt(&upload).is_none() {
        assert!(upload.wait(Duration::from_millis(1)).is_none());
    }
    assert!(excerpt(&upload).unwrap().contains("Bad Gateway"));
    receiver.restart();
    proxy.set_target(receiver.addr());
    remote.set_rate_limit(0);
    assert_eq!(upload.wait(Duration::MAX), Some(Ok(())));
    assert_stored(&receiver, &upload, &file);
    assert!(remote.snapshot().bytes_sent <= 3_000_000 + 400_000);
}

#[test]
fn connections_that_nginx_does_not_keep_cost_no_attempt() {
    for keep in [
        "keepalive_timeout 0;",
        "keepalive_requests 1;",
        "keepalive_timeout 50ms;",
    ] {
        let receiver = Receiver::start();
        let Some(nginx) = Nginx::start(receiver.addr(), keep) else {
            return;
        };
        let (client, file) = (client(nginx.addr()), file(1_000_000));
        for name in ["first", "second", "third"] {
            let mut upload = Upload::from_file(&client, &file.path).unwrap();
            upload.set_name(name).unwrap();
            upload
                .set_segment_size(SegmentSize::Fixed(200_000))
                .unwrap();
            upload.run().unwrap();
            assert_stored(&receiver, &upload, &file);
            assert_eq!(upload.remote().snapshot().attempts, 1, "{keep} {name}");
            // Long enough for the last one to close the idle connection.
            std::thread::sleep(Duration::from_millis(150));
        }
    }
}
