//! Receivers of version 1.1, and of 1.0, pass with what they have.

mod common;

use common::{check, NEWER};
use resup_test_support::model::{ModelReceiver, Options};

#[test]
fn a_receiver_of_1_0_passes_without_what_1_1_adds() {
    let receiver = ModelReceiver::with(Options {
        patient: true,
        ..Options::default()
    });
    let found = check(&receiver.endpoint(), &[]);
    found.assert_good();
    for (id, (verdict, _)) in &found.checks {
        let newer = NEWER.iter().any(|kind| id.starts_with(kind));
        assert!(!newer || verdict == "not supported", "{id}: {verdict}");
    }
}

#[test]
fn a_receiver_of_1_1_passes_with_any_part_of_it() {
    let newest = || Options {
        patient: true,
        ..Options::newest()
    };
    let cases: [(Options, &[&str]); 6] = [
        (
            newest(),
            &["store-owner", "store-signed", "store-too-large"],
        ),
        (
            Options {
                digests: &["sha256"],
                parts: None,
                ..newest()
            },
            &["parts-"],
        ),
        (
            Options {
                digests: &["md5"],
                small: None,
                parts: Some(2),
                ..newest()
            },
            &["store-"],
        ),
        (
            Options {
                small: None,
                parts: None,
                ..newest()
            },
            &["store-", "parts-"],
        ),
        (
            Options {
                small: Some(99),
                parts: Some(17),
                ..newest()
            },
            &["store-", "parts-at-once", "parts-too-many"],
        ),
        (
            Options {
                discards: false,
                ..newest()
            },
            &["discard-"],
        ),
    ];
    for (options, missing) in cases {
        let receiver = ModelReceiver::with(options.clone());
        let found = check(&receiver.endpoint(), &[]);
        found.assert_good();
        for (id, (verdict, why)) in &found.checks {
            let newer = NEWER.iter().any(|kind| id.starts_with(kind));
            let due = match missing.iter().any(|kind| id.starts_with(kind)) {
                true => "not supported",
                false => "pass",
            };
            let lacking = [
                "store-owner",
                "store-signed",
                "store-too-large",
                "discard-owner",
                "discard-signed",
            ];
            let other_user = lacking.contains(&&**id);
            assert!(
                !newer || verdict == due || other_user,
                "{id}: {verdict}, {why}\n{options:?}"
            );
        }
    }
}

#[test]
fn a_receiver_of_1_1_with_small_segments_passes() {
    let receiver = ModelReceiver::with(Options {
        max_segment: Some(1000),
        small: Some(500),
        patient: true,
        ..Options::newest()
    });
    let found = check(&receiver.endpoint(), &["--time", "60"]);
    found.assert_good();
    assert_eq!(found.checks["store-too-large"].0, "pass");
    assert_eq!(found.checks["parts-invalid"].0, "pass");
}

#[test]
fn a_receiver_of_1_1_that_sees_only_complete_bodies_passes() {
    let receiver = ModelReceiver::with(Options {
        buffering: true,
        hide_prefix_md5: true,
        ..Options::newest()
    });
    let found = check(&receiver.endpoint(), &[]);
    found.assert_good();
    for id in ["parts-too-many", "parts-other-run", "parts-broken"] {
        assert_eq!(found.checks[id].0, "not supported", "{id}");
    }
    for id in [
        "parts-at-once",
        "parts-dead-run",
        "parts-overlap",
        "store-broken",
    ] {
        assert_eq!(found.checks[id].0, "pass", "{id}");
    }
}
