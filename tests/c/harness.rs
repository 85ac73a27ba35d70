//! Builds C and C++ programs against the header and the library of this build, and runs them with a time limit.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use resup_test_support::tools;
use tempfile::TempDir;

pub const WARNINGS: [&str; 5] = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"];

/// The directories of the headers.
const HEADERS: [&str; 2] = ["include", "bindings/cpp/include"];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the directory of the libraries, which is above the `deps` of the test program. Builds them first.
pub fn library_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let deps = test.parent().unwrap();
        assert!(deps.ends_with("deps"), "{} is no test", test.display());
        let dir = deps.parent().unwrap().to_owned();
        build(&dir);
        dir
    })
}

/// Builds the library into `dir`: one that is there may be older than the sources.
fn build(dir: &Path) {
    let profile = match dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let output = tools::cargo()
        .args(["build", "--quiet", "--package", "resup", "--lib"])
        .args(["--profile", profile, "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(dir.parent().unwrap())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo build:\n{errors}");
}

pub fn shared_library() -> PathBuf {
    library_dir().join("libresup.so")
}

/// Runs a command and returns the words of its output.
pub fn words(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().map(str::to_owned).collect()
}

/// Whether a tool is installed. Panics when it is not and `RESUP_NEED_TOOLS` is `1`.
pub fn has(tool: &str) -> bool {
    tools::find(tool).is_some()
}

fn compiler() -> String {
    std::env::var("CC").unwrap_or("cc".to_owned())
}

/// Compiles sources with warnings as errors, and links nothing.
pub fn check_warnings(compiler: &str, sources: &[PathBuf]) {
    let output = Command::new(compiler)
        .args(WARNINGS)
        .arg("-fsyntax-only")
        .arg("-I")
        .arg(root().join("include"))
        .args(sources)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler}:\n{errors}");
}

/// A directory for programs and their files, and the means to build and run them.
pub struct Bench {
    dir: TempDir,
}

/// How a program ended, and its output.
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    #[track_caller]
    pub fn assert_success(&self) {
        assert!(
            self.status.success(),
            "{}\nstdout:\n{}\nstderr:\n{}",
            self.status,
            self.stdout,
            self.stderr
        );
    }
}

impl Bench {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Bench { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a new, empty directory.
    pub fn dir(&self, name: &str) -> PathBuf {
        let dir = self.path(name);
        std::fs::create_dir(&dir).unwrap();
        dir
    }

    /// Builds a program of these sources, which are in tests/c or named from the root, with the
    /// shared library.
    pub fn build(&self, name: &str, sources: &[&str], flags: &[&str]) -> PathBuf {
        self.compile(name, sources, |cc| self.link(cc.args(flags)))
    }

    /// Builds a C++ program of these sources, named from the root, with the shared library.
    pub fn build_cpp(
        &self,
        compiler: &str,
        name: &str,
        sources: &[&str],
        flags: &[&str],
    ) -> PathBuf {
        let program = self.path(name);
        let mut cc = Command::new(compiler);
        cc.arg("-g");
        cc.args(HEADERS.map(|dir| format!("-I{}", root().join(dir).display())));
        cc.args(sources.iter().map(|source| root().join(source)));
        // Flags may name libraries, which come after what needs them.
        self.link(cc.args(flags));
        finish(&mut cc, &program);
        program
    }

    fn link(&self, cc: &mut Command) {
        // The name that programs linked with the library ask for at run time.
        let soname = self.path("libresup.so.0.1");
        if !soname.exists() {
            std::os::unix::fs::symlink(shared_library(), soname).unwrap();
        }
        let rpath = format!("-Wl,-rpath,{}", self.dir.path().display());
        cc.arg("-L").arg(library_dir());
        cc.args(["-lresup", &rpath, "-lpthread", "-ldl"]);
    }

    /// As `build`, with the static library.
    pub fn build_static(&self, name: &str, sources: &[&str]) -> PathBuf {
        self.compile(name, sources, |cc| {
            cc.arg(library_dir().join("libresup.a"))
                .args(native_libraries());
        })
    }

    /// Builds a program that is not linked with the library, but loads it.
    pub fn build_alone(&self, name: &str, sources: &[&str]) -> PathBuf {
        self.compile(name, sources, |cc| {
            cc.args(["-lpthread", "-ldl"]);
        })
    }

    fn compile(&self, name: &str, sources: &[&str], link: impl Fn(&mut Command)) -> PathBuf {
        let program = self.path(name);
        let mut cc = Command::new(compiler());
        cc.args(WARNINGS).args(["-g", "-I"]);
        cc.arg(root().join("include"));
        for source in sources {
            cc.arg(match source.contains('/') {
                true => root().join(source),
                false => root().join("tests/c").join(source),
            });
        }
        link(&mut cc);
        finish(&mut cc, &program);
        program
    }

    /// Runs a program, and kills it when it is not done in time.
    #[track_caller]
    pub fn run(&self, command: &mut Command, limit: Duration) -> Outcome {
        // Its output goes into files: a pipe that nobody reads would block it.
        let (out, err) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let (out, err) = (out.path().join("out"), err.path().join("err"));
        let mut child = command
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let began = Instant::now();
        let mut hangs = false;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > limit {
                hangs = true;
                child.kill().unwrap();
                break child.wait().unwrap();
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let text =
            |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let (stdout, stderr) = (text(&out), text(&err));
        assert!(
            !hangs,
            "{command:?} hangs: killed after {limit:?}\nstdout:\n{stdout}\nstderr:\n{stderr}"
        );
        Outcome {
            status,
            stdout,
            stderr,
        }
    }
}

pub const VALGRIND: [&str; 7] = [
    "valgrind",
    "--quiet",
    // valgrind runs one thread at a time: without this, a busy one would starve the others.
    "--fair-sched=yes",
    "--error-exitcode=99",
    "--leak-check=full",
    // What is reachable at the end was not lost.
    "--show-leak-kinds=definite,possible",
    "--errors-for-leak-kinds=definite,possible",
];

/// Makes a command for a program; `runner` runs it, if there is one.
pub fn under(runner: &[&str], program: &Path) -> Command {
    let Some((runner, arguments)) = runner.split_first() else {
        return Command::new(program);
    };
    let mut command = Command::new(runner);
    command.args(arguments).arg(program);
    command
}

/// Runs a compiler, which has to write `program`.
pub fn finish(compiler: &mut Command, program: &Path) {
    let output = compiler.arg("-o").arg(program).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler:?}:\n{errors}");
}

/// Asks rustc which libraries a C program has to link besides a static Rust library.
fn native_libraries() -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("empty.rs");
    std::fs::write(&source, "").unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--crate-type", "staticlib", "--print", "native-static-libs"])
        .arg("--out-dir")
        .arg(dir.path())
        .arg(&source)
        .output()
        .unwrap();
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    let list = notes
        .lines()
        .find_map(|line| line.split_once("native-static-libs: "))
        .unwrap_or_else(|| panic!("rustc names no libraries: {notes}"))
        .1;
    list.split_whitespace().map(str::to_owned).collect()
}
