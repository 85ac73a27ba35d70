//! The C ABI: its symbols, and C programs that use and misuse it.
#![cfg(target_os = "linux")]

#[path = "c/forks.rs"]
mod forks;
#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;
#[path = "c/networks.rs"]
mod networks;
#[path = "c/one.rs"]
mod one;
#[path = "c/programs.rs"]
mod programs;
#[path = "c/protocols.rs"]
mod protocols;
#[path = "c/scripted.rs"]
mod scripted;
#[path = "c/settings.rs"]
mod settings;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use harness::{has, root, shared_library, under, Bench, Outcome, VALGRIND};
use programs::{hanging_server, BEHAVIOUR, FLOAT, MISUSE};
use resup_digests::{Algorithm, Digest};
use resup_test_support::receiver::Receiver;
use resup_test_support::{files, guide, runs, tools};

const LIMIT: Duration = Duration::from_secs(120);
const VALGRIND_LIMIT: Duration = Duration::from_secs(600);

fn output_of(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool)
        .args(arguments)
        .arg(shared_library())
        .output()
        .unwrap_or_else(|e| panic!("{tool}: {e}"));
    assert!(output.status.success(), "{tool} {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn listed_exports() -> BTreeSet<String> {
    let list = include_str!("exports.txt").lines().map(str::to_owned);
    list.collect()
}

#[test]
fn the_library_exports_what_the_list_says_and_nothing_else() {
    let symbols = output_of("nm", &["-D", "--defined-only"]);
    let exported: BTreeSet<_> = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .map(str::to_owned)
        .collect();
    let listed = listed_exports();
    let more: Vec<_> = exported.difference(&listed).collect();
    let fewer: Vec<_> = listed.difference(&exported).collect();
    assert!(
        more.is_empty() && fewer.is_empty(),
        "tests/exports.txt is not current; exported and not listed: {more:?}; \
         listed and not exported: {fewer:?}"
    );
    let foreign: Vec<_> = exported
        .iter()
        .filter(|n| !n.starts_with("resup_"))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let lines: Vec<_> = include_str!("exports.txt").lines().collect();
    assert!(
        lines.is_sorted() && lines.len() == listed.len(),
        "the list is sorted"
    );
}

/// Finds the names before a `(` in a C text, without its comments.
fn called_or_declared(text: &str) -> BTreeSet<String> {
    let code: String = text
        .split("/*")
        .map(|piece| piece.split_once("*/").map_or(piece, |(_, code)| code))
        .collect();
    let names = code.match_indices('(').filter_map(|(at, _)| {
        let mut words = code[..at].rsplit(|c: char| c != '_' && !c.is_alphanumeric());
        words.next().filter(|name| name.starts_with("resup_"))
    });
    names.map(str::to_owned).collect()
}

#[test]
fn the_header_declares_what_the_library_exports() {
    let header = std::fs::read_to_string(root().join("include/resup.h")).unwrap();
    assert_eq!(called_or_declared(&header), listed_exports());
}

/// Returns the setters that `one.c` calls, which the tests of settings run.
fn settings_of_one() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("tests/c/one.c")).unwrap();
    let calls = text.split("SETTING(").skip(2);
    let names = calls.map(|rest| format!("resup_{}", rest.split(',').next().unwrap()));
    names.collect()
}

#[test]
fn the_behaviour_program_calls_every_function() {
    let called: BTreeSet<_> = BEHAVIOUR
        .iter()
        .map(|name| std::fs::read_to_string(root().join("tests/c").join(name)).unwrap())
        .flat_map(|text| called_or_declared(&text))
        .chain(settings_of_one())
        .collect();
    let missing: Vec<_> = listed_exports().difference(&called).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_library_has_its_soname_and_stays_loaded() {
    let dynamic = output_of("readelf", &["-d", "-W"]);
    let line = |tag: &str| {
        dynamic
            .lines()
            .find(|line| line.contains(tag))
            .unwrap_or("")
    };
    assert!(line("(SONAME)").contains("[libresup.so.0.1]"), "{dynamic}");
    assert!(line("(FLAGS_1)").contains("NODELETE"), "{dynamic}");
}

#[test]
fn the_test_programs_compile_without_warnings() {
    let sources: Vec<_> = std::fs::read_dir(root().join("tests/c"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "c"))
        .collect();
    assert!(sources.len() > 15);
    for compiler in ["gcc", "clang"] {
        if has(compiler) {
            harness::check_warnings(compiler, &sources);
        }
    }
}

fn behaviour(
    bench: &Bench,
    runner: &[&str],
    size: &str,
    patience: &str,
    limit: Duration,
) -> Outcome {
    let (receiver, hanging) = (Receiver::start(), hanging_server());
    let program = bench.build("behaviour", &BEHAVIOUR, &[]);
    let mut command = under(runner, &program);
    command
        .arg(receiver.endpoint())
        .arg(bench.dir("files"))
        .arg(receiver.data())
        .arg(hanging.endpoint())
        .args([size, patience]);
    bench.run(&mut command, limit)
}

#[test]
fn a_program_that_keeps_the_rules_gets_what_the_header_promises() {
    let outcome = behaviour(&Bench::new(), &[], "48", "100", LIMIT);
    println!("{}", outcome.stdout);
    outcome.assert_success();
}

#[test]
fn a_program_that_unmasks_floating_point_exceptions_keeps_them_unmasked() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let program = bench.build("float", &FLOAT, &[]);
    let mut command = Command::new(program);
    command.arg(receiver.endpoint());
    let outcome = bench.run(&mut command, LIMIT);
    println!("{}", outcome.stdout);
    outcome.assert_success();
}

#[test]
fn a_program_that_breaks_the_rules_gets_errors_and_no_crash() {
    let bench = Bench::new();
    let program = bench.build("misuse", &MISUSE, &[]);
    // The number of random calls of one thread; each of several makes a tenth of it. Fewer do not make every mistake.
    let calls: u32 = runs::count(200_000);
    let calls = calls.max(20_000);
    let mut command = Command::new(program);
    command.arg(bench.dir("files"));
    command.args([calls, calls / 10].map(|it| it.to_string()));
    let outcome = bench.run(&mut command, LIMIT * (1 + calls / 200_000));
    println!("{}", outcome.stdout);
    outcome.assert_success();
}

#[test]
fn misuse_is_clean_with_the_address_sanitizer() {
    let bench = Bench::new();
    let probe = bench.path("probe.c");
    std::fs::write(&probe, "int main(void) { return 0; }\n").unwrap();
    let cc = std::env::var("CC").unwrap_or("cc".to_owned());
    let supported = Command::new(cc)
        .args(["-fsanitize=address", "-o"])
        .arg(bench.path("probe"))
        .arg(&probe)
        .output()
        .is_ok_and(|output| output.status.success());
    if !supported {
        tools::skip("the compiler has no address sanitizer");
        return;
    }
    let program = bench.build("misuse-asan", &MISUSE, &["-fsanitize=address"]);
    let mut command = Command::new(program);
    command.arg(bench.dir("files")).args(["50000", "5000"]);
    let outcome = bench.run(&mut command, LIMIT);
    println!("{}", outcome.stdout);
    outcome.assert_success();
}

#[test]
fn behaviour_is_clean_under_valgrind() {
    if has("valgrind") {
        let outcome = behaviour(&Bench::new(), &VALGRIND, "8", "2000", VALGRIND_LIMIT);
        outcome.assert_success();
    }
}

#[test]
fn misuse_is_clean_under_valgrind() {
    if has("valgrind") {
        let bench = Bench::new();
        let program = bench.build("misuse", &MISUSE, &[]);
        let mut command = under(&VALGRIND, &program);
        command.arg(bench.dir("files")).args(["10000", "1500"]);
        bench.run(&mut command, VALGRIND_LIMIT).assert_success();
    }
}

/// Not even perhaps, which many programs' tests do not allow. What a thread has is left out, as the guide says, where the program
/// does not free its handles.
#[test]
fn a_program_has_lost_no_memory_at_its_end() {
    if !has("valgrind") {
        return;
    }
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (file, threads) = (bench.path("file.bin"), bench.path("threads.supp"));
    files::make(&file, 1 << 20, 1).unwrap();
    let heading = "Memory at the end, and valgrind";
    std::fs::write(&threads, guide::section("threads.md", heading, "text")).unwrap();
    let program = bench.build("unfreed", &["unfreed.c", "statuses.c", "check.c"], &[]);
    let suppressions = format!("--suppressions={}", threads.display());
    for (options, more) in [(None, Some("free")), (Some(&*suppressions), None)] {
        let runner: Vec<_> = VALGRIND.into_iter().chain(options).collect();
        let mut command = under(&runner, &program);
        command.arg(receiver.endpoint()).arg(&file).args(more);
        bench.run(&mut command, VALGRIND_LIMIT).assert_success();
    }
}

#[test]
fn the_librarys_threads_keep_their_code_when_it_is_unloaded() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let file = bench.path("file.bin");
    files::make(&file, 24 << 20, 1).unwrap();
    let program = bench.build_alone("unload", &["unload.c", "check.c"]);
    let mut command = Command::new(program);
    command.arg(shared_library());
    command.arg(receiver.endpoint()).arg(&file);
    bench.run(&mut command, LIMIT).assert_success();
}

#[test]
fn the_example_uploads_when_linked_statically() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let file = bench.path("file.bin");
    files::make(&file, 3 << 20, 2).unwrap();
    let program = bench.build_static("upload", &["examples/c/upload.c"]);
    let mut command = Command::new(program);
    command.arg(receiver.endpoint()).arg(&file);
    let outcome = bench.run(&mut command, LIMIT);
    outcome.assert_success();
    let id = outcome.stdout.trim().split_once(" id=").expect("an id").1;
    files::assert_same(&file, &receiver.stored_file(id));
    // The server may use any of them.
    let content = std::fs::read(&file).unwrap();
    let digest = |algorithm: Algorithm| {
        let hex = Digest::of(algorithm, &content).hex();
        format!("digest={}:{hex} ", algorithm.name())
    };
    let told = Algorithm::ALL.map(digest);
    assert!(
        told.iter().any(|told| outcome.stdout.contains(told)),
        "{}",
        outcome.stdout
    );
}
