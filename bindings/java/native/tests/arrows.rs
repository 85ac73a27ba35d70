//! No file uses another one in a circle.

use std::path::Path;

use resup_test_support::arrows;

#[test]
fn no_files_use_each_other_in_a_circle() {
    arrows::check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
}
