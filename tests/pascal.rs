//! The Delphi and Free Pascal binding: current, right, and clean; and its examples.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;
#[path = "pascal/programs.rs"]
mod programs;
#[path = "pascal/unit.rs"]
mod unit;
#[path = "pascal/window.rs"]
mod window;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{has, root, Bench};
use programs::LIMIT;
use resup_test_support::desktop::Desktop;
use resup_test_support::mistakes;
use resup_test_support::receiver::Receiver;

const SOURCES: &str = "bindings/delphi/src";

/// `RESUP_WRITE_PASCAL=1` (which `make pascal-api` sets) writes the unit instead of comparing it.
#[test]
fn the_unit_of_the_c_abi_is_current() {
    let header = std::fs::read_to_string(root().join("include/resup.h")).unwrap();
    let made = unit::made_of(&header);
    let path = root().join(SOURCES).join("Resup.Api.pas");
    if std::env::var_os("RESUP_WRITE_PASCAL").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == kept,
        "Resup.Api.pas is not current: run `make pascal-api`"
    );
    for function in include_str!("exports.txt").lines() {
        let loaded = format!("    @{function} := FindFunction('{function}');\n");
        let loaded = loaded.trim_start();
        assert!(made.contains(loaded), "{function} is not loaded");
    }
}

/// Builds a program of this source, named from the root, beside the library of this test.
fn build(bench: &Bench, source: &str, flags: &[&str]) -> PathBuf {
    let source = root().join(source);
    let (units, library) = (bench.path("units"), bench.path("libresup.so.0.1"));
    std::fs::create_dir_all(&units).unwrap();
    if !library.exists() {
        std::os::unix::fs::symlink(harness::shared_library(), library).unwrap();
    }
    let output = Command::new("fpc")
        .args(["-Mdelphi", "-g", "-gl", "-O1", "-v0ew"])
        .args(flags)
        .arg(format!("-Fu{}", root().join(SOURCES).display()))
        .arg(format!("-FU{}", units.display()))
        .arg(format!("-FE{}", bench.path("").display()))
        .arg(&source)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && !said.contains("Warning"),
        "fpc {}:\n{said}",
        source.display()
    );
    bench.path(source.file_stem().unwrap().to_str().unwrap())
}

/// Where Lazarus has its units, built for this machine and its GTK.
const LAZARUS: &str = "/usr/lib/lazarus/default";
const LCL: [&str; 3] = [
    "lcl/units/x86_64-linux",
    "lcl/units/x86_64-linux/gtk2",
    "components/lazutils/lib/x86_64-linux",
];

fn lcl() -> Vec<String> {
    LCL.iter()
        .map(|units| format!("-Fu{LAZARUS}/{units}"))
        .collect()
}

/// Paths are what they are.
fn named(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_program_uploads_and_frees_all_it_took() {
    if !has("fpc") {
        return;
    }
    let bench = Bench::new();
    let program = build(&bench, "bindings/delphi/tests/behaviour.pas", &["-gh"]);
    programs::run_tests(&bench, &mut Command::new(program), named);
}

#[test]
fn a_component_uploads_and_frees_all_it_took() {
    let Some(desktop) = Desktop::start() else {
        return;
    };
    if !has("fpc") || !has("lazbuild") {
        return;
    }
    let bench = Bench::new();
    let flags: Vec<_> = ["-gh".to_owned()].into_iter().chain(lcl()).collect();
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let program = build(&bench, "bindings/delphi/tests/component.pas", &flags);
    programs::run_tests(&bench, &mut desktop.command(program), named);
}

#[test]
fn the_console_program_uploads() {
    if !has("fpc") {
        return;
    }
    let bench = Bench::new();
    let program = build(&bench, "examples/delphi/upload.dpr", &[]);
    let said = programs::upload_files(&bench, Command::new(program), named);
    assert!(said.contains("/文件 é 😀: complete"), "{said}");
}

#[test]
fn a_killed_program_goes_on() {
    if !has("fpc") {
        return;
    }
    let bench = Bench::new();
    let program = build(&bench, "examples/delphi/upload.dpr", &[]);
    programs::kill_and_go_on(&bench, || Command::new(&program), named);
}

/// What the program says without a usable library beside it.
fn without(prepare: impl Fn(&Bench, &Path)) -> String {
    let (bench, other) = (Bench::new(), Bench::new());
    let built = build(&bench, "examples/delphi/upload.dpr", &[]);
    let dir = other.dir("alone");
    let program = dir.join("upload");
    std::fs::copy(built, &program).unwrap();
    prepare(&bench, &dir.join("libresup.so.0.1"));
    let mut command = Command::new(program);
    // Cargo's leads to the built library, by whatever name another test has given it.
    command.env_remove("LD_LIBRARY_PATH");
    let ended = bench.run(command.args(["http://127.0.0.1:9/", "file"]), LIMIT);
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stdout);
    ended.stderr
}

/// Has C's compiler make a library of this.
fn compile_library(bench: &Bench, library: &Path, text: &str) {
    let source = bench.path("other.c");
    std::fs::write(&source, text).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).arg(library).arg(source);
    assert!(cc.status().unwrap().success());
}

#[test]
fn a_library_that_is_missing_or_another_is_named() {
    if !has("fpc") {
        return;
    }
    let shared = |text: &str| without(|bench, library| compile_library(bench, library, text));
    let version = |number: &str| {
        shared(&format!(
            "unsigned resup_version_number(void) {{ return {number}; }}\n\
             const char *resup_version(void) {{ return \"x.y.z\"; }}"
        ))
    };
    mistakes::walk("Pascal's library", |mistake| match mistake {
        "none" => without(|_, _| {}),
        "another one" => shared("int other;"),
        "one of another version" => version("7001000"),
        other => panic!("nothing makes the mistake \"{other}\""),
    });
    let said = version("1000");
    assert!(
        said.contains("has no function resup_status_message"),
        "{said}"
    );
}

#[test]
fn the_right_library_is_loaded_after_a_wrong_one() {
    if !has("fpc") {
        return;
    }
    let bench = Bench::new();
    let program = build(&bench, "bindings/delphi/tests/loading.pas", &[]);
    let (library, right) = (bench.path("library.so"), bench.path("right.so"));
    compile_library(&bench, &library, "int other;");
    std::fs::copy(harness::shared_library(), &right).unwrap();
    let ended = bench.run(Command::new(program).args([&library, &right]), LIMIT);
    print!("{}", ended.stdout);
    ended.assert_success();
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(lines[0].contains("has no function resup_version_number"));
    let loaded = format!("loaded {}: 0.1", library.display());
    assert!(lines[1].starts_with(&loaded), "{}", lines[1]);
}

#[test]
fn the_window_uploads_pauses_and_cancels() {
    let Some(desktop) = Desktop::start() else {
        return;
    };
    if !has("fpc") || !has("lazbuild") {
        return;
    }
    let bench = Bench::new();
    let flags = lcl();
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let program = build(&bench, "examples/delphi/window/window.lpr", &flags);
    let command = desktop.command(program);
    window::upload_pause_and_cancel(&desktop, &bench, command, named, "gtk");
}

#[test]
fn the_windows_totals_count_what_is_finished_until_the_list_is_empty() {
    let Some(desktop) = Desktop::start() else {
        return;
    };
    if !has("fpc") || !has("lazbuild") {
        return;
    }
    let bench = Bench::new();
    let units = format!("-Fu{}", root().join("examples/delphi/window").display());
    let flags: Vec<_> = std::iter::once(units).chain(lcl()).collect();
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let program = build(&bench, "tests/pascal/totals.pas", &flags);
    let receiver = Receiver::start();
    let files = [
        ("small", 3_000_000),
        ("other", 1_000_000),
        ("large", 50_000_000_000),
    ];
    let files = files.map(|(name, size)| {
        let path = bench.path(name);
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(size).unwrap();
        path
    });
    let mut command = desktop.command(program);
    let ended = bench.run(command.arg(receiver.endpoint()).args(files), LIMIT);
    ended.assert_success();
    let said = |what: &str| {
        let begin = format!("{what}: ");
        let line = ended
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix(&begin));
        line.unwrap_or_else(|| panic!("{}", ended.stdout))
    };
    assert!(
        said("removed").starts_with("2 of 3 complete"),
        "{}",
        said("removed")
    );
    assert!(
        said("removed").contains("of 50.00 GB"),
        "{}",
        said("removed")
    );
    // What the server has of the large file counts, too.
    assert!(!said("again").contains(" 4.0 MB of"), "{}", said("again"));
    let finished = said("finished");
    assert!(
        finished.starts_with("2 of 2 complete    4.0 MB of 4.0 MB"),
        "{finished}"
    );
    assert_eq!(said("empty"), "No files yet");
}

/// Copies what Lazarus would write beside.
fn copied(bench: &Bench, dirs: &[&str]) {
    for dir in dirs {
        let copy = bench.path(dir);
        std::fs::create_dir_all(&copy).unwrap();
        for entry in std::fs::read_dir(root().join(dir)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
            }
        }
    }
}

#[test]
fn lazarus_builds_the_package_and_the_window() {
    if !has("lazbuild") {
        return;
    }
    let bench = Bench::new();
    let packages = "bindings/delphi/packages";
    copied(&bench, &[SOURCES, packages, "examples/delphi/window"]);
    for project in [
        "bindings/delphi/packages/resup_lazarus.lpk",
        "examples/delphi/window/window.lpi",
    ] {
        let mut lazbuild = Command::new("lazbuild");
        // Else it may build the system's own units anew, where root runs it.
        lazbuild.arg("--skip-dependencies");
        lazbuild.arg(format!("--pcp={}", bench.path("settings").display()));
        let ended = bench.run(lazbuild.arg(bench.path(project)), LIMIT);
        assert!(ended.status.success(), "{project}:\n{}", ended.stdout);
    }
    assert!(bench.path("examples/delphi/window/window").exists());
}

#[test]
fn delphi_gets_the_same_form_and_all_units() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let form = read("examples/delphi/window/MainForm.lfm");
    // What only Lazarus knows.
    let shared = form
        .lines()
        .filter(|line| !line.starts_with("  LCLVersion") && !line.starts_with("  Client"));
    let dfm = read("examples/delphi/window/MainForm.dfm");
    // What Delphi scales a form by; the LCL takes 96 as given.
    let scale = ["  PixelsPerInch = 96", "  TextHeight = 13"];
    for line in scale {
        assert!(dfm.lines().any(|of| of == line), "MainForm.dfm lacks{line}");
    }
    let dfm = dfm.lines().filter(|line| !scale.contains(line));
    assert!(shared.eq(dfm), "MainForm.lfm and .dfm differ");

    for package in ["ResupDelphi.dpk", "ResupDelphi7.dpk", "resup_lazarus.lpk"] {
        let text = read(&format!("bindings/delphi/packages/{package}"));
        for unit in std::fs::read_dir(root().join(SOURCES)).unwrap() {
            let name = unit.unwrap().file_name().into_string().unwrap();
            assert!(text.contains(&name), "{package} lacks {name}");
        }
    }
}

/// What Delphi 7 does not know, and Free Pascal takes in its Delphi mode.
#[test]
fn the_units_are_of_delphi_7s_language() {
    for unit in std::fs::read_dir(root().join(SOURCES)).unwrap() {
        let path = unit.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim().starts_with("//"));
        for line in code {
            let words: Vec<_> = line
                .split(|c: char| !c.is_alphanumeric() && c != '.' && c != '_')
                .collect();
            let later = ["System.", "Vcl.", "Winapi.", "Generics."];
            let new = ["inline", "strict", "record helper", "reference", "operator"];
            let odd = words.iter().any(|word| {
                new.contains(word) || later.iter().any(|scope| word.starts_with(scope))
            });
            assert!(!odd, "{}: {line}", path.display());
        }
    }
}
