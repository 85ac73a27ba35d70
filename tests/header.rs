//! include/resup.h: current, and clean in every C and C++ that it promises.

#[path = "header/sections.rs"]
mod sections;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use resup_test_support::tools;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `RESUP_WRITE_HEADER=1` (which `make header` sets) writes the header instead of comparing it.
#[test]
fn the_header_is_current() {
    let made = sections::header(&root());
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

/// Compiles `source` as it is, without making anything of it.
fn run(compiler: &str, standard: &str, source: &Path) -> Output {
    let output = Command::new(compiler)
        .args([&format!("-std={standard}"), "-pedantic", "-Wall", "-Wextra"])
        .args(["-Werror", "-fsyntax-only", "-I"])
        .arg(root().join("include"))
        .arg(source)
        .output();
    output.unwrap_or_else(|e| panic!("{compiler}: {e}"))
}

/// Compiles `source`, a file that includes the header twice, without a single warning, by each
/// standard: by the first of its names that this compiler knows, which it shows by compiling `empty`.
fn compile(compiler: &str, standards: &[&[&str]], empty: &Path, source: &Path) {
    for names in standards {
        let knows = |name: &&&str| run(compiler, name, empty).status.success();
        let standard = names.iter().find(knows);
        let standard = standard.unwrap_or_else(|| panic!("{compiler} knows none of {names:?}"));
        let output = run(compiler, standard, source);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{compiler} {standard}:\n{errors}");
    }
}

#[test]
fn the_header_compiles_without_warnings() {
    const C: [&[&str]; 5] = [&["c89"], &["c99"], &["c11"], &["c17"], &["c23", "c2x"]];
    const CPP: [&[&str]; 6] = [
        &["c++98"],
        &["c++11"],
        &["c++14"],
        &["c++17"],
        &["c++20", "c++2a"],
        &["c++23", "c++2b"],
    ];
    let dir = tempfile::tempdir().unwrap();
    let save = |name: &str, text: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let text = "#include <resup.h>\n#include <resup.h>\nint main(void) { return RESUP_OK; }\n";
    let empty = "int main(void) { return 0; }\n";
    let (c, empty_c) = (save("twice.c", text), save("empty.c", empty));
    let (cpp, empty_cpp) = (save("twice.cpp", text), save("empty.cpp", empty));
    for (cc, cxx) in [
        ("gcc", "g++"),
        ("clang", "clang++"),
        ("x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-g++"),
        ("i686-w64-mingw32-gcc", "i686-w64-mingw32-g++"),
    ] {
        if has(cc) {
            compile(cc, &C, &empty_c, &c);
        }
        if has(cxx) {
            compile(cxx, &CPP, &empty_cpp, &cpp);
        }
    }
}
