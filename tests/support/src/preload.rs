//! C libraries that are preloaded (`LD_PRELOAD`), so that calls of the system fail or tell something else.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles the library of this C file into `directory`; returns its path.
///
/// # Panics
///
/// When it cannot be compiled.
pub fn compile(source: &Path, directory: &Path) -> PathBuf {
    let name = source.file_stem().expect("a file");
    let library = directory.join(name).with_extension("so");
    let compiled = Command::new("cc")
        .args(["-O2", "-Wall", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status()
        .expect("the C compiler 'cc'");
    assert!(compiled.success());
    library
}
