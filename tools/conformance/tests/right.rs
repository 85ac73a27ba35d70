//! Receivers that follow the protocol pass.

mod common;

use std::io::Write;

use common::{check, everything, kit, run_kit, JOE_AND_EVE};
use resup_test_support::model::{ModelReceiver, Options, Secret};
use resup_test_support::nginx::Nginx;
use resup_test_support::receiver::{Receiver, Setup};

#[test]
fn the_receiver_passes() {
    let receiver = Receiver::start();
    let found = check(&receiver.endpoint(), &[]);
    found.assert_good();
    let missing = found.with("not supported");
    assert!(
        missing.iter().all(|id| {
            let kinds = ["limit-", "owner-", "sign-", "login-"];
            let without = [
                "store-owner",
                "store-signed",
                "discard-owner",
                "discard-signed",
            ];
            kinds.iter().any(|kind| id.starts_with(kind)) || without.contains(id)
        }),
        "{missing:?}"
    );
}

#[test]
fn the_receiver_passes_twice_with_the_same_seed() {
    let receiver = Receiver::start();
    for _ in 0..2 {
        let found = run_kit(kit().arg(receiver.endpoint()).env("RESUP_TEST_SEED", "77"));
        found.assert_good();
        assert_eq!(found.sums["seed"], 77);
    }
}

#[test]
fn the_receiver_with_small_segments_passes() {
    for most in ["1000", "5000"] {
        let receiver = Setup::new().arg("--max-segment").arg(most).start();
        let found = check(&receiver.endpoint(), &[]);
        found.assert_good();
        assert_eq!(found.checks["limit-too-long"].0, "pass");
        assert_eq!(found.checks["limit-just-right"].0, "pass");
    }
}

#[test]
fn a_receiver_with_tiny_segments_is_not_checked() {
    let receiver = ModelReceiver::with(Options {
        max_segment: Some(999),
        ..Options::default()
    });
    let output = kit().arg(receiver.endpoint()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("max_segment is 999"), "{error}");
}

/// Starts a receiver with the users joe and eve, and makes a token for eve.
fn with_users(setup: Setup) -> (Receiver, String) {
    let receiver = setup.start();
    for user in ["joe", "eve"] {
        receiver.admin(&["user", "add", user], &format!("password of {user}"));
    }
    let token = receiver.admin(&["token", "add", "eve"], "");
    (receiver, token.trim().to_owned())
}

#[test]
fn the_receiver_with_users_passes_with_all_ways_to_log_in() {
    let (receiver, token) = with_users(Setup::new());
    let endpoint = receiver.endpoint();
    let found = check(
        &endpoint,
        &["--basic", "joe:password of joe", "--other-token", &token],
    );
    found.assert_good();
    let missing = found.with("not supported");
    let without = [
        "limit-",
        "sign-",
        "login-session",
        "store-signed",
        "discard-signed",
    ];
    let expected = |id: &&str| without.iter().any(|kind| id.starts_with(kind));
    assert!(missing.iter().all(expected), "{missing:?}");

    let other = ["--other-basic", "joe:password of joe"];
    let found = check(&endpoint, &[&["--token", &*token], &other[..]].concat());
    found.assert_good();
    assert_eq!(found.checks["owner-ids"].0, "pass");

    let login = endpoint.replace("/upload", "/login");
    let form = ["--login-field", "user=joe", "--login-field"];
    let form = [
        &["--login", &*login],
        &form[..],
        &["password=password of joe"],
    ]
    .concat();
    let found = check(
        &endpoint,
        &[&form[..], &["--other-token", &*token]].concat(),
    );
    found.assert_good();
    assert_eq!(found.checks["login-session"].0, "pass");
}

#[test]
fn the_receiver_with_a_signing_secret_passes() {
    for algorithm in ["hmac-sha256", "hmac-md5"] {
        let mut secret = tempfile::NamedTempFile::new().unwrap();
        writeln!(secret, "geheim").unwrap();
        let setup = Setup::new()
            .arg("--signing-secret-file")
            .arg(secret.path())
            .args(&["--signing-algorithm", algorithm]);
        let (receiver, token) = with_users(setup);
        let signed = ["--secret", "geheim", "--algorithm", algorithm];
        let who = ["--basic", "joe:password of joe", "--other-token", &token];
        let found = check(&receiver.endpoint(), &[&signed[..], &who].concat());
        found.assert_good();
        assert_eq!(found.checks["sign-nonce"].0, "pass");
        assert_eq!(found.checks["owner-ids"].0, "pass");
    }
}

#[test]
fn the_receiver_with_a_tree_passes_with_each_conflict_setting() {
    for conflict in ["rename", "refuse", "replace"] {
        let setup = Setup::new().args(&["--layout", "tree", "--conflict", conflict]);
        let (receiver, token) = with_users(setup);
        let who = ["--basic", "joe:password of joe", "--other-token", &token];
        check(&receiver.endpoint(), &who).assert_good();
    }
}

#[test]
fn a_receiver_with_everything_passes_with_all_ways_to_log_in() {
    let receiver = ModelReceiver::with(everything());
    let endpoint = receiver.endpoint();
    let found = check(&endpoint, &JOE_AND_EVE);
    found.assert_good();
    // The model does not have these.
    assert_eq!(
        found.with("not supported"),
        ["login-session", "send-prefix-md5", "send-sha256"]
    );

    let by_token = ["--token", "token-of-joe", "--secret", "geheim"];
    check(&endpoint, &by_token).assert_good();

    let login = endpoint.replace("/upload", "/login");
    let found = run_kit(
        kit()
            .arg(&endpoint)
            .args(["--login", &login, "--login-field", "user=joe"])
            .args(["--login-field", "password=password of joe"])
            .args(["--other-basic", "eve:password of eve", "--secret", "geheim"]),
    );
    found.assert_good();
    assert_eq!(found.checks["login-session"].0, "pass");
}

#[test]
fn credentials_come_from_the_environment_too() {
    let receiver = ModelReceiver::with(everything());
    let found = run_kit(
        kit()
            .arg(receiver.endpoint())
            .env("RESUP_CONFORMANCE_BASIC", "joe:password of joe")
            .env("RESUP_CONFORMANCE_OTHER_TOKEN", "token-of-eve")
            .env("RESUP_CONFORMANCE_SECRET", "geheim")
            .env("RESUP_CONFORMANCE_HEADERS", "X-One: 1\nX-Two: 2"),
    );
    found.assert_good();
    for id in ["login-wrong", "owner-ids", "sign-accepted"] {
        assert_eq!(found.checks[id].0, "pass", "{id}");
    }

    let login = receiver.endpoint().replace("/upload", "/login");
    let fields = "user=joe\npassword=password of joe";
    let found = run_kit(
        kit()
            .arg(receiver.endpoint())
            .args(["--filter", "login"])
            .env("RESUP_CONFORMANCE_LOGIN", login)
            .env("RESUP_CONFORMANCE_LOGIN_FIELDS", fields)
            .env("RESUP_CONFORMANCE_SECRET", "geheim"),
    );
    found.assert_good();
    assert_eq!(found.checks["login-session"].0, "pass");
}

#[test]
fn a_receiver_with_md5_signatures_passes() {
    let receiver = ModelReceiver::with(Options {
        secret: Some(Secret {
            text: "geheim".to_owned(),
            md5: true,
        }),
        ..Options::default()
    });
    let signed = ["--secret", "geheim", "--algorithm", "hmac-md5"];
    check(
        &receiver.endpoint(),
        &[&signed[..], &["--filter", "sign"]].concat(),
    )
    .assert_good();
}

#[test]
fn a_receiver_that_sees_only_complete_bodies_passes() {
    let receiver = ModelReceiver::with(Options {
        buffering: true,
        ..Options::default()
    });
    let found = check(&receiver.endpoint(), &[]);
    found.assert_good();
    for id in ["broken-keeps", "broken-empty-end", "writer-live"] {
        assert_eq!(found.checks[id].0, "not supported", "{id}");
    }
    assert_eq!(found.checks["broken-resumes"].0, "pass");
    assert_eq!(found.checks["writer-dead"].0, "pass");
}

#[test]
fn the_receiver_behind_a_proxy_that_buffers_passes() {
    let receiver = Receiver::start();
    let Some(nginx) = Nginx::start(receiver.addr(), "") else {
        return;
    };
    let found = check(&format!("http://{}/upload", nginx.addr()), &[]);
    found.assert_good();
    assert_eq!(found.checks["broken-keeps"].0, "not supported");
}

#[test]
fn a_receiver_without_prefix_digest_passes_without_restarts() {
    let receiver = ModelReceiver::with(Options {
        hide_prefix_md5: true,
        patient: true,
        ..Options::default()
    });
    let found = check(&receiver.endpoint(), &[]);
    found.assert_good();
    for id in ["locate-prefix-md5", "restart-unfinished"] {
        assert_eq!(found.checks[id].0, "not supported", "{id}");
    }
}

#[test]
fn a_receiver_with_tls_passes_if_its_ca_is_trusted() {
    let receiver = ModelReceiver::with(Options {
        tls: true,
        patient: true,
        ..Options::default()
    });
    let mut authority = tempfile::NamedTempFile::new().unwrap();
    write!(authority, "{}", receiver.ca_pem()).unwrap();
    let trusted = ["--cacert", authority.path().to_str().unwrap()];
    check(&receiver.endpoint(), &trusted).assert_good();

    let distrusted = kit().arg(receiver.endpoint()).output().unwrap();
    assert_eq!(distrusted.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&distrusted.stderr);
    assert!(errors.contains("certificate"), "{errors}");
}

#[test]
fn a_receiver_that_notices_late_that_a_connection_is_lost_passes() {
    let receiver = ModelReceiver::with(Options {
        late: true,
        ..Options::default()
    });
    let found = check(
        &receiver.endpoint(),
        &["--filter", "broken", "--time", "60"],
    );
    found.assert_good();
    for id in [
        "broken-keeps",
        "broken-resumes",
        "broken-empty-end",
        "broken-wrong-end",
    ] {
        assert_eq!(found.checks[id].0, "pass", "{id}");
    }
}

#[test]
fn a_receiver_without_what_is_optional_passes() {
    let receiver = ModelReceiver::with(Options {
        end_digest_only: true,
        hide_location: true,
        hide_prefix_md5: true,
        patient: true,
        ..Options::default()
    });
    let found = check(&receiver.endpoint(), &[]);
    found.assert_good();
    for (id, verdict) in [
        ("digest-prefix-md5", "not supported"),
        ("digest-of-resumed", "pass"),
        ("locate-complete", "pass"),
        ("instant-upload", "pass"),
    ] {
        assert_eq!(found.checks[id].0, verdict, "{id}");
    }
}

#[test]
fn a_limit_for_wrong_passwords_is_no_fault() {
    let (receiver, _) = with_users(Setup::new());
    let who = ["--basic", "joe:password of joe", "--filter", "login-wrong"];
    for _ in 0..3 {
        let found = check(&receiver.endpoint(), &who);
        found.assert_good();
        assert_eq!(found.checks["login-wrong"].0, "pass");
    }
}
