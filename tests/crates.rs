//! The crates as they go to cargo's registry.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;

#[allow(dead_code)]
#[path = "install/project.rs"]
mod project;

use std::path::Path;

use harness::{library_dir, root};
use project::files;
use resup_test_support::tools;

/// What is published, each after what it uses, and the most KiB that its archive may have.
const CRATES: [(&str, u64); 4] = [
    ("resup-units", 20),
    ("resup-digests", 40),
    ("resup", 700),
    ("resup-cli", 200),
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
        check(&target, name, most);
    }
}

fn check(target: &Path, name: &str, most: u64) {
    let file = format!("{name}-{}.crate", env!("CARGO_PKG_VERSION"));
    let packed = files(target)
        .into_iter()
        .find(|it| it.ends_with(&format!("/{file}")));
    let packed = target.join(packed.unwrap_or_else(|| panic!("no {file}")));
    let size = packed.metadata().unwrap().len();
    assert!(size <= most * 1024, "{file} has {size} bytes");
}
