//! Slow name lookups.

use std::path::Path;
use std::process::Command;

const VARIABLE: &str = "RESUP_TEST_SLOW_NAMES";

/// Whether every name lookup of this process takes half a second and finds this machine.
pub fn are_slow() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Runs one test of this test program again, in a process where names [are slow](are_slow).
///
/// # Panics
///
/// When that test fails, or there is no C compiler.
pub fn make_slow_for(test: &str) {
    let dir = tempfile::tempdir().expect("directory for a library");
    let library = dir.path().join("slow_names.so");
    let compiler = std::env::var_os("CC").unwrap_or("cc".into());
    let compiled = Command::new(compiler)
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../c/slow_names.c"))
        .arg("-ldl")
        .status()
        .expect("a C compiler");
    assert!(compiled.success(), "{compiled}");
    let output = Command::new(std::env::current_exe().expect("path of the test"))
        .args(["--exact", test, "--nocapture"])
        .env("LD_PRELOAD", library)
        .env(VARIABLE, "1")
        .output()
        .expect("the test starts");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    println!("{}", text(&output.stdout));
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{test} with slow names:\n{errors}");
}
