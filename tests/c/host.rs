//! C programs: built against the header and the library that belong to this test, and run under
//! a watchdog.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use resup_test_support::tools;
use tempfile::TempDir;

pub const WARNINGS: [&str; 5] = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"];

/// Where headers lie.
const HEADERS: [&str; 2] = ["include", "bindings/cpp/include"];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the built libraries lie: above the `deps` that this test runs in.
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

/// What lies there may be older than the sources: asking cargo costs little.
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

/// The words that a command says.
pub fn words(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().map(str::to_owned).collect()
}

/// Whether a tool is there; it has to be where `RESUP_NEED_TOOLS` is set.
pub fn has(tool: &str) -> bool {
    tools::find(tool).is_some()
}

fn compiler() -> String {
    std::env::var("CC").unwrap_or("cc".to_owned())
}

/// Has these sources compiled, and nothing built.
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

/// How a program was left.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
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

    /// A new, empty directory.
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

    /// The same with the static library.
    pub fn build_static(&self, name: &str, sources: &[&str]) -> PathBuf {
        self.compile(name, sources, |cc| {
            cc.arg(library_dir().join("libresup.a"))
                .args(native_libraries());
        })
    }

    /// A program that is not linked with the library, to load it itself.
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
    pub fn run(&self, command: &mut Command, limit: Duration) -> Ended {
        // Files, for a pipe that nobody reads would stop the program.
        let (out, err) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let (out, err) = (out.path().join("out"), err.path().join("err"));
        let mut child = command
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if began.elapsed() > limit {
                break None;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        if status.is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let text =
            |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let (stdout, stderr) = (text(&out), text(&err));
        let status = status.unwrap_or_else(|| {
            panic!(
                "{command:?} hangs: killed after {limit:?}\nstdout:\n{stdout}\nstderr:\n{stderr}"
            )
        });
        Ended {
            status,
            stdout,
            stderr,
        }
    }
}

pub const VALGRIND: [&str; 7] = [
    "valgrind",
    "--quiet",
    // It runs one thread at a time: a busy one would keep the others from their turns.
    "--fair-sched=yes",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
];

/// A program, run by another one.
pub fn under(runner: &[&str], program: &Path) -> Command {
    let Some((runner, arguments)) = runner.split_first() else {
        return Command::new(program);
    };
    let mut command = Command::new(runner);
    command.args(arguments).arg(program);
    command
}

pub fn finish(compiler: &mut Command, program: &Path) {
    let output = compiler.arg("-o").arg(program).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler:?}:\n{errors}");
}

/// What a C program has to link besides a static library made by this compiler.
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
        .unwrap_or_else(|| panic!("rustc tells no libraries: {notes}"))
        .1;
    list.split_whitespace().map(str::to_owned).collect()
}
