//! Uploads to the real receiver with an account: by login form, Basic authentication, token and signature.

mod common;

use std::time::Duration;

use common::{client, make_file};
use resup::{Client, Error, ErrorKind, RefusalKind, SegmentSize, SigningAlgorithm, Upload};
use resup_test_support::files;
use resup_test_support::form_table::ODD_NAMES;
use resup_test_support::receiver::{Receiver, Setup};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse";

/// Starts a receiver where joe has an account.
fn start(setup: Setup) -> Receiver {
    let receiver = setup.start();
    receiver.admin(&["user", "add", "joe"], PASSWORD);
    receiver
}

/// Uploads a new file in several requests.
fn upload(client: &Client, dir: &TempDir, name: &str) -> Result<Upload, Error> {
    let path = make_file(dir, name, 3_000_000);
    let mut upload = Upload::from_file(client, path)?;
    upload.set_segment_size(SegmentSize::Fixed(1_000_000))?;
    upload.run()?;
    Ok(upload)
}

fn assert_arrives(client: &Client, receiver: &Receiver, dir: &TempDir, name: &str) {
    let upload = upload(client, dir, name).unwrap_or_else(|error| panic!("{name}: {error}"));
    let stored = receiver.stored_file(&upload.remote().id().unwrap());
    files::assert_same(&dir.path().join(name), &stored);
}

fn with_form(receiver: &Receiver, password: &str) -> Client {
    let client = client(&receiver.endpoint());
    let login = format!("http://{}/login", receiver.addr());
    client.set_login_form(&login).unwrap();
    client.set_login_field("user", "joe").unwrap();
    client.set_login_field("password", password).unwrap();
    client
}

fn assert_refused(result: Result<Upload, Error>, message: &str) {
    let Err(error) = result else {
        panic!("it was accepted")
    };
    let not_allowed = ErrorKind::Refused(RefusalKind::NotAllowed);
    assert_eq!(error.kind(), not_allowed, "{error}");
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn a_program_logs_in_by_form_and_again_when_its_session_has_ended() {
    let receiver = start(Setup::new());
    let dir = tempfile::tempdir().unwrap();
    let client = with_form(&receiver, PASSWORD);
    client.set_user("joe").unwrap();
    assert_arrives(&client, &receiver, &dir, "first");
    // Ends all sessions.
    receiver.admin(&["user", "passwd", "joe"], PASSWORD);
    assert_arrives(&client, &receiver, &dir, "second");

    let wrong = with_form(&receiver, "wrong password");
    assert_refused(upload(&wrong, &dir, "third"), "wrong name or password");
}

#[test]
fn a_login_is_repeated_when_the_session_ends_during_an_upload() {
    let receiver = start(Setup::new().arg("--session-lifetime").arg("0.7"));
    let dir = tempfile::tempdir().unwrap();
    let client = with_form(&receiver, PASSWORD);
    client.set_rate_limit(1_500_000);
    assert_arrives(&client, &receiver, &dir, "slow");
    assert!(receiver.stderr().contains("status=401"), "it did not end");
}

#[test]
fn a_password_or_a_token_is_sent_with_each_request() {
    let receiver = start(Setup::new());
    let dir = tempfile::tempdir().unwrap();
    let by_password = client(&receiver.endpoint());
    by_password.set_basic_auth("joe", PASSWORD).unwrap();
    assert_arrives(&by_password, &receiver, &dir, "by password");
    let token = receiver.admin(&["token", "add", "joe"], "");
    let by_token = client(&receiver.endpoint());
    by_token.set_bearer_token(token.trim()).unwrap();
    assert_arrives(&by_token, &receiver, &dir, "by token");

    assert_refused(
        upload(&client(&receiver.endpoint()), &dir, "x"),
        "not logged in",
    );
    by_password.set_basic_auth("joe", "wrong password").unwrap();
    assert_refused(upload(&by_password, &dir, "x"), "not logged in");
    by_token.set_user("ann").unwrap();
    let error = upload(&by_token, &dir, "x").err().unwrap();
    assert!(error.to_string().contains("'user' says 'ann'"), "{error}");
}

#[test]
fn the_receiver_accepts_the_signatures_of_the_library() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "geheim\n").unwrap();
    for (name, algorithm) in [
        ("hmac-sha256", SigningAlgorithm::HmacSha256),
        ("hmac-md5", SigningAlgorithm::HmacMd5),
    ] {
        let setup = Setup::new().arg("--signing-secret-file").arg(&secret);
        let receiver = start(setup.arg("--signing-algorithm").arg(name));
        let client = with_form(&receiver, PASSWORD);
        client.set_signing_secret(b"geheim").unwrap();
        client.set_signing_algorithm(algorithm);
        assert_arrives(&client, &receiver, &dir, &format!("报告 {name} *~'().bin"));
        client.set_signing_secret(b"another").unwrap();
        let error = upload(&client, &dir, "x").err().unwrap();
        assert!(error.to_string().contains("is not signed"), "{error}");
    }
}

#[test]
fn a_program_waits_when_there_were_too_many_logins() {
    let receiver = start(Setup::new());
    let dir = tempfile::tempdir().unwrap();
    // The last of these logins have to wait, too.
    for number in 0..7 {
        let client = with_form(&receiver, &format!("wrong {number}"));
        assert_refused(upload(&client, &dir, "x"), "wrong name or password");
    }
    let right = client(&receiver.endpoint());
    right.set_basic_auth("joe", PASSWORD).unwrap();
    right.set_retry_timeout(Duration::from_secs(60)).unwrap();
    assert_arrives(&right, &receiver, &dir, "late");
    assert!(
        receiver.stderr().contains("status=429"),
        "no login had to wait"
    );
}

#[test]
fn a_signed_form_may_have_fields_of_any_name() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "geheim").unwrap();
    let receiver = Setup::new()
        .arg("--signing-secret-file")
        .arg(&secret)
        .start();
    let client = client(&receiver.endpoint());
    client.set_signing_secret(b"geheim").unwrap();
    let path = make_file(&dir, "file", 1000);
    let mut upload = Upload::from_file(&client, &path).unwrap();
    for name in ODD_NAMES {
        upload.set_field(name, name).unwrap();
    }
    upload.run().unwrap();
    let stored = receiver.stored_file(&upload.remote().id().unwrap());
    files::assert_same(&path, &stored);
}
