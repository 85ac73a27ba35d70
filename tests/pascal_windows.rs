//! The Delphi and Free Pascal binding as Windows programs, 64 and 32 bit, in wine against the receiver on this side.
//! `make test-windows` builds what this needs and runs it.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/host.rs"]
mod host;
#[path = "pascal/servers.rs"]
mod servers;
#[path = "pascal/window.rs"]
mod window;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use host::{root, Bench};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::desktop::Desktop;
use resup_test_support::files;
use resup_test_support::receiver::Receiver;

const LIMIT: Duration = Duration::from_secs(600);
const WINE: &str = "packaging/windows/wine.sh";

/// Where `make windows` and packaging/windows/get-fpc.sh have put their work.
fn made() -> PathBuf {
    let dir = std::env::var_os("RESUP_WINDOWS");
    dir.expect("run by `make test-windows`, which builds the DLLs first")
        .into()
}

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
            compiler: made().join("fpc/bin/ppcross386"),
            system: "-Twin32",
        },
    ]
}

impl Kind {
    /// Builds a program of this source, named from the root, beside the DLL.
    fn build(&self, bench: &Bench, source: &str, flags: &[&str]) -> PathBuf {
        let dll = made().join(self.arch).join("resup.dll");
        std::fs::copy(dll, bench.path("resup.dll")).unwrap();
        let units = bench.path("units");
        std::fs::create_dir_all(&units).unwrap();
        let output = Command::new(&self.compiler)
            .args(["-n", self.system, "-Mdelphi", "-O1", "-v0e"])
            .args(flags)
            .arg(format!(
                "-Fu{}",
                made().join("fpc/units").join(self.units).display()
            ))
            .arg(format!(
                "-Fu{}",
                made().join("lcl").join(self.units).display()
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
        command.arg(self.bits).arg(made()).arg(program);
        command
    }

    /// One that runs a program with windows.
    fn command_on(&self, desktop: &Desktop, program: &Path) -> Command {
        let mut command = desktop.command(root().join(WINE));
        command.arg(self.bits).arg(made()).arg("--screen");
        command.arg(program);
        command
    }
}

/// As Windows programs know it.
fn windows_path(path: &Path) -> String {
    format!("Z:{}", path.display()).replace('/', "\\")
}

#[test]
fn programs_upload_and_free_all_they_took() {
    for kind in kinds() {
        let bench = Bench::new();
        let program = kind.build(&bench, "bindings/delphi/tests/behaviour.pas", &["-gh"]);
        servers::run(&bench, &mut kind.command(&program), windows_path);
    }
}

#[test]
fn components_upload_and_free_all_they_took() {
    for kind in kinds() {
        let (bench, desktop) = (Bench::new(), Desktop::start().unwrap());
        let program = kind.build(&bench, "bindings/delphi/tests/component.pas", &["-gh"]);
        let mut command = kind.command_on(&desktop, &program);
        servers::run(&bench, &mut command, windows_path);
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
fn a_killed_program_goes_on() {
    for kind in kinds() {
        let (bench, receiver) = (Bench::new(), Receiver::start());
        let program = kind.build(&bench, "examples/delphi/upload.dpr", &[]);
        let file = bench.path("video");
        files::make(&file, 20_000_000, 1).unwrap();
        let plan = |_, _: &mut fastrand::Rng| Faults {
            rate_up: Some(20_000_000),
            ..Faults::default()
        };
        let slow = ChaosProxy::start(receiver.addr(), plan, 0);
        let mut command = kind.command(&program);
        command.arg(format!("http://{}/upload", slow.addr()));
        let mut child = command.arg(windows_path(&file)).spawn().unwrap();
        while slow.bytes_up() < 5_000_000 {
            std::thread::sleep(Duration::from_millis(5));
            assert!(child.try_wait().unwrap().is_none(), "it is too fast");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut command = kind.command(&program);
        let path = windows_path(&file);
        let ended = bench.run(command.arg(receiver.endpoint()).arg(path), LIMIT);
        ended.assert_success();
        let (_, rest) = ended.stdout.split_once("complete, ").unwrap();
        let (there, id) = rest
            .trim()
            .split_once(" bytes were there before, id=")
            .unwrap();
        assert!((1..20_000_000).contains(&there.parse::<u64>().unwrap()));
        files::assert_same(&file, &receiver.stored_file(id));
    }
}
