//! The Delphi and Free Pascal binding as Windows programs, 64 and 32 bit, in wine against the receiver on this side.
//! `make test-windows` builds what this needs and runs it.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;
#[path = "pascal/programs.rs"]
mod programs;
#[path = "pascal/window.rs"]
mod window;
#[allow(dead_code)]
#[path = "windows/wine.rs"]
mod wine;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{root, Bench};
use resup_test_support::desktop::Desktop;
use wine::{build_dir, windows_path};

const WINE: &str = "packaging/windows/wine.sh";

struct Kind {
    bits: &'static str,
    arch: &'static str,
    /// Where units for it lie in directories of them.
    units: &'static str,
    compiler: PathBuf,
    system: &'static str,
}

fn kinds() -> [Kind; 2] {
    [
        Kind {
            bits: "64",
            arch: "x86_64",
            units: "x86_64-win64",
            compiler: "ppcx64".into(),
            system: "-Twin64",
        },
        Kind {
            bits: "32",
            arch: "i686",
            units: "i386-win32",
            compiler: build_dir().join("fpc/bin/ppcross386"),
            system: "-Twin32",
        },
    ]
}

impl Kind {
    /// Builds a program of this source, named from the root, beside the DLL.
    fn build(&self, bench: &Bench, source: &str, flags: &[&str]) -> PathBuf {
        let dll = build_dir().join(self.arch).join("resup.dll");
        std::fs::copy(dll, bench.path("resup.dll")).unwrap();
        let units = bench.path("units");
        std::fs::create_dir_all(&units).unwrap();
        let output = Command::new(&self.compiler)
            .args(["-n", self.system, "-Mdelphi", "-O1", "-v0e"])
            .args(flags)
            .arg(format!(
                "-Fu{}",
                build_dir().join("fpc/units").join(self.units).display()
            ))
            .arg(format!(
                "-Fu{}",
                build_dir().join("lcl").join(self.units).display()
            ))
            .arg(format!(
                "-Fu{}",
                root().join("bindings/delphi/src").display()
            ))
            .arg(format!("-FU{}", units.display()))
            .arg(format!("-FE{}", bench.path("").display()))
            .arg(root().join(source))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{source}:\n{said}");
        let name = Path::new(source).file_stem().unwrap().to_str().unwrap();
        bench.path(&format!("{name}.exe"))
    }

    /// A command that runs a program.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(root().join(WINE));
        command.arg(self.bits).arg(build_dir()).arg(program);
        command
    }

    /// One that runs a program with windows.
    fn command_on(&self, desktop: &Desktop, program: &Path) -> Command {
        let mut command = desktop.command(root().join(WINE));
        command.arg(self.bits).arg(build_dir()).arg("--screen");
        command.arg(program);
        command
    }
}

#[test]
fn programs_upload_and_free_all_they_took() {
    for kind in kinds() {
        let bench = Bench::new();
        let program = kind.build(&bench, "bindings/delphi/tests/behaviour.pas", &["-gh"]);
        programs::run_tests(&bench, &mut kind.command(&program), windows_path);
    }
}

#[test]
fn components_upload_and_free_all_they_took() {
    for kind in kinds() {
        let (bench, desktop) = (Bench::new(), Desktop::start().unwrap());
        let program = kind.build(&bench, "bindings/delphi/tests/component.pas", &["-gh"]);
        let mut command = kind.command_on(&desktop, &program);
        programs::run_tests(&bench, &mut command, windows_path);
    }
}

#[test]
fn the_windows_upload_pause_and_cancel() {
    for kind in kinds() {
        let (bench, desktop) = (Bench::new(), Desktop::start().unwrap());
        let program = kind.build(&bench, "examples/delphi/window/window.lpr", &["-WG"]);
        let command = kind.command_on(&desktop, &program);
        window::upload_pause_and_cancel(&desktop, &bench, command, windows_path, kind.units);
    }
}

#[test]
fn the_console_programs_upload() {
    for kind in kinds() {
        let bench = Bench::new();
        let program = kind.build(&bench, "examples/delphi/upload.dpr", &[]);
        // Where it lies has a name that Windows has no code page for, and the DLL is found there.
        let dir = bench.dir("程序 é 😀");
        for name in ["upload.exe", "resup.dll"] {
            std::fs::rename(bench.path(name), dir.join(name)).unwrap();
        }
        let program = dir.join(program.file_name().unwrap());
        programs::upload_files(&bench, kind.command(&program), windows_path);
    }
}

#[test]
fn a_killed_program_goes_on() {
    for kind in kinds() {
        let bench = Bench::new();
        let program = kind.build(&bench, "examples/delphi/upload.dpr", &[]);
        programs::kill_and_go_on(&bench, || kind.command(&program), windows_path);
    }
}
