//! What projects do that use the installed library.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use resup_test_support::files;
use resup_test_support::receiver::Receiver;
use resup_test_support::tools;

use crate::host::{library_dir, root};

/// Runs a command that has to succeed; its output.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = tools::forget_package(command)
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let (out, err) = (output.stdout, output.stderr);
    let (out, err) = (String::from_utf8_lossy(&out), String::from_utf8_lossy(&err));
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out.into_owned()
}

/// Files below a directory, by their paths from there.
pub fn files(dir: &Path) -> Vec<String> {
    let mut find = Command::new("find");
    find.current_dir(dir).args([".", "-not", "-type", "d"]);
    let found = run(find.args(["-printf", "%P\n"]));
    let mut found: Vec<_> = found.lines().map(str::to_owned).collect();
    found.sort();
    found
}

/// Has cargo build the command, where the library is. (Together with a test, it takes what `cargo test --workspace` has
/// built of the dependencies.)
pub fn build_command() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = tools::cargo();
        cargo.current_dir(root()).args(["build", "--quiet"]);
        cargo.args(["--workspace", "--bin", "resup", "--test", "install"]);
        cargo
            .arg("--target-dir")
            .arg(library_dir().parent().unwrap());
        run(&mut cargo);
    });
}

pub fn example() -> PathBuf {
    root().join("examples/c/upload.c")
}

/// Has a program, which finds the library in a directory, upload a file, and looks whether it arrived.
#[track_caller]
pub fn uploads(program: &Path, library: &Path) {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    files::make(&file, 1 << 20, 5).unwrap();
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", library);
    let said = run(command.arg(receiver.endpoint()).arg(&file));
    let id = said.trim().rsplit_once("id=").expect("an id").1;
    files::assert_same(&file, &receiver.stored_file(id));
}
