//! What the log and the metrics tell of requests.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use common::accounts::{admin_ok, basic, with, PASSWORD};
use common::{head, Receiver, Upload};

/// Reads the metrics. Returns a value by its name with its labels.
fn metrics(port: u16) -> impl Fn(&str) -> f64 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    move |name| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let value = line.unwrap_or_else(|| panic!("no {name} in {text}"));
        value.parse().unwrap()
    }
}

#[test]
fn metrics_and_log_tell_who_did_what() {
    let dir = tempfile::tempdir().unwrap();
    let (data, log) = (dir.path().join("data"), dir.path().join("log"));
    admin_ok(&data, &["user", "add", "joe"], PASSWORD);
    // The port is free a moment later, too, most likely; the address is a setting that has no other way to be told.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut command = common::program(&data);
    command
        .args(["--listen", "127.0.0.1:0", "--trusted-proxy", "127.0.0.1"])
        .args(["--metrics-listen", &format!("127.0.0.1:{port}")])
        .env_remove("RUST_LOG")
        .stderr(Stdio::from(fs::File::create(&log).unwrap()));
    let receiver = Receiver::launch(command);
    let login = basic("joe", PASSWORD);
    let headers = [("Authorization", &*login), ("X-Forwarded-For", "192.0.2.7")];
    let ask = |request: Vec<u8>| receiver.exchange(&with(request, &headers));
    let before = metrics(port);
    assert_eq!(before("resup_kept_bytes"), 0.0);
    let (whole, half) = (Upload::new("whole", 1000), Upload::new("half", 900));
    let id = receiver.locate_with(&whole, &headers).id();
    let md5 = common::md5_hex(&whole.content);
    ask(whole.send(&id, 0).tail("md5", &md5).build()).expect_complete(1000);
    let half_id = receiver.locate_with(&half, &headers).id();
    assert_eq!(ask(half.send(&half_id, 0).limit(300).build()).offset(), 300);
    assert_eq!(
        ask(head("GET", &format!("/uploads/{id}/file"), "", 0)).status,
        200
    );
    let wrong = basic("joe", "wrong password");
    for headers in [
        ("Authorization", &*wrong),
        ("Authorization", "Bearer wrong"),
    ] {
        let refused = receiver.exchange(&with(head("GET", "/uploads", "", 0), &[headers]));
        assert_eq!(refused.status, 401);
    }
    assert_eq!(receiver.log_in("joe", "wrong password", &[]).status, 401);

    let now = metrics(port);
    assert_eq!(now("resup_kept_bytes"), 1300.0);
    assert!(now("resup_free_bytes") > 0.0);
    assert_eq!(now("resup_failed_logins_total"), 3.0);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        now(&format!("resup_build_info{{version=\"{version}\"}}")),
        1.0
    );
    assert_eq!(
        now("resup_requests_total{action=\"download\",status=\"200\"}"),
        1.0
    );
    assert_eq!(
        now("resup_request_duration_seconds_count{action=\"send\"}"),
        2.0
    );
    assert_eq!(
        ask(head("DELETE", &format!("/uploads/{id}"), "", 0)).status,
        204
    );
    assert_eq!(metrics(port)("resup_kept_bytes"), 300.0);

    let log = fs::read_to_string(log).unwrap();
    for action in ["locate", "send", "download", "delete"] {
        let named = format!("action=\"{action}\" client=192.0.2.7 owner=\"joe\"");
        assert!(log.contains(&named), "{action}: {log}");
    }
    assert!(
        log.contains("wrong name or password client=127.0.0.1 user=joe"),
        "{log}"
    );
    assert!(!log.contains("action=\"list\""), "{log}");
}
