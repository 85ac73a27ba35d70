//! Whether a failure may be tried again: the same for the same failure, in every language.
//!
//! A server that has responded by the protocol and then sends a page, or a redirect, may have a login
//! page in its place for a while: another run may succeed. A server whose first response is that is
//! probably not the right one. A 5xx that nobody knows is a 500.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;
#[allow(dead_code)]
#[path = "c/one.rs"]
mod one;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::{has, library_dir, root, Bench};
use one::One;
use resup::{ErrorKind, RefusalKind};
use resup_test_support::scripted::{json, reply_with, Read, ScriptedServer, Step};
use resup_test_support::{files, tools};

const LIMIT: Duration = Duration::from_secs(120);
/// `RESUP_E_BAD_RESPONSE`, `RESUP_E_REFUSED` and `RESUP_E_SERVER_FAILING`.
const BAD_RESPONSE: i32 = 90;
const REFUSED: i32 = 76;
const FAILING: i32 = 74;

/// Each row: the HTTP status of every response, whether a right one comes before, the code of the
/// failure, and whether it may be tried again.
const CASES: [(u16, bool, i32, bool); 8] = [
    (200, false, BAD_RESPONSE, false),
    (200, true, BAD_RESPONSE, true),
    (302, false, REFUSED, false),
    (302, true, FAILING, true),
    (511, false, REFUSED, false),
    (511, true, FAILING, true),
    (520, false, FAILING, true),
    (520, true, FAILING, true),
];

/// Sends a page with this status for everything, perhaps after one right response.
fn server(status: u16, responds_first: bool) -> ScriptedServer {
    let location = [("Location", "http://127.0.0.1:1/login")];
    let page = reply_with(status, &location, "<html>Please log in</html>");
    let page = Step::new().read(Read::All).write(page);
    match responds_first {
        true => ScriptedServer::start(vec![Step::reply(200, &json("partial", 0, "a")), page]),
        false => ScriptedServer::start(vec![page]),
    }
}

/// Runs a program that prints the failure's code and 1 or 0.
fn printed(bench: &Bench, command: &mut Command) -> (i32, bool) {
    let outcome = bench.run(command, LIMIT);
    outcome.assert_success();
    let words: Vec<i32> = outcome
        .stdout
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    (words[0], words[1] == 1)
}

/// Builds the command and the native library of the Java binding beside the library.
fn build_workspace() -> &'static Path {
    let dir = library_dir();
    let output = tools::cargo()
        .current_dir(root())
        .args(["build", "--quiet", "--workspace", "--lib", "--bin", "resup"])
        .args(["--test", "retryable", "--target-dir"])
        .arg(dir.parent().unwrap())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    dir
}

fn by_rust(url: &str, file: &Path) -> (i32, bool) {
    let client = resup::Client::new(url).unwrap();
    client.set_retry_limit(0);
    let mut upload = resup::Upload::from_file(&client, file).unwrap();
    let error = upload.run().unwrap_err();
    let code = match error.kind() {
        ErrorKind::BadResponse => BAD_RESPONSE,
        ErrorKind::Refused(RefusalKind::Other) => REFUSED,
        ErrorKind::Refused(RefusalKind::Failing) => FAILING,
        other => panic!("{other:?}: {error}"),
    };
    (code, error.is_retryable())
}

fn by_c(one: &One, url: &str, file: &Path) -> (i32, bool) {
    let settings = ["client_set_retry_limit", "0"];
    let report = one.run(one.command_of(url, file, &settings));
    let number = |name| report.text(name).parse().unwrap();
    let retryable: i32 = number("retryable");
    (number("status"), retryable == 1)
}

/// Gives `code`, if the command ends with the exit code for it.
fn by_the_command(bench: &Bench, dir: &Path, url: &str, file: &Path, code: i32) -> (i32, bool) {
    let mut command = Command::new(dir.join("resup"));
    command.args(["put", "--json", "--retries", "0"]);
    let outcome = bench.run(command.arg(file).arg(url), LIMIT);
    let exit = if code == BAD_RESPONSE { 7 } else { 6 };
    assert_eq!(outcome.status.code(), Some(exit), "{}", outcome.stderr);
    let failed = outcome
        .stdout
        .lines()
        .find(|line| line.contains(r#""event":"failed""#));
    let failed = failed.expect("the failure");
    (code, failed.contains(r#""retryable":true"#))
}

fn cpp(bench: &Bench) -> PathBuf {
    let source = ["tests/retryable/retryable.cpp"];
    bench.build_cpp("g++", "retryable-cpp", &source, &["-std=c++17"])
}

fn pascal(bench: &Bench) -> PathBuf {
    let library = bench.path("libresup.so.0.1");
    if !library.exists() {
        std::os::unix::fs::symlink(harness::shared_library(), library).unwrap();
    }
    let units = bench.dir("units");
    harness::words(
        Command::new("fpc")
            .args(["-Mdelphi", "-v0ew"])
            .arg(format!(
                "-Fu{}",
                root().join("bindings/delphi/src").display()
            ))
            .arg(format!("-FU{}", units.display()))
            .arg(format!("-FE{}", bench.path("").display()))
            .arg(root().join("tests/retryable/retryable.pas")),
    );
    bench.path("retryable")
}

/// Compiles the Java binding and the program; returns the directory of the classes.
fn java(bench: &Bench) -> PathBuf {
    let classes = bench.dir("classes");
    let sources = root().join("bindings/java/src/main/java/io/resup");
    let sources = std::fs::read_dir(sources).unwrap();
    let sources = sources.map(|entry| entry.unwrap().path());
    harness::words(
        Command::new("javac")
            .arg("-d")
            .arg(&classes)
            .args(sources.filter(|path| path.extension().is_some_and(|e| e == "java")))
            .arg(root().join("tests/retryable/Retryable.java")),
    );
    classes
}

#[test]
fn every_language_says_the_same_of_what_answers_in_place_of_the_server() {
    let bench = Bench::new();
    let one = One::new();
    let dir = build_workspace();
    let file = bench.path("file");
    files::make(&file, 100_000, 1).unwrap();
    let cpp = has("g++").then(|| cpp(&bench));
    let pascal = has("fpc").then(|| pascal(&bench));
    let java = has("javac").then(|| java(&bench));
    for (status, responds_first, code, retryable) in CASES {
        let expected = (code, retryable);
        let check = |language: &str, run: &dyn Fn(&str) -> (i32, bool)| {
            let server = server(status, responds_first);
            let found = run(&server.endpoint());
            assert_eq!(found, expected, "{language}, {status}, {responds_first}");
        };
        check("Rust", &|url| by_rust(url, &file));
        check("C", &|url| by_c(&one, url, &file));
        check("the command", &|url| {
            by_the_command(&bench, dir, url, &file, code)
        });
        for (language, built) in [("C++", &cpp), ("Pascal", &pascal)] {
            if let Some(built) = built {
                check(language, &|url| {
                    printed(&bench, Command::new(built).arg(url).arg(&file))
                });
            }
        }
        if let Some(classes) = &java {
            check("Java", &|url| {
                let mut java = Command::new("java");
                let native = dir.join("libresup_jni.so");
                java.arg(format!("-Dresup.native={}", native.display()));
                java.arg("-cp").arg(classes).arg("Retryable");
                printed(&bench, java.arg(url).arg(&file))
            });
        }
    }
}
