//! The receiver as those who run it see it: TLS, health, metrics, log.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use resup::{Client, ErrorKind, Upload};
use resup_test_support::receiver::{self, Receiver, Setup};
use resup_test_support::tls::{Authority, Certificate};
use resup_test_support::tools;

use common::{client, make_file};

/// Starts a receiver that shows this certificate.
fn secured(dir: &Path, certificate: &Certificate) -> Receiver {
    let (pem, key) = certificate.write(dir, "server");
    let setup = Setup::new().arg("--tls-cert").arg(pem);
    setup.arg("--tls-key").arg(key).start()
}

fn trusting(receiver: &Receiver, authority: &Authority) -> Client {
    let client = client(&receiver.endpoint());
    client.set_ca_pem(authority.pem()).unwrap();
    client
}

fn upload(client: &Client, name: &str) -> Result<String, resup::Error> {
    let dir = tempfile::tempdir().unwrap();
    let mut upload = Upload::from_file(client, make_file(&dir, name, 3_000_000))?;
    // One send, not parts.
    upload.set_connections(1)?;
    upload.run()?;
    Ok(upload.remote().id().unwrap())
}

/// Waits for a line in the receiver's log.
fn wait_for_line(receiver: &Receiver, what: &str) -> String {
    receiver.wait_for(what, |line| line.contains(what))
}

fn hang_up(receiver: &Receiver) {
    tools::signal(receiver.pid().unwrap(), "HUP");
}

#[test]
fn the_receiver_serves_tls() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let receiver = secured(dir.path(), &authority.certify());
    assert!(receiver.endpoint().starts_with("https://"));
    let id = upload(&trusting(&receiver, &authority), "secured").unwrap();
    assert_eq!(
        receiver.stored_file(&id).metadata().unwrap().len(),
        3_000_000
    );
    let stranger = upload(&trusting(&receiver, &Authority::new()), "x").unwrap_err();
    assert_eq!(stranger.kind(), ErrorKind::Tls, "{stranger}");
}

#[test]
fn sighup_loads_renewed_certificates_and_no_broken_ones() {
    let (dir, old, new) = (
        tempfile::tempdir().unwrap(),
        Authority::new(),
        Authority::new(),
    );
    let receiver = secured(dir.path(), &old.certify());
    upload(&trusting(&receiver, &old), "old").unwrap();

    std::fs::write(dir.path().join("server.pem"), "nothing").unwrap();
    hang_up(&receiver);
    let line = wait_for_line(&receiver, "the old certificates stay");
    assert!(line.contains("server.pem"), "{line}");
    upload(&trusting(&receiver, &old), "still-old").unwrap();

    new.certify().write(dir.path(), "server");
    hang_up(&receiver);
    wait_for_line(&receiver, "certificates read again");
    upload(&trusting(&receiver, &new), "new").unwrap();
    let outdated = upload(&trusting(&receiver, &old), "old-again").unwrap_err();
    assert_eq!(outdated.kind(), ErrorKind::Tls, "{outdated}");
}

#[test]
fn a_receiver_without_tls_ignores_sighup() {
    let mut receiver = Receiver::start();
    hang_up(&receiver);
    wait_for_line(&receiver, "SIGHUP");
    assert!(!receiver.has_ended());
    upload(&client(&receiver.endpoint()), "after").unwrap();
}

#[test]
fn a_certificate_that_cannot_be_used_is_an_error_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let (pem, key) = Authority::new().certify().write(dir.path(), "one");
    let (_, other) = Authority::new().certify().write(dir.path(), "other");
    let missing = dir.path().join("missing.pem");
    for (certificate, key, named) in [
        (&missing, &key, "missing.pem"),
        (&key, &key, "one.key: it contains no certificate"),
        (&pem, &pem, "one.pem: it contains no private key"),
        (&pem, &other, "other.key: it cannot be used with"),
    ] {
        let output = Command::new(receiver::binary())
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(dir.path().join("data"))
            .arg("--tls-cert")
            .arg(certificate)
            .arg("--tls-key")
            .arg(key)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(named), "{text}");
    }
}

#[test]
fn healthz_reports_what_is_wrong() {
    let receiver = Receiver::start();
    let url = format!("http://{}/healthz", receiver.addr());
    let healthy = ureq::get(&url).call().unwrap();
    assert_eq!(healthy.status(), 200);
    // Root may write everywhere, but not into a directory that is gone.
    std::fs::remove_dir(receiver.data().join("partial")).unwrap();
    // A probe may have been made a moment ago.
    let begun = Instant::now();
    let failing = loop {
        match ureq::get(&url).call() {
            Err(failing) => break failing,
            Ok(_) => assert!(begun.elapsed() < Duration::from_secs(60)),
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(matches!(failing, ureq::Error::StatusCode(503)), "{failing}");
    wait_for_line(&receiver, "not healthy: files");
}

#[test]
fn healthz_serves_many_at_once() {
    let receiver = Receiver::start();
    let url = format!("http://{}/healthz", receiver.addr());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let agent = ureq::agent();
                for _ in 0..300 {
                    assert_eq!(agent.get(&url).call().unwrap().status(), 200);
                }
            });
        }
    });
}

#[test]
fn metrics_have_an_address_of_their_own() {
    let setup = Setup::new().arg("--metrics-listen").arg("127.0.0.1:0");
    let receiver = setup.start();
    upload(&client(&receiver.endpoint()), "counted").unwrap();
    let line = wait_for_line(&receiver, "metrics on ");
    let (_, url) = line.split_once("metrics on ").unwrap();
    let response = ureq::get(url).call().unwrap();
    let text = response.into_body().read_to_string().unwrap();
    for wanted in [
        "resup_requests_total{action=\"locate\",status=\"200\"} 1\n",
        "resup_requests_total{action=\"send\",status=\"200\"} 1\n",
        "resup_received_bytes_total 3000000\n",
        "resup_active_uploads 0\n",
        "# EOF\n",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    let public = format!("http://{}/metrics", receiver.addr());
    let nothing = ureq::get(&public).call().unwrap_err();
    assert!(matches!(nothing, ureq::Error::StatusCode(404)), "{nothing}");
}

#[test]
fn the_log_has_a_line_for_each_request_as_text_or_json() {
    let setup = Setup::new().arg("--log-format").arg("json");
    let receiver = setup.start();
    let id = upload(&client(&receiver.endpoint()), "logged").unwrap();
    let line = wait_for_line(&receiver, "\"send\"");
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["message"], "request");
    assert_eq!(
        (&event["method"], &event["status"]),
        (&"POST".into(), &200.into())
    );
    assert_eq!(
        (&event["id"], &event["bytes"]),
        (&id.into(), &3_000_000.into())
    );
    assert_eq!(
        (&event["from"], &event["to"]),
        (&0.into(), &3_000_000.into())
    );

    let receiver = Receiver::start();
    upload(&client(&receiver.endpoint()), "logged").unwrap();
    let line = wait_for_line(&receiver, "\"send\"");
    assert!(
        line.contains("from=0 to=3000000 bytes=3000000 status=200"),
        "{line}"
    );
}
