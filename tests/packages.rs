//! What `make dist` and `make deb` make, unpacked and used.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;

#[path = "install/project.rs"]
mod project;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{has, library_dir, root};
use project::{build_command, example, files, run, uploads};
use resup_test_support::tools;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes a repository in which the present state of this tree is committed.
fn repository(dir: &Path) {
    std::fs::create_dir(dir).unwrap();
    let mut copy = Command::new("sh");
    copy.current_dir(dir).env("FROM", root()).arg("-c");
    run(copy.arg(
        "tar -C \"$FROM\" --exclude ./target --exclude ./.git --exclude ./dist -c . | tar -x",
    ));
    for arguments in [
        &["init", "-q"][..],
        &["add", "."],
        &["commit", "-q", "-m", "All"],
    ] {
        let mut git = Command::new("git");
        git.current_dir(dir);
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "resup");
            git.env(format!("GIT_{who}_EMAIL"), "resup@localhost");
            git.env(format!("GIT_{who}_DATE"), "1700000000 +0000");
        }
        run(git.args(arguments));
    }
}

/// Makes the archives, with the quick profile and without symbols, and returns their directory.
fn dist(tree: &Path) -> PathBuf {
    let mut make = Command::new("make");
    make.current_dir(tree).args([
        "--silent",
        "dist",
        "PROFILE=dev",
        "DIST_KINDS=source binary",
    ]);
    make.env("CARGO_PROFILE_DEV_DEBUG", "0");
    make.env("CARGO_PROFILE_DEV_STRIP", "symbols");
    for shared in ["CARGO_TARGET_DIR", "SOURCE_DATE_EPOCH"] {
        make.env_remove(shared);
    }
    run(&mut make);
    tree.join("dist")
}

fn unpack(archive: &Path, to: &Path) {
    run(Command::new("tar")
        .arg("-xzf")
        .arg(archive)
        .arg("-C")
        .arg(to));
}

/// Compiles the example with a pkg-config that knows only what is in `pkgconfig`, and checks that it uploads.
fn compiles_and_uploads(pkgconfig: &Path, settings: &[(&str, &Path)]) {
    let mut words = Command::new("pkg-config");
    words.env("PKG_CONFIG_LIBDIR", pkgconfig);
    words.envs(settings.iter().copied());
    let words = run(words.args(["--cflags", "--libs", "resup"]));
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    let mut cc = Command::new("cc");
    cc.arg(example()).arg("-o").arg(&program);
    run(cc.args(words.split_whitespace()));
    uploads(&program, pkgconfig.parent().unwrap());
}

#[test]
fn two_builds_of_one_source_are_the_same_bytes() {
    if !has("git") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let trees = ["one", "another-place"].map(|name| dir.path().join(name));
    repository(&trees[0]);
    run(Command::new("git").args(["clone", "-q"]).args(&trees));
    let dists = trees.each_ref().map(|tree| dist(tree));
    let names = files(&dists[0]);
    let [binary, source] = [0, 1].map(|index| dists[0].join(&names[index + 1]));
    assert_eq!(names, files(&dists[1]));
    assert_eq!(names.len(), 3, "{names:?}");
    for name in &names {
        let [one, another] = dists
            .each_ref()
            .map(|dir| std::fs::read(dir.join(name)).unwrap());
        assert!(one == another, "{name} differs: {}", dir.keep().display());
    }
    let mut check = Command::new("sha256sum");
    run(check.current_dir(&dists[0]).args(["--check", "SHA256SUMS"]));

    let unpacked = dir.path().join("unpacked");
    std::fs::create_dir(&unpacked).unwrap();
    unpack(&source, &unpacked);
    unpack(&binary, &unpacked);
    let source = unpacked.join(format!("resup-{VERSION}"));
    let mut git = Command::new("git");
    let list = run(git.current_dir(&trees[0]).args(["ls-files"]));
    let mut committed: Vec<_> = list.lines().map(str::to_owned).collect();
    committed.sort();
    assert_eq!(files(&source), committed);

    let name = binary.file_name().unwrap().to_str().unwrap();
    let binary = unpacked.join(name.trim_end_matches(".tar.gz"));
    let has = files(&binary);
    for name in [
        "SHA256SUMS",
        "bin/resup",
        "include/resup.h",
        "include/resup/resup.hpp",
        "lib/cmake/resup/resup-config.cmake",
        "lib/libresup.a",
        "lib/libresup.so",
        "share/doc/resup/LICENSE-APACHE",
        "share/doc/resup/LICENSE-MIT",
        "share/doc/resup/THIRD-PARTY.txt",
        "share/resup/delphi/Resup.Upload.pas",
        "share/man/man1/resup.1",
        "share/man/man3/resup_upload_run.3",
    ] {
        assert!(has.iter().any(|file| file == name), "{name}: {has:?}");
    }
    let mut check = Command::new("sha256sum");
    run(check
        .current_dir(&binary)
        .args(["--check", "--quiet", "SHA256SUMS"]));
    no_path_of_this_machine(&binary, dir.path());
    compiles_and_uploads(&binary.join("lib/pkgconfig"), &[]);
}

/// Checks that no file has the path of the build, of cargo's packages or of this source in it.
fn no_path_of_this_machine(dir: &Path, made: &Path) {
    let home = std::env::var("HOME").unwrap();
    let cargo = std::env::var("CARGO_HOME").unwrap_or(format!("{home}/.cargo"));
    let mut grep = Command::new("grep");
    grep.args(["-r", "--fixed-strings", "--files-with-matches"]);
    // With a slash at the end: "/work" is also in "digest/worker.rs".
    for path in [made, Path::new(&cargo), root()] {
        grep.arg("-e").arg(path.join(""));
    }
    grep.arg("-e").arg(std::env::temp_dir().join(".tmp"));
    let found = grep.arg(dir).output().unwrap();
    assert_eq!(found.status.code(), Some(1), "{found:?}");
}

/// Makes the packages from what the tests have built, and returns their paths.
fn packages(dir: &Path) -> Vec<PathBuf> {
    build_command();
    let mut make = Command::new("make");
    make.current_dir(root()).args(["--silent", "deb"]);
    make.arg(format!("DIST={}", dir.display()));
    make.arg(format!("EXTRAS={}", dir.join("deb/extras").display()));
    run(make.arg(format!("BUILT={}", library_dir().display())));
    let names = ["libresup-dev", "libresup0.1", "resup"];
    let packages = files(dir);
    assert_eq!(packages.len(), names.len(), "{packages:?}");
    for (name, package) in names.iter().zip(&packages) {
        assert!(
            package.starts_with(&format!("{name}_{VERSION}_")),
            "{packages:?}"
        );
    }
    packages.iter().map(|name| dir.join(name)).collect()
}

/// Installs packages by apt below `system`; there apt sees the packages of this machine as installed.
fn apt_installs(packages: &[PathBuf], system: &Path) {
    let state = system.join("var/lib/dpkg");
    for place in ["info", "updates", "triggers"] {
        std::fs::create_dir_all(state.join(place)).unwrap();
    }
    for place in ["lists/partial", "cache/archives/partial"] {
        std::fs::create_dir_all(system.join("apt").join(place)).unwrap();
    }
    let status = state.join("status");
    std::fs::copy("/var/lib/dpkg/status", &status).unwrap();
    let mut apt = Command::new("apt-get");
    apt.args(["install", "-y", "-q", "-o", "Debug::NoLocking=1"]);
    apt.args(["-o", "APT::Sandbox::User=root"]);
    let apt_dir = system.join("apt");
    for (setting, path) in [
        ("Dir::State", &apt_dir),
        ("Dir::State::status", &status),
        ("Dir::Cache", &apt_dir.join("cache")),
        ("Dir::Log", &apt_dir),
    ] {
        apt.arg("-o").arg(format!("{setting}={}", path.display()));
    }
    apt.arg("-o")
        .arg(format!("Dpkg::Options::=--root={}", system.display()));
    run(apt.args(packages));
}

#[test]
fn apt_installs_the_debian_packages() {
    if !(has("apt-get") && has("dpkg-gencontrol") && has("lintian")) {
        return;
    }
    if run(Command::new("id").arg("-u")).trim() != "0" {
        tools::skip("only root may install packages");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let packages = packages(dir.path());
    // Not the -dev package: lintian would take long for the many sections of the static library.
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--fail-on", "error,warning"]);
    run(lintian.args(
        packages
            .iter()
            .filter(|file| !file.to_string_lossy().contains("-dev_")),
    ));

    let system = tempfile::tempdir().unwrap();
    apt_installs(&packages, system.path());
    let version = run(Command::new(system.path().join("usr/bin/resup")).arg("--version"));
    assert!(version.contains(VERSION), "{version}");
    let multiarch = run(Command::new("dpkg-architecture").arg("-qDEB_HOST_MULTIARCH"));
    let library = system.path().join("usr/lib").join(multiarch.trim());
    compiles_and_uploads(
        &library.join("pkgconfig"),
        &[("PKG_CONFIG_SYSROOT_DIR", system.path())],
    );
    let mut triggers = Command::new("dpkg-deb");
    triggers.arg("-I").arg(&packages[1]).arg("triggers");
    assert_eq!(run(&mut triggers), "activate-noawait ldconfig\n");
}
