//! The C ABI as C programs see it: its symbols, and programs that use and misuse it.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/host.rs"]
mod host;
#[path = "c/networks.rs"]
mod networks;
#[path = "c/one.rs"]
mod one;
#[path = "c/programs.rs"]
mod programs;
#[path = "c/scripted.rs"]
mod scripted;
#[path = "c/settings.rs"]
mod settings;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use host::{has, root, shared_library, under, Bench, Ended, VALGRIND};
use programs::{hanging_server, BEHAVIOUR, FLOAT, MISUSE};
use resup_test_support::files;
use resup_test_support::receiver::Receiver;
use resup_test_support::tools;

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

fn kept_exports() -> BTreeSet<String> {
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
    let kept = kept_exports();
    let more: Vec<_> = exported.difference(&kept).collect();
    let fewer: Vec<_> = kept.difference(&exported).collect();
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
        lines.is_sorted() && lines.len() == kept.len(),
        "the list is sorted"
    );
}

/// Names that are followed by `(` in a C text, its comments left out.
fn called_or_declared(text: &str) -> BTreeSet<String> {
    let code: String = text
        .split("/*")
        .map(|piece| piece.split_once("*/").map_or(piece, |(_, code)| code))
        .collect();
    let names = code.match_indices('(').filter_map(|(at, _)| {
        let name = code[..at].rsplit(|c: char| c != '_' && !c.is_alphanumeric());
        name.into_iter().next()
    });
    let names = names.filter(|name| name.starts_with("resup_"));
    names.map(str::to_owned).collect()
}

#[test]
fn header_and_exports_are_the_same() {
    let header = std::fs::read_to_string(root().join("include/resup.h")).unwrap();
    assert_eq!(called_or_declared(&header), kept_exports());
}

/// What `one.c` sets by name, as every test of a setting has it do.
fn settings_of_one() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("tests/c/one.c")).unwrap();
    let names = text.split("SETTING(").skip(2);
    let names = names.map(|rest| format!("resup_{}", rest.split(',').next().unwrap()));
    names.collect()
}

#[test]
fn the_behaviour_test_calls_every_function() {
    let called: BTreeSet<_> = BEHAVIOUR
        .iter()
        .map(|name| std::fs::read_to_string(root().join("tests/c").join(name)).unwrap())
        .flat_map(|text| called_or_declared(&text))
        .chain(settings_of_one())
        .collect();
    let missing: Vec<_> = kept_exports().difference(&called).cloned().collect();
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
    let sources = std::fs::read_dir(root().join("tests/c")).unwrap();
    let sources: Vec<_> = sources
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "c"))
        .collect();
    assert!(sources.len() > 15);
    for compiler in ["gcc", "clang"] {
        if has(compiler) {
            host::check_warnings(compiler, &sources);
        }
    }
}

fn behaviour(bench: &Bench, runner: &[&str], size: &str, patience: &str, limit: Duration) -> Ended {
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
    let ended = behaviour(&Bench::new(), &[], "48", "100", LIMIT);
    println!("{}", ended.stdout);
    ended.assert_success();
}

#[test]
fn a_host_with_floating_point_exceptions_unmasked_keeps_them_so() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let program = bench.build("float", &FLOAT, &[]);
    let mut command = Command::new(program);
    command.arg(receiver.endpoint());
    let ended = bench.run(&mut command, LIMIT);
    println!("{}", ended.stdout);
    ended.assert_success();
}

#[test]
fn a_program_that_breaks_the_rules_gets_errors_and_no_crash() {
    let bench = Bench::new();
    let program = bench.build("misuse", &MISUSE, &[]);
    let mut command = Command::new(program);
    command.arg(bench.dir("files")).args(["200000", "20000"]);
    let ended = bench.run(&mut command, LIMIT);
    println!("{}", ended.stdout);
    ended.assert_success();
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
    let ended = bench.run(&mut command, LIMIT);
    println!("{}", ended.stdout);
    ended.assert_success();
}

#[test]
fn behaviour_is_clean_under_valgrind() {
    if has("valgrind") {
        let ended = behaviour(&Bench::new(), &VALGRIND, "8", "2000", VALGRIND_LIMIT);
        ended.assert_success();
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

#[test]
fn unloading_the_library_takes_no_code_from_its_threads() {
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
    let ended = bench.run(&mut command, LIMIT);
    ended.assert_success();
    let id = ended.stdout.trim().split_once(" id=").expect("an id").1;
    files::assert_same(&file, &receiver.stored_file(id));
    let md5 = files::md5_hex(&file).unwrap();
    assert!(
        ended.stdout.contains(&format!("md5={md5}")),
        "{}",
        ended.stdout
    );
}
