//! The crates as they go to cargo's registry.

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;

use std::path::Path;

use harness::{library_dir, root};
use resup_test_support::tools;

/// What is published, each after what it uses, and the most KiB that its archive may have.
const CRATES: [(&str, u64); 5] = [
    ("resup-units", 20),
    ("resup-digests", 40),
    ("resup", 700),
    ("resup-cli", 200),
    ("resup-receiver", 900),
];

/// Packs them, and builds what is packed, as `cargo publish` does before it sends anything.
#[test]
fn they_can_be_published() {
    let target = library_dir().parent().unwrap().join("crates");
    let mut publish = tools::cargo();
    publish.current_dir(root());
    publish.args(["publish", "--dry-run", "--locked", "--allow-dirty"]);
    publish.arg("--target-dir").arg(&target);
    for (name, _) in CRATES {
        publish.args(["-p", name]);
    }
    let output = publish.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for (name, most) in CRATES {
        let uploading = format!("Uploading {name} v{}", env!("CARGO_PKG_VERSION"));
        assert!(said.contains(&uploading), "{said}");
        check(&target.join("package"), name, most);
    }
}

fn check(packages: &Path, name: &str, most: u64) {
    let file = packages.join(format!("{name}-{}.crate", env!("CARGO_PKG_VERSION")));
    let size = file.metadata().unwrap().len();
    assert!(size <= most * 1024, "{} has {size} bytes", file.display());
}
