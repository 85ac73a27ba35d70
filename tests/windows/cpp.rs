//! The C++ binding on Windows: gcc in both of its thread models, and Microsoft's rules as far as clang knows them.

use std::path::PathBuf;
use std::process::{Command, Output};

use resup_test_support::files;
use resup_test_support::receiver::Receiver;
use resup_test_support::scripted::{json, ScriptedServer, Step};

use super::harness::{finish, root};
use super::wine::{both, windows_path, Wine};

const WARNINGS: [&str; 7] = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Werror",
];

/// Makes the command of gcc of a thread model.
fn gcc(wine: &Wine, model: &str) -> Command {
    let mut gcc = wine.tool(&format!("g++-{model}"));
    gcc.current_dir(root());
    gcc.args(WARNINGS)
        .args(["-std=c++17", "-Iinclude", "-Ibindings/cpp/include"]);
    gcc
}

fn build(wine: &Wine, model: &str, name: &str, sources: &[&str]) -> PathBuf {
    let program = wine.bench.path(&format!("{name}.exe"));
    let mut gcc = gcc(wine, model);
    gcc.arg("-static").args(sources);
    finish(gcc.arg(wine.artifact("libresup.dll.a")), &program);
    program
}

#[test]
fn a_program_with_the_macros_of_windows_uploads_in_both_thread_models() {
    for wine in both() {
        let file = wine.bench.path("文件 😀.bin");
        files::make(&file, 5_000_000, 1).unwrap();
        for model in ["win32", "posix"] {
            let receiver = Receiver::start();
            let program = build(&wine, model, model, &["tests/windows/headers.cpp"]);
            let mut command = wine.command(&program);
            command.env("RESUP_URL", receiver.endpoint());
            command.env("RESUP_FILE", windows_path(&file));
            let outcome = wine.run(&mut command);
            files::assert_same(&file, &receiver.stored_file(outcome.stdout.trim()));
        }
    }
}

#[test]
fn the_behaviour_is_the_same_as_elsewhere() {
    const SOURCES: [&str; 7] = [
        "bindings/cpp/tests/behaviour.cpp",
        "bindings/cpp/tests/runs.cpp",
        "bindings/cpp/tests/throws.cpp",
        "bindings/cpp/tests/sources.cpp",
        "bindings/cpp/tests/threads.cpp",
        "bindings/cpp/tests/settings.cpp",
        "bindings/cpp/tests/error_codes.cpp",
    ];
    for wine in both() {
        let receiver = Receiver::start();
        let forbidding =
            ScriptedServer::start_with(|_, _| Step::reply(403, r#"{"message":"not you"}"#));
        let page = || Step::reply(200, "<html>Please log in</html>");
        let only_pages = ScriptedServer::start(vec![page()]);
        let one_response = Step::reply(200, &json("partial", 0, "a"));
        let pages_later = ScriptedServer::start(vec![one_response, page()]);
        let files = wine.bench.dir("files");
        let program = build(&wine, "posix", "behaviour", &SOURCES);
        let mut command = wine.command(&program);
        command.arg(receiver.endpoint()).arg(forbidding.endpoint());
        command.arg(windows_path(&files));
        command
            .arg(only_pages.endpoint())
            .arg(pages_later.endpoint());
        let outcome = wine.run(&mut command);
        assert_eq!(outcome.stdout.trim_end(), "all of it");
        assert_eq!(receiver.check_stored(&files), 3);
    }
}

#[test]
fn a_compiler_without_futures_is_told_of_the_other_thread_model() {
    for wine in both() {
        let source = wine.bench.path("future.cpp");
        let text = "#include <resup/resup.hpp>\nvoid run(resup::Upload &it) { it.run_async(); }\n";
        std::fs::write(&source, text).unwrap();
        let mut gcc = gcc(&wine, "win32");
        let output = gcc.arg("-fsyntax-only").arg(&source).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert!(errors.contains("take the model posix"), "{errors}");
        assert_eq!(errors.matches(" error: ").count(), 1, "{errors}");
    }
}

/// Checks sources by the rules of Microsoft's compiler, as clang knows them. Microsoft's headers are not to be had: those of
/// libc++ and mingw-w64 take their place, with the few things that these lack of them.
fn check(target: &str, standard: &str, sources: &[PathBuf]) -> Output {
    let mut clang = Command::new("clang");
    clang.current_dir(root());
    clang.args([
        "--driver-mode=cl",
        &format!("--target={target}-pc-windows-msvc"),
    ]);
    clang.args(["/Zs", "/TP", "/EHsc", "/W4", "/WX", "/permissive-"]);
    clang.args(["/Zc:__cplusplus", &format!("/std:{standard}")]);
    clang.args(["/Iinclude", "/Ibindings/cpp/include"]);
    clang.args(["/clang:-nostdinc++", "/clang:-fgnuc-version=12"]);
    for headers in [libcxx(), "/usr/share/mingw-w64/include".into()] {
        clang.arg(format!("/clang:-isystem{}", headers.display()));
    }
    clang.args([
        "/D_LIBCPP_NO_VCRUNTIME",
        "/D_UCRT",
        "/D__MINGW_IMPORT=extern",
    ]);
    clang.args(["/D_strtof_l=_strtod_l", "/D_strtold_l=_strtod_l"]);
    clang.args(sources).output().unwrap()
}

/// Returns the directory of libc++'s headers.
fn libcxx() -> PathBuf {
    let entries = std::fs::read_dir("/usr/lib").unwrap();
    let versions = entries.map(|entry| entry.unwrap().path().join("include/c++/v1"));
    let found = versions.max_by_key(|path| path.join("filesystem").exists());
    found.filter(|path| path.exists()).expect("libc++-dev")
}

#[test]
fn the_headers_keep_microsofts_rules_as_far_as_clang_knows_them() {
    let sources = [
        "bindings/cpp/include/resup/resup.hpp",
        "tests/windows/headers.cpp",
    ]
    .map(PathBuf::from);
    // (The windows.h of mingw-w64 for 32 bit is for gcc only.)
    for target in ["x86_64", "aarch64"] {
        for standard in ["c++17", "c++20"] {
            let output = check(target, standard, &sources);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{target} {standard}:\n{errors}");
        }
    }
    // A mistake is found.
    let mistake = tempfile::Builder::new().suffix(".cpp").tempfile().unwrap();
    let text = "#include <resup/resup.hpp>\nint f(long long n) { resup::Client c(n); return n; }\n";
    std::fs::write(mistake.path(), text).unwrap();
    let output = check("x86_64", "c++17", &[mistake.path().to_owned()]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("no matching constructor"), "{errors}");
}
