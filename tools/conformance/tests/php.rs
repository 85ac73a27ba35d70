//! `examples/receivers/php` follows the protocol, as far as PHP can.

mod common;

use common::{check, NEWER};
use resup_test_support::nginx::Nginx;
use resup_test_support::php::Php;

#[test]
fn the_php_receiver_passes_except_for_incomplete_bodies() {
    let Some(php) = Php::start() else {
        return;
    };
    // PHP's own server refuses a head that arrives in pieces.
    let Some(nginx) = Nginx::start(php.addr(), "client_max_body_size 8m;") else {
        return;
    };
    let found = check(&format!("http://{}/upload.php", nginx.addr()), &[]);
    found.assert_good();
    let missing = found.with("not supported");
    let kinds = ["owner-", "sign-", "login-"];
    let asked = |id: &&&str| !kinds.iter().chain(&NEWER).any(|kind| id.starts_with(kind));
    let missing: Vec<_> = missing.iter().filter(asked).copied().collect();
    assert_eq!(
        missing,
        [
            "broken-empty-end",
            "broken-keeps",
            "broken-wrong-end",
            "writer-live"
        ],
        "{found:?}"
    );
    // The server has no users, and no secret.
    assert_eq!(
        found.lacking_of_agreements_and_stores(),
        ["store-owner", "store-signed"],
        "{found:?}"
    );
    // PHP sees only complete bodies.
    let discards = found.with("not supported");
    let discards: Vec<_> = discards
        .iter()
        .filter(|id| id.starts_with("discard-"))
        .collect();
    assert_eq!(
        discards,
        [&"discard-owner", &"discard-signed", &"discard-writer"],
        "{found:?}"
    );
}
