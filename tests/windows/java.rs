//! The jar: what it has for Windows, and a Java for Windows that uses it.

use std::path::{Path, PathBuf};
use std::process::Command;

use resup_test_support::files;
use resup_test_support::receiver::Receiver;

use super::harness::root;
use super::wine::{both, build_dir, windows_path, Wine};

/// The path of the jar that `make test-windows` has made of the DLLs.
fn jar() -> PathBuf {
    let name = concat!("resup-", env!("CARGO_PKG_VERSION"), ".jar");
    root().join("bindings/java/target").join(name)
}

/// Makes a command that runs a class of these places in Java.
fn java(wine: &Wine, places: &[&Path]) -> Command {
    let places: Vec<_> = places.iter().map(|place| windows_path(place)).collect();
    let mut command = wine.command(&build_dir().join("java-17/bin/java.exe"));
    command.arg(format!(
        "-Djava.io.tmpdir={}",
        windows_path(&wine.bench.dir("tmp"))
    ));
    command.arg("-cp");
    command.arg(places.join(";"));
    command
}

/// Returns the 64-bit kind: there is no Java of 32 bits.
fn of_64_bits() -> Wine {
    both().find(|wine| wine.bits == "64").unwrap()
}

#[test]
fn the_jar_has_both_dlls() {
    for wine in both() {
        let name = match wine.arch {
            "i686" => "windows-x86",
            arch => &format!("windows-{arch}"),
        };
        let member = format!("io/resup/native/{name}/resup_jni.dll");
        let unzip = Command::new("unzip")
            .arg("-p")
            .arg(jar())
            .arg(&member)
            .output();
        let dll = unzip.unwrap().stdout;
        let built = std::fs::read(wine.artifact("resup_jni.dll")).unwrap();
        assert!(dll == built, "{member} is not the DLL that was built");
    }
}

#[test]
fn java_takes_its_dll_out_of_the_jar_and_uploads() {
    let wine = of_64_bits();
    let receiver = Receiver::start();
    let mut javac = Command::new("javac");
    javac
        .arg("-cp")
        .arg(jar())
        .arg("-d")
        .arg(wine.bench.path("."));
    javac.arg(root().join("examples/java/Upload.java"));
    assert!(javac.status().unwrap().success());
    let file = wine.bench.path("file");
    files::make(&file, 20_000_000, 1).unwrap();
    let mut command = java(&wine, &[&jar(), &wine.bench.path(".")]);
    command.args(["Upload", &receiver.endpoint()]);
    let outcome = wine.run(command.arg(windows_path(&file)));
    let (_, id) = outcome.stdout.trim().split_once("complete, id=").unwrap();
    let (id, _) = id.split_once(", ").unwrap();
    files::assert_same(&file, &receiver.stored_file(id));
}

#[test]
fn a_bit_of_everything_works_in_java() {
    let wine = of_64_bits();
    let receiver = Receiver::start();
    let tests = root().join("bindings/java/target/test-classes");
    let mut command = java(&wine, &[&jar(), &tests]);
    command.args(["io.resup.Child", "all", &receiver.endpoint()]);
    let outcome = wine.run(command.arg(windows_path(&wine.bench.dir("files"))));
    assert_eq!(outcome.stdout, "");
}

#[test]
fn the_dll_stays_when_its_class_loader_goes() {
    let wine = of_64_bits();
    let tests = root().join("bindings/java/target/test-classes");
    let mut command = java(&wine, &[&jar(), &tests]);
    command.args(["io.resup.Child", "unload"]);
    let outcome = wine.run(command.arg(windows_path(&jar())));
    assert_eq!(outcome.stdout.trim(), "resup_jni.dll is loaded");
}
