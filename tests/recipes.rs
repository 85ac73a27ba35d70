//! The recipes in packaging/ for other packagers' tools: vcpkg, Conan and cargo-c.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;

#[allow(dead_code)]
#[path = "install/project.rs"]
mod project;

use std::path::Path;
use std::process::Command;

use harness::{has, library_dir, root};
use project::{build_command, files, run};
use resup_test_support::tools;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Builds and runs the program of the Conan recipe with the package in `prefix`.
fn assert_usable(prefix: &Path) {
    let build = tempfile::tempdir().unwrap();
    let mut configure = Command::new("cmake");
    configure
        .arg("-S")
        .arg(root().join("packaging/conan/test_package"));
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
    run(configure.arg("-B").arg(build.path()));
    run(Command::new("cmake").arg("--build").arg(build.path()));
    let said = run(&mut Command::new(build.path().join("version")));
    assert_eq!(said, format!("resup {VERSION}\n"));
}

#[test]
fn the_vcpkg_port_names_version_and_licence() {
    let port = root().join("packaging/vcpkg/resup/vcpkg.json");
    let text = std::fs::read_to_string(port).unwrap();
    let port: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(port["name"], "resup");
    assert_eq!(port["version"], VERSION);
    assert_eq!(port["license"], "MIT OR Apache-2.0");
    for key in port.as_object().unwrap().keys() {
        let known = ["name", "version", "description", "license", "supports"];
        assert!(known.contains(&key.as_str()), "{key}");
    }
}

#[test]
fn the_vcpkg_port_installs_the_kind_of_library_that_is_asked_for() {
    if !has("cmake") {
        return;
    }
    build_command();
    for (linkage, wanted, unwanted) in [
        ("static", "lib/libresup.a", "lib/libresup.so"),
        ("dynamic", "lib/libresup.so", "lib/libresup.a"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let packages = dir.path().join("packages");
        let mut cmake = Command::new("cmake");
        cmake.env("BUILT", library_dir());
        for (name, value) in [
            ("PORT_DIR", root().join("packaging/vcpkg/resup")),
            ("CURRENT_PACKAGES_DIR", packages.clone()),
            ("CURRENT_BUILDTREES_DIR", dir.path().join("trees")),
            ("CMAKE_MAKE_PROGRAM", "make".into()),
            ("VCPKG_LIBRARY_LINKAGE", linkage.into()),
        ] {
            cmake.arg(format!("-D{name}={}", value.display()));
        }
        run(cmake
            .arg("-P")
            .arg(root().join("tests/install/vcpkg.cmake")));
        let files = files(&packages);
        let is_there = |name: &str| files.iter().any(|file| file == name);
        for name in [
            wanted,
            "include/resup.h",
            "lib/pkgconfig/resup.pc",
            "share/resup/copyright",
            "share/resup/resup-config.cmake",
            "share/resup/usage",
            "tools/resup/resup",
        ] {
            assert!(is_there(name), "{name} is not in {files:?}");
        }
        assert!(!is_there(unwanted), "{unwanted} is in {files:?}");
        assert_usable(&packages);
    }
}

#[test]
fn conan_makes_both_kinds_of_package() {
    if !(has("conan") && has("cmake")) {
        return;
    }
    build_command();
    let home = tempfile::tempdir().unwrap();
    let conan = |arguments: &[&str]| {
        let mut conan = Command::new("conan");
        conan.current_dir(root()).env("CONAN_HOME", home.path());
        conan.env("BUILT", library_dir());
        conan.env("CARGO_TARGET_DIR", library_dir().parent().unwrap());
        run(conan.args(arguments))
    };
    let recipe = "packaging/conan";
    conan(&["profile", "detect"]);
    let known = conan(&["inspect", recipe]);
    assert!(known.contains(&format!("version: {VERSION}")), "{known}");
    for shared in ["False", "True"] {
        let option = format!("resup/*:shared={shared}");
        let test = home.path().join("test");
        let folder = format!("tools.cmake.cmake_layout:test_folder={}", test.display());
        let presets = "tools.cmake.cmaketoolchain:user_presets=";
        let places = ["-c", folder.as_str(), "-c", presets];
        // Conan builds the program of test_package with the package, and runs it.
        let create = ["create", recipe, "-o", &option, "--no-remote"];
        conan(&[&create[..], &places].concat());
    }
}

/// Runs only where cargo-c is installed already: building it takes long.
#[test]
fn cargo_c_installs_the_same() {
    let version = Command::new("cargo-cinstall")
        .args(["cinstall", "--version"])
        .output();
    if version.is_err() {
        tools::skip("cargo-c is not installed");
        return;
    }
    build_command();
    let dir = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours", "theirs"].map(|name| dir.path().join(name));
    let mut make = Command::new("make");
    make.current_dir(root())
        .args(["--silent", "install", "PREFIX=/usr", "LIBDIR=/usr/lib"]);
    make.arg(format!("DESTDIR={}", ours.display()));
    make.arg(format!("EXTRAS={}", dir.path().join("extras").display()));
    run(make.arg(format!("BUILT={}", library_dir().display())));
    let mut cinstall = Command::new("cargo-cinstall");
    cinstall
        .current_dir(root())
        .args(["cinstall", "--profile", "dev", "--package", "resup"]);
    cinstall
        .args(["--prefix", "/usr", "--libdir", "/usr/lib"])
        .arg("--destdir")
        .arg(&theirs);
    run(cinstall
        .arg("--target-dir")
        .arg(library_dir().parent().unwrap().join("cargo-c")));

    // cargo-c installs no files for CMake, no command and no manual pages.
    let is_common = |name: &String| {
        let name = name.as_str();
        !["usr/lib/cmake/", "usr/bin/", "usr/share/"]
            .iter()
            .any(|dir| name.starts_with(dir))
    };
    let both = [&ours, &theirs];
    let [our_files, their_files] =
        both.map(|dir| files(dir).into_iter().filter(is_common).collect::<Vec<_>>());
    assert_eq!(our_files, their_files);
    for name in our_files.iter().filter(|name| name.contains("/include/")) {
        let [one, other] = both.map(|dir| std::fs::read(dir.join(name)).unwrap());
        assert!(one == other, "{name} differs");
    }
    let [one, other] = both.map(|dir| {
        let mut readelf = Command::new("readelf");
        let dynamic = run(readelf.arg("-d").arg(dir.join("usr/lib/libresup.so")));
        let line = dynamic.lines().find(|line| line.contains("SONAME"));
        let soname = line.unwrap().rsplit(' ').next().unwrap().to_owned();
        let target = std::fs::read_link(dir.join("usr/lib/libresup.so.0.1")).unwrap();
        let ask = |arguments: &[&str]| {
            let mut pkg_config = Command::new("pkg-config");
            pkg_config.env("PKG_CONFIG_LIBDIR", dir.join("usr/lib/pkgconfig"));
            pkg_config.env("PKG_CONFIG_SYSROOT_DIR", dir.join(""));
            let output = run(pkg_config.args(arguments).arg("resup"));
            let text = output.replace(&*dir.to_string_lossy(), "");
            let words = text.split_whitespace().map(str::to_owned);
            words.collect::<std::collections::BTreeSet<_>>()
        };
        let words = [
            ask(&["--modversion"]),
            ask(&["--cflags", "--libs"]),
            ask(&["--static", "--libs"]),
        ];
        (soname, target, words)
    });
    assert_eq!(one, other);
}
