//! `examples/receivers/python`, which does what docs/guide/src/server.md says, follows the protocol.

mod common;

use common::check;
use resup_test_support::python::Python;

#[test]
fn the_python_receiver_passes() {
    let Some(python) = Python::start() else {
        return;
    };
    let found = check(&format!("http://{}/", python.addr()), &[]);
    found.assert_good();
    assert_eq!(
        found.lacking_of_agreements_and_stores(),
        [
            "agree-instant",
            "agree-prefix",
            "agree-restart",
            // The server has no users, and no secret.
            "store-owner",
            "store-signed"
        ],
        "{found:?}"
    );
}
