//! `make install`, and projects that use what it has installed.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;

#[allow(dead_code)]
#[path = "install/project.rs"]
mod project;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use harness::{has, library_dir, root};
use project::{build_command, example, run};
use resup_test_support::tools;

/// Whether the library can be installed, and found where it is.
fn can_install() -> bool {
    tools::have(&["make", "pkg-config"])
}

/// Makes a command for `make`. Several may run at once, so each has its own directory for `extras`.
fn make(target: &str, prefix: &Path, extras: &Path) -> Command {
    build_command();
    let mut make = Command::new("make");
    make.current_dir(root()).arg("--silent").arg(target);
    make.arg(format!("PREFIX={}", prefix.display()));
    make.arg(format!("BUILT={}", library_dir().display()));
    make.arg(format!("EXTRAS={}", extras.display()));
    make
}

/// Installs once for all tests, and returns the prefix.
fn prefix() -> &'static Path {
    static PREFIX: OnceLock<tempfile::TempDir> = OnceLock::new();
    let prefix = PREFIX.get_or_init(|| {
        let prefix = tempfile::tempdir().unwrap();
        let extras = tempfile::tempdir().unwrap();
        run(&mut make("install", prefix.path(), extras.path()));
        prefix
    });
    prefix.path()
}

fn pkg_config(arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
    let words = run(command.args(arguments).arg("resup"));
    words.split_whitespace().map(str::to_owned).collect()
}

/// Runs a program that is linked with what is installed, and checks that it uploads a file.
#[track_caller]
fn uploads(program: &Path) {
    project::uploads(program, &prefix().join("lib"));
}

/// Builds with CMake and returns the directory with the programs.
fn cmake(dir: &Path, project: &str, settings: &[String]) -> PathBuf {
    let build = dir.join("build");
    let mut configure = Command::new("cmake");
    configure
        .arg("-S")
        .arg(root().join("tests/install").join(project));
    configure.arg("-B").arg(&build).args(settings);
    run(configure.arg(format!("-DEXAMPLE={}", example().display())));
    run(Command::new("cmake").arg("--build").arg(&build));
    build
}

#[test]
fn a_compiler_finds_it_by_pkg_config() {
    if !can_install() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    let mut cc = Command::new("cc");
    cc.arg(example()).arg("-o").arg(&program);
    run(cc.args(pkg_config(&["--cflags", "--libs"])));
    uploads(&program);
    let needs = run(Command::new("readelf").arg("-d").arg(&program));
    assert!(needs.contains("[libresup.so.0.1]"), "{needs}");
    assert_eq!(pkg_config(&["--modversion"]), [env!("CARGO_PKG_VERSION")]);
}

#[test]
fn programs_can_be_linked_statically_with_it() {
    if !can_install() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    let mut cc = Command::new("cc");
    cc.arg(example()).arg("-o").arg(&program);
    cc.args(pkg_config(&["--cflags"]));
    let libraries = pkg_config(&["--static", "--libs"]);
    let archive = |word: String| match word.as_str() {
        "-lresup" => "-l:libresup.a".to_owned(),
        _ => word,
    };
    run(cc.args(libraries.into_iter().map(archive)));
    let needs = run(Command::new("readelf").arg("-d").arg(&program));
    assert!(!needs.contains("resup"), "{needs}");
    uploads(&program);
}

/// Both contain Rust's standard library; each has to catch its own panics.
#[test]
fn another_static_rust_library_can_be_linked_with_it() {
    if !can_install() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let other = "#[no_mangle] pub extern \"C\" fn caught() -> bool {
            std::panic::set_hook(Box::new(|_| ()));
            std::panic::catch_unwind(|| panic!()).is_err()
        }";
    let main = "#include <resup.h>\nint caught(void);
        int main(void) {
            resup_client *client = 0;
            return resup_client_new(\"http://127.0.0.1:9/\", &client) != RESUP_OK || !caught();
        }";
    std::fs::write(dir.join("other.rs"), other).unwrap();
    std::fs::write(dir.join("main.c"), main).unwrap();
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc
        .current_dir(dir)
        .args(["--crate-type", "staticlib", "other.rs"]);
    run(&mut rustc);
    for order in [["-l:libresup.a", "-lother"], ["-lother", "-l:libresup.a"]] {
        let mut cc = Command::new("cc");
        cc.current_dir(dir)
            .args(["main.c", "-o", "main", "-L."])
            .args(pkg_config(&["--cflags"]))
            .arg(format!("-L{}", prefix().join("lib").display()))
            .args(order)
            .args(pkg_config(&["--static", "--libs-only-l"]).split_off(1));
        run(&mut cc);
        run(&mut Command::new(dir.join("main")));
    }
}

/// Reads the list of the functions of the C ABI.
fn functions() -> Vec<String> {
    let list = std::fs::read_to_string(root().join("tests/exports.txt")).unwrap();
    list.lines().map(str::to_owned).collect()
}

#[test]
fn the_shared_library_exports_our_names_with_their_version() {
    if !can_install() {
        return;
    }
    let mut nm = Command::new("nm");
    nm.args(["-D", "--defined-only", "--with-symbol-versions"]);
    let output = run(nm.arg(prefix().join("lib/libresup.so")));
    let names = output.lines().filter_map(|line| line.split(' ').nth(2));
    // GNU ld adds the version as a name.
    let names: Vec<_> = names.filter(|name| *name != "RESUP_0.1").collect();
    let versioned = functions().into_iter().map(|name| name + "@@RESUP_0.1");
    assert_eq!(names, versioned.collect::<Vec<_>>());
    let dynamic = run(Command::new("readelf")
        .args(["-d", "-W"])
        .arg(prefix().join("lib/libresup.so")));
    assert!(dynamic.contains("[libresup.so.0.1]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

/// As cargo builds it, and as it was before its names had versions.
#[test]
fn a_program_that_was_linked_with_a_library_without_versions_runs_with_it() {
    if !can_install() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    let mut cc = Command::new("cc");
    cc.arg(example()).arg("-o").arg(&program);
    cc.args(pkg_config(&["--cflags"]));
    run(cc.arg("-L").arg(library_dir()).arg("-lresup"));
    let mut nm = Command::new("nm");
    let needed = run(nm.args(["-D", "--with-symbol-versions"]).arg(&program));
    assert!(needed.contains(" resup_upload_start\n"), "{needed}");
    uploads(&program);
}

#[test]
fn the_static_library_exports_our_names_only() {
    if !can_install() {
        return;
    }
    let mut nm = Command::new("nm");
    nm.args(["--extern-only", "--defined-only", "--format=posix"]);
    let output = run(nm.arg(prefix().join("lib/libresup.a")));
    let mut names: Vec<_> = output
        .lines()
        .filter(|line| !line.ends_with(':'))
        .map(|line| line.split(' ').next().unwrap())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    assert_eq!(names, functions());
}

#[test]
fn the_command_and_all_manual_pages_are_there() {
    if !can_install() {
        return;
    }
    let version = run(Command::new(prefix().join("bin/resup")).arg("--version"));
    assert_eq!(version.trim(), concat!("resup ", env!("CARGO_PKG_VERSION")));
    if !has("man") {
        return;
    }
    let functions = functions();
    let pages = functions.iter().map(|name| format!("{name}(3)"));
    for page in pages.chain(["resup(1)".to_owned(), "resup(3)".to_owned()]) {
        let (name, section) = page.trim_end_matches(')').split_once('(').unwrap();
        let mut man = Command::new("man");
        man.arg("-M").arg(prefix().join("share/man"));
        let found = run(man.args(["-w", section, name]));
        assert!(
            found.ends_with(&format!("/man{section}/{name}.{section}\n")),
            "{found}"
        );
    }
}

#[test]
fn a_program_in_c89_uses_it() {
    if !can_install() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for compiler in ["gcc", "clang"].into_iter().filter(|name| has(name)) {
        let program = dir.path().join(compiler);
        let mut cc = Command::new(compiler);
        cc.args(["-std=c89", "-pedantic", "-Wall", "-Wextra", "-Werror"]);
        cc.arg(root().join("tests/install/c89.c")).arg("-o");
        cc.arg(&program);
        run(cc.args(pkg_config(&["--cflags", "--libs"])));
        uploads(&program);
    }
}

#[test]
fn cmake_finds_it_for_both_compilers() {
    if !(can_install() && has("cmake")) {
        return;
    }
    for (c, cpp) in [("gcc", "g++"), ("clang", "clang++")] {
        if !(has(c) && has(cpp)) {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let settings = [
            format!("-DCMAKE_PREFIX_PATH={}", prefix().display()),
            format!("-DCMAKE_C_COMPILER={c}"),
            format!("-DCMAKE_CXX_COMPILER={cpp}"),
        ];
        let build = cmake(dir.path(), "cmake", &settings);
        for program in ["shared", "static", "cpp17", "cpp20"] {
            uploads(&build.join(program));
        }
    }
}

#[test]
fn cmake_refuses_a_version_that_is_another_abi() {
    if !(can_install() && has("cmake")) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (wanted, found) in [
        ("0.1", "1"),
        ("0.1.0", "1"),
        ("0.2", "0"),
        ("1", "0"),
        ("0.1.9", "0"),
    ] {
        let script = dir.path().join("CMakeLists.txt");
        let text = format!(
            "cmake_minimum_required(VERSION 3.16)\nproject(x C)\n\
             find_package(resup {wanted} CONFIG QUIET)\nmessage(\"found=<${{resup_FOUND}}>\")\n"
        );
        std::fs::write(script, text).unwrap();
        let mut configure = Command::new("cmake");
        configure
            .arg("-S")
            .arg(dir.path())
            .arg("-B")
            .arg(dir.path().join("build"));
        configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix().display()));
        let output = configure.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains(&format!("found=<{found}>")),
            "{wanted}: {said}"
        );
    }
}

#[test]
fn cmake_builds_it_from_its_sources() {
    if !(can_install() && has("cmake")) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let settings = [
        format!("-DRESUP_SOURCE={}", root().display()),
        // Uses what is built there already.
        "-DRESUP_PROFILE=dev".to_owned(),
        format!(
            "-DRESUP_TARGET_DIR={}",
            library_dir().parent().unwrap().display()
        ),
    ];
    let build = cmake(dir.path(), "subdirectory", &settings);
    uploads(&build.join("shared"));
    uploads(&build.join("static"));
}

#[test]
fn meson_finds_it() {
    if !(can_install() && has("meson")) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (source, build) = (dir.path().join("source"), dir.path().join("build"));
    std::fs::create_dir(&source).unwrap();
    let project = root().join("tests/install/meson/meson.build");
    std::fs::copy(project, source.join("meson.build")).unwrap();
    std::fs::copy(example(), source.join("upload.c")).unwrap();
    let mut setup = Command::new("meson");
    setup.env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
    run(setup.arg("setup").arg(&build).arg(&source));
    run(Command::new("meson").args(["compile", "-C"]).arg(&build));
    uploads(&build.join("upload"));
}

#[test]
fn uninstall_leaves_nothing() {
    if !can_install() {
        return;
    }
    let stage = tempfile::tempdir().unwrap();
    let extras = tempfile::tempdir().unwrap();
    let staged = |target| {
        let mut make = make(target, Path::new("/usr"), extras.path());
        run(make.arg(format!("DESTDIR={}", stage.path().display())));
        let mut find = Command::new("find");
        run(find.arg(stage.path()).args(["-not", "-type", "d"]))
    };
    assert!(staged("install").contains("/usr/lib/libresup.so.0.1.0\n"));
    assert_eq!(staged("uninstall"), "");
}
