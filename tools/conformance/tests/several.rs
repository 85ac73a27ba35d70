//! Several receivers with one database pass as one does, with each request at another one.

#![cfg(unix)]

mod common;

use common::check;
use resup_test_support::haproxy::HaProxy;
use resup_test_support::postgres;
use resup_test_support::receiver::{Receiver, Setup};

#[test]
fn two_receivers_behind_a_proxy_pass() {
    let Some(server) = postgres::shared() else {
        return;
    };
    let (address, dir) = (server.database(), tempfile::tempdir().unwrap());
    let start = || {
        let setup = Setup::new().data(dir.path());
        setup.args(&["--shared", "--database", &address]).start()
    };
    let receivers: Vec<Receiver> = vec![start(), start()];
    let addresses: Vec<_> = receivers.iter().map(Receiver::addr).collect();
    let Some(proxy) = HaProxy::round_robin(&addresses) else {
        return;
    };
    let found = check(&format!("http://{}/upload", proxy.addr()), &[]);
    found.assert_good();
    // They have no parallel parts, and what the kit was told nothing about.
    let kinds = ["limit-", "owner-", "sign-", "login-", "parts-"];
    let others = [
        "store-owner",
        "store-signed",
        "discard-owner",
        "discard-signed",
    ];
    let missing = found.with("not supported");
    let is_known = |id: &&str| kinds.iter().any(|kind| id.starts_with(kind)) || others.contains(id);
    assert!(missing.iter().all(is_known), "{missing:?}");
}
