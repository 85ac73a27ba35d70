//! TLS to the database.

#![cfg(unix)]

mod common;

use std::fs;

use common::{command, Receiver, Upload};
use resup_test_support::postgres::Postgres;
use resup_test_support::tls::{Authority, Certificate};

/// Starts a database with a certificate; gives the beginning of its address.
fn server(certificate: &Certificate) -> Option<(Postgres, String)> {
    let (server, port) = Postgres::start_with_tls(certificate)?;
    Some((
        server,
        format!("postgres://postgres@127.0.0.1:{port}/postgres"),
    ))
}

/// Has a receiver fail to start with a database; gives what it says.
fn fails(address: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let flags = ["--database", address].map(str::to_owned);
    let output = command(dir.path(), &flags).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_certificate_is_verified_with_its_name() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    let Some((_server, address)) = server(&authority.certify_named(&["127.0.0.1"])) else {
        return;
    };
    let root = dir.path().join("root.pem");
    fs::write(&root, authority.pem()).unwrap();
    let root = root.display();
    let verified = format!("{address}?sslmode=verify-full&sslrootcert={root}");
    let receiver = Receiver::start(&["--database", &verified]);
    let file = Upload::new("a.bin", 100_000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0).expect_complete(100_000);
    assert_eq!(receiver.stored(&id), file.content);
    drop(receiver);
    // The system does not trust it.
    let error = fails(&format!("{address}?sslmode=verify-full"));
    assert!(
        error.contains("certificate") && error.contains("127.0.0.1"),
        "{error}"
    );
    // The server takes no connection without TLS.
    let error = fails(&format!("{address}?sslmode=disable"));
    assert!(error.contains("no encryption"), "{error}");
}

#[test]
fn a_certificate_for_another_name_is_refused_unless_none_is_asked_for() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    let Some((_server, address)) = server(&authority.certify_named(&["db.example.org"])) else {
        return;
    };
    let root = dir.path().join("root.pem");
    fs::write(&root, authority.pem()).unwrap();
    let root = root.display();
    let error = fails(&format!("{address}?sslmode=verify-full&sslrootcert={root}"));
    assert!(
        error.contains("certificate") && error.contains("127.0.0.1"),
        "{error}"
    );
    for mode in [
        format!("verify-ca&sslrootcert={root}"),
        "require".to_owned(),
    ] {
        let encrypted = format!("{address}?sslmode={mode}");
        let receiver = Receiver::start(&["--database", &encrypted]);
        assert_eq!(receiver.locate_ok(&Upload::new("a.bin", 10)).1, 0);
    }
}
