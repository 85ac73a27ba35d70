//! The servlet of `examples/receivers/tomcat` follows the protocol, in a real Tomcat.

mod common;

use std::fs;

use common::check;
use resup_test_support::tomcat::Setup;

/// The beginnings of the checks that need credentials, a secret or `max_segment`, or are about parts.
const NOT_ASKED: [&str; 5] = ["limit-", "owner-", "sign-", "login-", "parts-"];

#[test]
fn the_servlet_passes_and_supports_everything() {
    let Some(tomcat) = Setup::new().start() else {
        return;
    };
    let found = check(&tomcat.endpoint(), &[]);
    found.assert_good();
    let missing = found.with("not supported");
    let asked = |id: &&str| !NOT_ASKED.iter().any(|kind| id.starts_with(kind));
    let missing: Vec<_> = missing.into_iter().filter(asked).collect();
    // They need a second user, and a secret.
    assert_eq!(
        missing,
        [
            "discard-owner",
            "discard-signed",
            "store-owner",
            "store-signed"
        ],
        "{found:?}"
    );
    assert!(!tomcat.log().contains("SEVERE"), "{}", tomcat.log());
}

#[test]
fn the_servlet_with_users_a_secret_and_small_segments_passes() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "geheim\n").unwrap();
    let setup = Setup::new()
        .set("secret_file", secret.path().to_str().unwrap())
        .set("max_segment", "100000")
        .user("joe", "password of joe")
        .user("eve", "password of eve");
    let Some(tomcat) = setup.start() else {
        return;
    };
    let login = ["--basic", "joe:password of joe"];
    let other = ["--other-basic", "eve:password of eve"];
    let signed = ["--secret", "geheim"];
    let found = check(&tomcat.endpoint(), &[login, other, signed].concat());
    found.assert_good();
    let mut missing = found.with("not supported");
    missing.retain(|id| !id.starts_with("parts-"));
    // The servlet has no login form.
    assert_eq!(missing, ["login-session"], "{found:?}");
}

#[test]
fn the_servlet_with_signatures_by_md5_passes() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "geheim").unwrap();
    let setup = Setup::new()
        .set("secret_file", secret.path().to_str().unwrap())
        .set("algorithm", "hmac-md5");
    let Some(tomcat) = setup.start() else {
        return;
    };
    let signed = ["--secret", "geheim", "--algorithm", "hmac-md5"];
    let only = ["--filter", "sign"];
    check(&tomcat.endpoint(), &[&signed[..], &only].concat()).assert_good();
}

#[test]
fn the_servlet_with_users_of_tomcat_passes() {
    let setup = Setup::new()
        .by_container()
        .user("joe", "password of joe")
        .user("eve", "password of eve");
    let Some(tomcat) = setup.start() else {
        return;
    };
    let login = ["--basic", "joe:password of joe"];
    let other = ["--other-basic", "eve:password of eve"];
    let found = check(&tomcat.endpoint(), &[login, other].concat());
    found.assert_good();
    for id in ["login-wrong", "login-early", "owner-ids", "owner-instant"] {
        assert_eq!(found.checks[id].0, "pass", "{id}");
    }
}

#[test]
fn the_tomcat_of_maven_with_another_database_passes() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("jdbc:h2:{}", dir.path().join("uploads").display());
    let setup = Setup::new().by_maven().set("jdbc", &url);
    let Some(tomcat) = setup.set("jdbc_user", "sa").start() else {
        return;
    };
    check(&tomcat.endpoint(), &[]).assert_good();
    assert!(dir.path().join("uploads.mv.db").exists());
}
