//! The C++ binding: programs that use it, built by two compilers, with and without sanitizers.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::{has, root, under, Bench, Outcome, VALGRIND};
use resup_test_support::receiver::Receiver;
use resup_test_support::scripted::{json, ScriptedServer, Step};

const BEHAVIOUR: [&str; 7] = [
    "bindings/cpp/tests/behaviour.cpp",
    "bindings/cpp/tests/runs.cpp",
    "bindings/cpp/tests/throws.cpp",
    "bindings/cpp/tests/sources.cpp",
    "bindings/cpp/tests/threads.cpp",
    "bindings/cpp/tests/settings.cpp",
    "bindings/cpp/tests/error_codes.cpp",
];
const NO_EXCEPTIONS: &str = "bindings/cpp/tests/no_exceptions.cpp";

const WARNINGS: [&str; 8] = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Wno-deprecated-declarations",
    "-Werror",
];

const LIMIT: Duration = Duration::from_secs(300);

fn run(bench: &Bench, program: &Path, runner: &[&str]) -> Outcome {
    let receiver = Receiver::start();
    let forbidding =
        ScriptedServer::start_with(|_, _| Step::reply(403, r#"{"message":"not you"}"#));
    let page = || Step::reply(200, "<html>Please log in</html>");
    let only_pages = ScriptedServer::start(vec![page()]);
    let one_response = Step::reply(200, &json("partial", 0, "a"));
    let pages_later = ScriptedServer::start(vec![one_response, page()]);
    let mut command = under(runner, program);
    let races = root().join("bindings/cpp/tests/tsan.supp");
    command
        .env("TSAN_OPTIONS", format!("suppressions={}", races.display()))
        .arg(receiver.endpoint())
        .arg(forbidding.endpoint())
        .arg(bench.dir("files"))
        .arg(only_pages.endpoint())
        .arg(pages_later.endpoint());
    let outcome = bench.run(&mut command, LIMIT);
    outcome.assert_success();
    assert_eq!(outcome.stdout, "all of it\n");
    // The programs without exceptions have no such files.
    let files = bench.path("files");
    if files.join("stored").exists() {
        assert_eq!(receiver.check_stored(&files), 3);
    }
    outcome
}

/// Builds and runs a program, if the compiler is installed.
fn uploads(compiler: &str, sources: &[&str], flags: &[&str], runner: &[&str]) {
    if has(compiler) {
        let bench = Bench::new();
        let flags: Vec<_> = WARNINGS.iter().chain(flags).copied().collect();
        let program = bench.build_cpp(compiler, "program", sources, &flags);
        run(&bench, &program, runner);
    }
}

#[test]
fn a_cpp17_program_by_gcc_uploads() {
    uploads("g++", &BEHAVIOUR, &["-std=c++17"], &[]);
}

#[test]
fn a_cpp20_program_by_clang_uploads() {
    uploads("clang++", &BEHAVIOUR, &["-std=c++20"], &[]);
}

#[test]
fn it_is_clean_under_address_and_undefined_behaviour_sanitizers() {
    let flags = [
        "-std=c++20",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    uploads("g++", &BEHAVIOUR, &flags, &[]);
}

#[test]
fn it_is_clean_under_the_thread_sanitizer() {
    uploads("g++", &BEHAVIOUR, &["-std=c++20", "-fsanitize=thread"], &[]);
}

#[test]
fn it_is_clean_under_valgrind() {
    if has("valgrind") {
        uploads("g++", &BEHAVIOUR, &["-std=c++20", "-O1"], &VALGRIND);
    }
}

#[test]
fn it_works_without_exceptions() {
    for compiler in ["g++", "clang++"] {
        uploads(
            compiler,
            &[NO_EXCEPTIONS],
            &["-std=c++17", "-fno-exceptions"],
            &[],
        );
    }
}

/// Compiles headers, each alone.
fn compiles(compiler: &str, standard: &str, headers: &[PathBuf]) {
    let output = Command::new(compiler)
        .args([standard, "-fsyntax-only", "-x", "c++"])
        .args(WARNINGS)
        // Macros of X11 and Windows.
        .args(["-DStatus=int", "-DBool=int", "-DNone=0L", "-DERROR=0"])
        .arg("-I")
        .arg(root().join("include"))
        .arg("-I")
        .arg(root().join("bindings/cpp/include"))
        .args(headers)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler} {standard}:\n{errors}");
}

#[test]
fn the_headers_compile_by_every_standard() {
    let dir = root().join("bindings/cpp/include/resup");
    let all = [dir.join("resup.hpp")];
    for compiler in ["g++", "clang++"].into_iter().filter(|name| has(name)) {
        for standard in ["-std=c++17", "-std=c++20", "-std=c++2b"] {
            compiles(compiler, standard, &all);
        }
    }
    let entries = std::fs::read_dir(dir).unwrap();
    let each: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(each.len() >= 5);
    if has("g++") {
        compiles("g++", "-std=c++17", &each);
    }
}

/// An older standard is told in one line, and not by what fails for it.
#[test]
fn an_older_standard_is_named_first_and_alone() {
    let bench = Bench::new();
    let source = bench.path("old.cpp");
    std::fs::write(&source, "#include <resup/resup.hpp>\n").unwrap();
    for compiler in ["g++", "clang++"].into_iter().filter(|name| has(name)) {
        let output = Command::new(compiler)
            .args(["-std=c++14", "-fsyntax-only"])
            .args(
                ["include", "bindings/cpp/include"]
                    .map(|dir| format!("-I{}", root().join(dir).display())),
            )
            .arg(&source)
            .output()
            .unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        let errors: Vec<_> = said
            .lines()
            .filter(|line| line.contains("error:"))
            .collect();
        assert_eq!(errors.len(), 1, "{said}");
        assert!(
            errors[0].contains("needs C++17 or later: compile with -std=c++17"),
            "{said}"
        );
    }
}

#[test]
fn the_binding_calls_every_function_of_the_c_api() {
    let dir = root().join("bindings/cpp/include/resup");
    let text: String = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    let names = include_str!("exports.txt").lines();
    // The UTF-16 ones are made by RESUP_NATIVE; a program asks for the version in C.
    let wanted = names.filter(|name| !name.ends_with("_utf16") && !name.contains("version"));
    let called = |name: &&str| {
        let follows = |at: usize| text[at + name.len()..].starts_with(['(', ',', ')']);
        text.match_indices(*name).any(|(at, _)| follows(at))
    };
    let missing: Vec<_> = wanted.filter(|name| !called(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
