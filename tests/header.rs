//! include/resup.h: current, and clean in every C and C++ that it promises.

use std::path::{Path, PathBuf};
use std::process::Command;

use resup_test_support::tools;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `RESUP_WRITE_HEADER=1` (which `make header` sets) writes the header instead of comparing it.
#[test]
fn the_header_is_current() {
    let mut made = Vec::new();
    cbindgen::generate(root()).unwrap().write(&mut made);
    let made = String::from_utf8(made).unwrap();
    let path = root().join("include/resup.h");
    if std::env::var_os("RESUP_WRITE_HEADER").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == kept,
        "include/resup.h is not current: run `make header`"
    );
}

/// Whether a compiler is there. Those for Windows may be missing where the others may not.
fn has(compiler: &str) -> bool {
    match compiler.contains("mingw") {
        true => Command::new(compiler).arg("--version").output().is_ok(),
        false => tools::find(compiler).is_some(),
    }
}

/// Compiles `program`, a file that includes the header twice, without a single warning.
fn compile(compiler: &str, standard: &str, source: &Path) {
    let output = Command::new(compiler)
        .args([&format!("-std={standard}"), "-pedantic", "-Wall", "-Wextra"])
        .args(["-Werror", "-fsyntax-only", "-I"])
        .arg(root().join("include"))
        .arg(source)
        .output()
        .unwrap_or_else(|e| panic!("{compiler}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler} {standard}:\n{errors}");
}

#[test]
fn the_header_compiles_without_warnings() {
    let dir = tempfile::tempdir().unwrap();
    let text = "#include <resup.h>\n#include <resup.h>\nint main(void) { return RESUP_OK; }\n";
    let c = dir.path().join("twice.c");
    let cpp = dir.path().join("twice.cpp");
    std::fs::write(&c, text).unwrap();
    std::fs::write(&cpp, text).unwrap();
    for (cc, cxx) in [
        ("gcc", "g++"),
        ("clang", "clang++"),
        ("x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-g++"),
        ("i686-w64-mingw32-gcc", "i686-w64-mingw32-g++"),
    ] {
        if has(cc) {
            for standard in ["c89", "c99", "c11", "c2x"] {
                compile(cc, standard, &c);
            }
        }
        if has(cxx) {
            for standard in ["c++98", "c++11", "c++17", "c++20"] {
                compile(cxx, standard, &cpp);
            }
        }
    }
}
