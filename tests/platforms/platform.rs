//! A platform: programs for it, built by zig with its libraries, and run with its C library, in qemu where need be.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::harness::{finish, root, Bench, Outcome, WARNINGS};

/// qemu takes its time.
pub const LIMIT: Duration = Duration::from_secs(300);

/// One of the platforms, with an empty directory.
pub struct Platform {
    pub name: String,
    pub bench: Bench,
}

/// Returns the directory that `make linux` and `make linux-roots` have filled.
pub fn build_dir() -> PathBuf {
    setting("RESUP_LINUX").into()
}

fn setting(name: &str) -> String {
    let value = std::env::var(name);
    value.expect("run by `make test-linux`, which builds the libraries first")
}

/// Returns the names of the platforms that were built.
pub fn names() -> Vec<String> {
    let names = setting("RESUP_PLATFORMS");
    let names: Vec<_> = names.split_whitespace().map(str::to_owned).collect();
    assert!(!names.is_empty(), "RESUP_PLATFORMS names none");
    names
}

/// Makes all platforms that were built.
pub fn all() -> impl Iterator<Item = Platform> {
    names().into_iter().map(Platform::new)
}

/// Makes a command of a program with its arguments.
fn words(words: &[&Path]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

impl Platform {
    fn new(name: String) -> Self {
        let bench = Bench::new();
        let platform = Platform { name, bench };
        let soname = platform.bench.path("libresup.so.0.1");
        std::os::unix::fs::symlink(platform.artifact("libresup.so"), soname).unwrap();
        platform
    }

    /// Returns the path of a file that the build made.
    pub fn artifact(&self, name: &str) -> PathBuf {
        build_dir().join(&self.name).join(name)
    }

    pub fn has_glibc(&self) -> bool {
        self.name.ends_with("-gnu")
    }

    /// Returns the machine's name, like `aarch64`.
    pub fn machine(&self) -> &str {
        self.name.split('-').next().unwrap()
    }

    /// Makes a command of zig's C compiler for this platform.
    pub fn compiler(&self) -> Command {
        let mut cc = Command::new(build_dir().join("tools/bin/python-zig"));
        for cache in ["ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"] {
            cc.env(cache, build_dir().join("cache/zig"));
        }
        // zig says x86.
        let name = self.name.replace("i686", "x86");
        let glibc = if self.has_glibc() { ".2.17" } else { "" };
        cc.args(["cc", "-target", &format!("{name}{glibc}")]);
        cc.args(WARNINGS).arg("-I").arg(root().join("include"));
        cc
    }

    /// Builds a program of sources in tests/c with the shared library.
    pub fn build(&self, name: &str, sources: &[&str]) -> PathBuf {
        let program = self.bench.path(name);
        let mut cc = self.compiler();
        cc.args(sources.iter().map(|it| root().join("tests/c").join(it)));
        cc.arg(self.artifact("libresup.so"));
        cc.args(["-lpthread", "-ldl"]);
        finish(&mut cc, &program);
        program
    }

    /// Makes a command that runs a program, which the platform's loader starts with the platform's C library.
    pub fn command(&self, program: &Path) -> Command {
        let system = build_dir().join("roots").join(&self.name);
        let lib = system.join("lib");
        let (loader, libraries) = match self.name.as_str() {
            "x86_64-linux-gnu" => {
                let mut command = Command::new(program);
                command.env("LD_LIBRARY_PATH", self.bench.path("."));
                return command;
            }
            "aarch64-linux-gnu" => ("ld-linux-aarch64.so.1", "aarch64-linux-gnu"),
            "i686-linux-gnu" => ("ld-linux.so.2", "i386-linux-gnu"),
            "x86_64-linux-musl" => ("ld-musl-x86_64.so.1", "."),
            "aarch64-linux-musl" => ("ld-musl-aarch64.so.1", "."),
            name => panic!("how do programs for {name} run?"),
        };
        let loader = lib.join(loader);
        let mut command = match self.emulator() {
            Some(emulator) => words(&[emulator.as_ref(), &loader]),
            None => Command::new(loader),
        };
        let places = [self.bench.path("."), lib.join(libraries)];
        command.arg("--library-path");
        command.arg(std::env::join_paths(places).unwrap());
        command.arg(program);
        command
    }

    /// Makes a command that runs a static program.
    pub fn command_alone(&self, program: &Path) -> Command {
        match self.emulator() {
            Some(emulator) => words(&[emulator.as_ref(), program]),
            None => Command::new(program),
        }
    }

    fn emulator(&self) -> Option<&'static str> {
        (self.machine() == "aarch64").then_some("qemu-aarch64-static")
    }

    #[track_caller]
    pub fn run(&self, command: &mut Command) -> Outcome {
        println!("{}: {command:?}", self.name);
        let outcome = self.bench.run(command, LIMIT);
        println!("{}", outcome.stdout);
        outcome.assert_success();
        outcome
    }
}
