//! What a project does that uses the installed library.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use resup_test_support::files;
use resup_test_support::receiver::Receiver;
use resup_test_support::tools;

use crate::harness::{library_dir, root};

/// Runs a command, which has to succeed, and returns its output.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = tools::forget_package(command)
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out.into_owned()
}

/// Lists the files below a directory, by their paths from there.
pub fn files(dir: &Path) -> Vec<String> {
    let mut find = Command::new("find");
    find.current_dir(dir).args([".", "-not", "-type", "d"]);
    let output = run(find.args(["-printf", "%P\n"]));
    let mut files: Vec<_> = output.lines().map(str::to_owned).collect();
    files.sort();
    files
}

/// Builds the command and the receiver beside the library. (Together with a test, cargo uses the dependencies that
/// `cargo test --workspace` has built.)
pub fn build_command() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let mut cargo = tools::cargo();
        cargo.current_dir(root()).args(["build", "--quiet"]);
        cargo.args(["--workspace", "--bin", "resup", "--bin", "resup-receiver"]);
        cargo.args(["--test", "install"]);
        cargo
            .arg("--target-dir")
            .arg(library_dir().parent().unwrap());
        run(&mut cargo);
    });
}

pub fn example() -> PathBuf {
    root().join("examples/c/upload.c")
}

/// Runs a program, which finds the library in a directory, and checks that it uploads a file.
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

/// Compiles the example with a pkg-config that knows only what is in `pkgconfig`, and checks that it uploads.
pub fn compiles_and_uploads(pkgconfig: &Path, settings: &[(&str, &Path)]) {
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
