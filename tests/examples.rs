//! The examples in Rust, C and C++: that they compile without a warning and do what they say.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/host.rs"]
mod host;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use host::{has, library_dir, root, Bench};
use resup_test_support::desktop::{Desktop, Running};
use resup_test_support::files;
use resup_test_support::receiver::Receiver;
use resup_test_support::tools;

const LIMIT: Duration = Duration::from_secs(60);
/// For what has to be compiled first, perhaps behind another build.
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

fn made(bench: &Bench, name: &str, size: u64) -> PathBuf {
    let path = bench.path(name);
    files::make(&path, size, size).unwrap();
    path
}

/// Looks whether what a line of the output calls complete is the file.
#[track_caller]
fn arrived(output: &str, receiver: &Receiver, file: &Path) {
    let name = file.to_str().unwrap();
    let line = output.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("nothing of {name} in {output}"));
    let (_, id) = line.split_once("complete, id=").expect(line);
    files::assert_same(file, &receiver.stored_file(id));
}

#[test]
fn the_rust_program_uploads() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let file = made(&bench, "one", 3_000_000);
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
        let ended = run(&file);
        ended.assert_success();
        assert!(ended.stdout.contains(sent), "{}", ended.stdout);
        assert!(ended.stderr.contains("100.0 %"), "{}", ended.stderr);
        let line = ended.stdout.replace(sent, "");
        arrived(&line, &receiver, &file);
    }
    let ended = run(&bench.path("missing"));
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert!(ended.stdout.contains("does not exist"), "{}", ended.stdout);
}

#[test]
fn poll_uploads_several_files_from_one_loop() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let program = bench.build("poll", &["examples/c/poll.c"], &C);
    let (one, two) = (made(&bench, "one", 3_000_000), made(&bench, "two", 10));
    let mut command = Command::new(program);
    command.arg(receiver.endpoint()).args([&one, &two]);
    let ended = bench.run(command.arg("missing").stdin(Stdio::null()), LIMIT);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stdout);
    arrived(&ended.stdout, &receiver, &one);
    arrived(&ended.stdout, &receiver, &two);
    assert!(ended.stdout.contains("missing: "), "{}", ended.stdout);
}

#[test]
fn poll_obeys_its_keys() {
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
    let ended = bench.run(&mut command, LIMIT);
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stdout.contains("cancelled"), "{}", ended.stdout);
}

#[test]
fn stream_uploads_what_is_on_no_disk() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let program = bench.build("stream", &["examples/c/stream.c"], &C);
    let mut command = Command::new(program);
    command.arg(receiver.endpoint()).arg("100000");
    let ended = bench.run(&mut command, LIMIT);
    ended.assert_success();
    let (_, id) = ended.stdout.trim().split_once("id=").unwrap();
    let stored = std::fs::read_to_string(receiver.stored_file(id)).unwrap();
    let wanted: String = (0..100_000).map(|n| format!("{n:015}\n")).collect();
    assert!(stored == wanted);
}

#[test]
fn the_cpp_program_uploads_side_by_side() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    for compiler in ["g++", "clang++"].into_iter().filter(|name| has(name)) {
        let source = ["examples/cpp/upload.cpp"];
        let program = bench.build_cpp(compiler, compiler, &source, &CPP);
        let all = [0, 10, 3_000_000].map(|size| made(&bench, &format!("{compiler}-{size}"), size));
        let mut command = Command::new(program);
        let ended = bench.run(command.arg(receiver.endpoint()).args(&all), LIMIT);
        ended.assert_success();
        for file in &all {
            arrived(&ended.stdout, &receiver, file);
        }
        assert!(ended.stderr.contains("100.0 %"), "{}", ended.stderr);
    }
}

/// Where the window has its buttons.
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
    let flags = host::words(Command::new("fltk-config").args(["--cxxflags", "--ldflags"]));
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

    let small = made(&bench, "small", 3_000_000);
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
    let sends = || receiver.requests("send");
    let before = sends();
    window.click(PAUSE.0, PAUSE.1);
    receiver.wait_for("an interrupted send", |_| sends() == before + 1);
    picture("window-paused.png");
    let locates = || receiver.requests("locate");
    let asked = locates();
    window.click(PAUSE.0, PAUSE.1);
    receiver.wait_for("a locate after the pause", |_| locates() == asked + 1);
    thread::sleep(Duration::from_millis(500));
    window.click(CANCEL.0, CANCEL.1);
    receiver.wait_for("a cancelled send", |_| sends() == before + 2);
    thread::sleep(Duration::from_millis(300));
    picture("window-cancelled.png");
}

const INDEX: &str = include_str!("../examples/README.md");

/// The command after "Build" in the comment that a program begins with, as one line.
fn build_command(source: &str) -> String {
    let text = std::fs::read_to_string(root().join(source)).unwrap();
    let (comment, _) = text.split_once("*/").unwrap();
    let (_, after) = comment.split_once(" * Build, ").expect(source);
    let (_, command) = after.split_once('\n').unwrap();
    let lines = command.lines().map(|line| line.trim_start_matches(" *"));
    let words = lines.flat_map(str::split_whitespace);
    let words: Vec<_> = words.filter(|word| *word != "\\").collect();
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

/// All are run here, but for c/upload.c, which tests/c_abi.rs runs.
const PROGRAMS: [&str; 6] = [
    "c/poll.c",
    "c/stream.c",
    "c/upload.c",
    "cpp/upload.cpp",
    "cpp/window.cpp",
    "upload.rs",
];

/// The files in a directory of the examples, as the index names them.
fn listed(dir: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join("examples").join(dir)).unwrap();
    let entries = entries.map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file() && !path.ends_with("README.md"));
    let root = root().join("examples");
    let names = files.map(|file| file.strip_prefix(&root).unwrap().display().to_string());
    names.collect()
}

#[test]
fn every_example_is_tested() {
    let mut all = ["", "c", "cpp"].map(listed).concat();
    all.sort();
    assert_eq!(all, PROGRAMS);
}

#[test]
fn the_index_names_every_example() {
    let mut all = ["", "c", "cpp", "java", "delphi"].map(listed).concat();
    all.extend(["delphi/window", "receivers/php", "receivers/tomcat"].map(str::to_owned));
    for name in all {
        let link = format!("| [{name}]({name}) |");
        assert!(INDEX.contains(&link), "{name}");
    }
}
