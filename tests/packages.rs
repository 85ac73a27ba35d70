//! What `make dist` makes, unpacked and used.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;

#[allow(dead_code)]
#[path = "install/project.rs"]
mod project;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{has, library_dir, root};
use project::{compiles_and_uploads, files, run};

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
        "DIST_KINDS=source binary sbom",
    ]);
    let tool = library_dir().parent().unwrap().join("cyclonedx");
    make.arg(format!("CYCLONEDX={}", tool.display()));
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
    assert_eq!(names, files(&dists[1]));
    let one = |end: &str| {
        let mut found = names.iter().filter(|name| name.ends_with(end));
        let name = found
            .next()
            .unwrap_or_else(|| panic!("no {end}: {names:?}"));
        dists[0].join(name)
    };
    let source = one(&format!("resup-{VERSION}.tar.gz"));
    let binary = one("linux-gnu.tar.gz");
    let boms = ["library", "command", "receiver", "java"].map(|it| one(&format!("{it}.cdx.json")));
    assert_eq!(names.len(), 3 + boms.len(), "{names:?}");
    boms.iter().for_each(|bom| check_bom(bom));
    no_path_of_this_machine(&dists[0], dir.path());
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

/// Checks that a file is valid CycloneDX, and has what the product is made of and nothing that changes.
fn check_bom(path: &Path) {
    let program = "\
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()))";
    if !has("python") {
        return;
    }
    run(Command::new("python").args(["-c", program]).arg(path));
    let text = std::fs::read_to_string(path).unwrap();
    let bom: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bom["metadata"]["component"]["version"], VERSION);
    assert!(bom.get("serialNumber").is_none(), "{text}");
    let components = bom["components"].as_array().unwrap();
    let has = |name: &str| components.iter().any(|it| it["name"] == name);
    // What runs on other systems than this one, too, and no test's.
    for name in ["rustls", "serde_json", "windows-sys"] {
        assert!(has(name), "{name} is not in {}", path.display());
    }
    assert!(!has("proptest"), "{}", path.display());
    let is_receiver = path.to_string_lossy().ends_with("receiver.cdx.json");
    assert_eq!(has("sqlx"), is_receiver);
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
