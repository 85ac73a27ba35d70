//! `examples/receivers/python`, which does what docs/guide/src/server.md says, follows the protocol.

mod common;

use common::check;
use resup_test_support::python::Python;

#[test]
fn the_python_receiver_passes() {
    let Some(python) = Python::start() else {
        return;
    };
    check(&format!("http://{}/", python.addr()), &[]).assert_good();
}
