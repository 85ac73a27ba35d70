//! Windows programs: built by mingw against the DLL, and run in wine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::harness::{finish, root, Bench, Outcome, WARNINGS};

/// One of the two kinds of Windows programs.
pub struct Wine {
    pub arch: &'static str,
    pub bits: &'static str,
    pub bench: Bench,
}

/// How long a program may take.
pub const LIMIT: Duration = Duration::from_secs(300);

/// Returns the directory that `make windows` and the scripts beside it have filled.
pub fn build_dir() -> PathBuf {
    std::env::var_os("RESUP_WINDOWS")
        .expect("run by `make test-windows`, which builds the DLLs first")
        .into()
}

/// Converts a path to the one that Windows programs know.
pub fn windows_path(path: &Path) -> String {
    format!("Z:{}", path.display()).replace('/', "\\")
}

/// Makes both kinds, each with an empty directory.
pub fn both() -> impl Iterator<Item = Wine> {
    let kinds = [("x86_64", "64"), ("i686", "32")];
    kinds.into_iter().map(|(arch, bits)| {
        let bench = Bench::new();
        // Where Windows looks for it: beside the program.
        std::fs::copy(
            build_dir().join(arch).join("resup.dll"),
            bench.path("resup.dll"),
        )
        .unwrap();
        Wine { arch, bits, bench }
    })
}

impl Wine {
    /// Returns the path of a file that the build made.
    pub fn artifact(&self, name: &str) -> PathBuf {
        build_dir().join(self.arch).join(name)
    }

    /// Copies a program that the build made into the directory, where 32-bit programs are found, too.
    pub fn program(&self, name: &str) -> PathBuf {
        let program = self.bench.path(name);
        if !program.exists() {
            std::fs::copy(self.artifact(name), &program).unwrap();
        }
        program
    }

    pub fn tool(&self, name: &str) -> Command {
        Command::new(format!("{}-w64-mingw32-{name}", self.arch))
    }

    /// Builds a program of these sources, which are in tests/c or named from the root.
    pub fn build(&self, name: &str, sources: &[&str], library: &str) -> PathBuf {
        let program = self.bench.path(&format!("{name}.exe"));
        let mut cc = self.tool("gcc");
        cc.args(WARNINGS).args(["-static", "-I"]);
        cc.arg(root().join("include"))
            .arg("-I")
            .arg(root().join("tests/c"));
        for source in sources {
            cc.arg(match source.contains('/') {
                true => root().join(source),
                false => root().join("tests/c").join(source),
            });
        }
        cc.arg(self.artifact(library))
            .args(["-lpthread", "-lws2_32", "-lversion"]);
        finish(&mut cc, &program);
        program
    }

    /// Makes a command that runs a program.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(root().join("packaging/windows/wine.sh"));
        command.arg(self.bits).arg(build_dir()).arg(program);
        command.current_dir(self.bench.path("."));
        command
    }

    #[track_caller]
    pub fn run(&self, command: &mut Command) -> Outcome {
        let outcome = self.bench.run(command, LIMIT);
        println!("{}: {}", self.arch, outcome.stdout);
        assert!(
            outcome.status.success(),
            "{}: {}\nstdout:\n{}\nstderr:\n{}",
            self.arch,
            outcome.status,
            outcome.stdout,
            outcome.stderr
        );
        outcome
    }

    /// Returns the directory that Windows programs of this kind know as `C:` and `\\server\share`.
    pub fn prefix(&self) -> PathBuf {
        match self.bits {
            "64" => build_dir().join("wine64"),
            _ => build_dir().join("wine32/root/prefix"),
        }
    }
}
