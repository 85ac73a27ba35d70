//! The ways in which clients write forms.

use resup_test_support::form_table::{check, Reader};
use resup_test_support::receiver::Setup;

#[test]
fn forms_are_taken_or_refused_as_the_table_says() {
    let receiver = Setup::new().start();
    check(receiver.addr(), "/upload", Reader::Own);
}
