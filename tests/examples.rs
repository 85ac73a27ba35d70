//! The examples in Rust, C and C++ compile without a warning and do what they say.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use harness::{has, library_dir, root, Bench};
use resup_digests::{Algorithm, Digest};
use resup_test_support::desktop::{Desktop, Running};
use resup_test_support::files;
use resup_test_support::receiver::Receiver;
use resup_test_support::tools;

const LIMIT: Duration = Duration::from_secs(60);
/// The limit for a command that compiles, perhaps after another build has ended.
const BUILD: Duration = Duration::from_secs(600);
const C: [&str; 6] = [
    "-D_POSIX_C_SOURCE=200809L",
    "-pedantic",
    "-Wconversion",
    "-Wshadow",
    "-O2",
    "-D_FORTIFY_SOURCE=2",
];
const CPP: [&str; 6] = [
    "-std=c++17",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wshadow",
    "-Werror",
];

fn make_file(bench: &Bench, name: &str, size: u64) -> PathBuf {
    let path = bench.path(name);
    files::make(&path, size, size).unwrap();
    path
}

/// Checks that the output has a line which says that the file is complete, and that it is.
#[track_caller]
fn assert_complete(output: &str, receiver: &Receiver, file: &Path) {
    let name = file.to_str().unwrap();
    let mut lines = output.lines().filter(|line| line.starts_with(name));
    let line = lines
        .next()
        .unwrap_or_else(|| panic!("nothing of {name} in {output}"));
    let (_, rest) = line.split_once("complete, id=").expect(line);
    let id = rest.split(',').next().unwrap();
    files::assert_same(file, &receiver.stored_file(id));
}

/// Checks that the output has the digest by which client and receiver compare the file.
#[track_caller]
fn assert_digest(output: &str, file: &Path) {
    let content = Digest::of(Algorithm::Blake3, &std::fs::read(file).unwrap());
    let digest = format!("blake3:{}", content.hex());
    assert!(output.contains(&digest), "{digest} is not in {output}");
}

#[test]
fn the_rust_program_uploads() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let file = make_file(&bench, "one", 3_000_000);
    let run = |file: &Path| {
        let mut command = tools::cargo();
        command.args(["run", "--quiet", "--example", "upload", "--target-dir"]);
        command.arg(library_dir().parent().unwrap()).arg("--");
        command
            .current_dir(root())
            .arg(receiver.endpoint())
            .arg(file);
        bench.run(&mut command, BUILD)
    };
    for sent in ["sent=3000000 skipped=0 ", "sent=0 skipped=3000000 "] {
        let outcome = run(&file);
        outcome.assert_success();
        assert!(outcome.stdout.contains(sent), "{}", outcome.stdout);
        assert!(outcome.stderr.contains("100.0 %"), "{}", outcome.stderr);
        assert_digest(&outcome.stdout, &file);
        let line = outcome.stdout.replace(sent, "");
        assert_complete(&line, &receiver, &file);
    }
    let outcome = run(&bench.path("missing"));
    assert_eq!(outcome.status.code(), Some(1), "{}", outcome.stderr);
    assert!(
        outcome.stdout.contains("does not exist"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn poll_uploads_several_files_from_one_loop() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let program = bench.build("poll", &["examples/c/poll.c"], &C);
    let (one, two) = (
        make_file(&bench, "one", 3_000_000),
        make_file(&bench, "two", 10),
    );
    let mut command = Command::new(program);
    command.arg(receiver.endpoint()).args([&one, &two]);
    let outcome = bench.run(command.arg("missing").stdin(Stdio::null()), LIMIT);
    assert_eq!(outcome.status.code(), Some(1), "{}", outcome.stdout);
    assert_complete(&outcome.stdout, &receiver, &one);
    assert_complete(&outcome.stdout, &receiver, &two);
    assert!(outcome.stdout.contains("missing: "), "{}", outcome.stdout);
}

#[test]
fn poll_pauses_resumes_and_cancels_by_keys() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let program = bench.build("poll", &["examples/c/poll.c"], &C);
    let file = bench.path("large");
    // Sparse, and more than goes out before the keys are read.
    let large = std::fs::File::create(&file).unwrap();
    large.set_len(20_000_000_000).unwrap();
    let keys = bench.path("keys");
    std::fs::write(&keys, "prq").unwrap();
    let mut command = Command::new(program);
    command.arg(receiver.endpoint()).arg(&file);
    command.stdin(std::fs::File::open(&keys).unwrap());
    let outcome = bench.run(&mut command, LIMIT);
    assert_eq!(outcome.status.code(), Some(1));
    assert!(outcome.stdout.contains("cancelled"), "{}", outcome.stdout);
}

#[test]
fn stream_uploads_what_it_makes_on_the_way() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let program = bench.build("stream", &["examples/c/stream.c"], &C);
    let mut command = Command::new(program);
    command.arg(receiver.endpoint()).arg("100000");
    let outcome = bench.run(&mut command, LIMIT);
    outcome.assert_success();
    let (_, id) = outcome.stdout.trim().split_once("id=").unwrap();
    assert_digest(&outcome.stdout, &receiver.stored_file(id));
    let stored = std::fs::read_to_string(receiver.stored_file(id)).unwrap();
    let wanted: String = (0..100_000).map(|n| format!("{n:015}\n")).collect();
    assert!(stored == wanted);
}

#[test]
fn the_cpp_program_uploads_several_files_at_once() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    for compiler in ["g++", "clang++"].into_iter().filter(|name| has(name)) {
        let source = ["examples/cpp/upload.cpp"];
        let program = bench.build_cpp(compiler, compiler, &source, &CPP);
        let all =
            [0, 10, 3_000_000].map(|size| make_file(&bench, &format!("{compiler}-{size}"), size));
        let mut command = Command::new(program);
        let outcome = bench.run(command.arg(receiver.endpoint()).args(&all), LIMIT);
        outcome.assert_success();
        for file in &all {
            assert_digest(&outcome.stdout, file);
            assert_complete(&outcome.stdout, &receiver, file);
        }
        assert!(outcome.stderr.contains("100.0 %"), "{}", outcome.stderr);
    }
}

/// The places of the buttons in the window.
const UPLOAD: (u32, u32) = (260, 174);
const PAUSE: (u32, u32) = (360, 174);
const CANCEL: (u32, u32) = (460, 174);

#[test]
fn the_window_uploads_pauses_and_cancels() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let Some(desktop) = Desktop::start() else {
        return;
    };
    if !has("fltk-config") {
        return;
    }
    let flags = harness::words(Command::new("fltk-config").args(["--cxxflags", "--ldflags"]));
    let flags: Vec<_> = ["-std=c++17", "-Wall", "-Wextra", "-Werror"]
        .into_iter()
        .chain(flags.iter().map(String::as_str))
        .collect();
    let program = bench.build_cpp("g++", "window", &["examples/cpp/window.cpp"], &flags);
    let shots = std::env::var_os("RESUP_TEST_PICTURES").map(PathBuf::from);
    let picture = |name: &str| {
        if let Some(dir) = &shots {
            desktop.picture(&dir.join(name));
        }
    };
    let open = |file: &Path| {
        let mut command = desktop.command(&program);
        Running::start(command.arg(receiver.endpoint()).arg(file))
    };

    let small = make_file(&bench, "small", 3_000_000);
    let running = open(&small);
    let window = desktop.window("Upload");
    picture("window-ready.png");
    window.click(UPLOAD.0, UPLOAD.1);
    receiver.wait_for("complete", |line| line.contains("to=3000000 "));
    thread::sleep(Duration::from_millis(300));
    picture("window-complete.png");
    drop(running);

    // Sparse, and more than goes out meanwhile.
    let large = bench.path("large");
    let file = std::fs::File::create(&large).unwrap();
    file.set_len(50_000_000_000).unwrap();
    let _running = open(&large);
    let window = desktop.window("Upload");
    window.click(UPLOAD.0, UPLOAD.1);
    receiver.wait_for("a locate", |line| {
        line.contains("action=\"locate\"") && line.contains("from=0 to=0 ")
    });
    thread::sleep(Duration::from_millis(500));
    picture("window-sending.png");
    let before = receiver.broken_sends();
    window.click(PAUSE.0, PAUSE.1);
    receiver.wait_for("an interrupted send", |_| receiver.broken_sends() > before);
    picture("window-paused.png");
    let locates = || receiver.requests("locate");
    let asked = locates();
    window.click(PAUSE.0, PAUSE.1);
    receiver.wait_for("a locate after the pause", |_| locates() > asked);
    thread::sleep(Duration::from_millis(500));
    let before = receiver.broken_sends();
    window.click(CANCEL.0, CANCEL.1);
    receiver.wait_for("a cancelled send", |_| receiver.broken_sends() > before);
    thread::sleep(Duration::from_millis(300));
    picture("window-cancelled.png");
}

const INDEX: &str = include_str!("../examples/README.md");

/// Reads the command after "Build" in the comment at the head of a program, as one line.
fn build_command(source: &str) -> String {
    let text = std::fs::read_to_string(root().join(source)).unwrap();
    let (comment, _) = text.split_once("*/").unwrap();
    let (_, after) = comment.split_once(" * Build, ").expect(source);
    let (_, command) = after.split_once('\n').unwrap();
    let words: Vec<_> = command
        .lines()
        .flat_map(|line| line.trim_start_matches(" *").split_whitespace())
        .filter(|word| *word != "\\")
        .collect();
    words.join(" ")
}

#[test]
fn the_commands_in_comments_and_index_build_the_programs() {
    let bench = Bench::new();
    let index: Vec<_> = INDEX.split_whitespace().filter(|w| *w != "\\").collect();
    let index = index.join(" ");
    for source in PROGRAMS.into_iter().filter(|source| source.contains('/')) {
        let source = format!("examples/{source}");
        let command = build_command(&source);
        assert!(index.contains(&command), "{command}");
        if source.ends_with("window.cpp") && !has("fltk-config") {
            continue;
        }
        let (command, name) = command.rsplit_once(" -o ").unwrap();
        let libraries = library_dir().display().to_string();
        let command = command
            .replace("$PWD/target/release", &libraries)
            .replace("target/release", &libraries);
        let program = bench.path(name);
        let _ = std::fs::remove_file(&program);
        let mut shell = Command::new("sh");
        let line = format!("{command} -o {}", program.display());
        shell.current_dir(root()).arg("-c").arg(line);
        bench.run(&mut shell, BUILD).assert_success();
        assert!(program.exists());
    }
}

/// The tests above run all but c/upload.c, which tests/c_abi.rs runs.
const PROGRAMS: [&str; 6] = [
    "c/poll.c",
    "c/stream.c",
    "c/upload.c",
    "cpp/upload.cpp",
    "cpp/window.cpp",
    "upload.rs",
];

/// Lists the files in a directory of the examples, as the index names them.
fn files_in(dir: &str) -> Vec<String> {
    let examples = root().join("examples");
    let entries = std::fs::read_dir(examples.join(dir)).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.ends_with("README.md"))
        .map(|path| path.strip_prefix(&examples).unwrap().display().to_string())
        .collect()
}

#[test]
fn every_example_is_tested() {
    let mut all = ["", "c", "cpp"].map(files_in).concat();
    all.sort();
    assert_eq!(all, PROGRAMS);
}

#[test]
fn the_index_names_every_example() {
    let mut all = ["", "c", "cpp", "java", "delphi"].map(files_in).concat();
    all.extend(["delphi/window", "receivers/php", "receivers/tomcat"].map(str::to_owned));
    for name in all {
        let link = format!("| [{name}]({name}) |");
        assert!(INDEX.contains(&link), "{name}");
    }
}
