//! The oldest Rust that builds this: README.md names the one of Cargo.toml, and no dependency asks for a newer one.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const OURS: &str = env!("CARGO_PKG_RUST_VERSION");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads "1.94" or "1.94.0".
fn parse(version: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = version
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    parts.resize(3, 0);
    parts
}

#[test]
fn the_readme_names_it() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let words = format!("Rust ({OURS} or later)");
    assert!(
        readme.contains(&words),
        "README.md does not say \"{words}\""
    );
}

#[test]
fn no_package_asks_for_another() {
    let mut metadata = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    metadata.current_dir(root());
    metadata.args(["metadata", "--format-version", "1", "--locked"]);
    metadata.args(["--filter-platform", "x86_64-unknown-linux-gnu"]);
    let output = metadata.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 200, "only {} packages", packages.len());
    for package in packages {
        let Some(asked) = package["rust_version"].as_str() else {
            continue;
        };
        let (name, is_ours) = (&package["name"], package["source"].is_null());
        assert!(
            parse(asked) <= parse(OURS),
            "{name} needs Rust {asked}, Cargo.toml says {OURS}"
        );
        assert!(
            !is_ours || asked == OURS,
            "{name} says {asked}, the workspace {OURS}"
        );
    }
}
