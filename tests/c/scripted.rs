//! Servers that answer wrongly: what a C program is told about each.

mod answers;
mod limits;
mod recoveries;
mod refusals;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use resup_test_support::files;
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{json, reply, reply_with, End, Read, ScriptedServer, Step};

use super::host::Bench;

/// No case takes more than some seconds; one that is not done by then hangs.
const WATCHDOG: Duration = Duration::from_secs(60);

const SIZE: u64 = 100_000;
const BIG: u64 = 64 << 20;

type Script = fn(&RequestHead) -> Step;

/// A server, and what `one` has to print after an upload to it.
struct Case {
    name: &'static str,
    script: Script,
    status: i32,
    http: i32,
    retryable: bool,
    attempts: u32,
    /// What the error message has to contain.
    error: &'static [&'static str],
    size: u64,
}

const CASE: Case = Case {
    name: "",
    script: |_| Step::new(),
    status: 0,
    http: 200,
    retryable: false,
    attempts: 1,
    error: &[],
    size: SIZE,
};

/// Locates are answered as for a new upload, sends by `step`.
fn send(head: &RequestHead, step: impl FnOnce() -> Step) -> Step {
    match head.boundary() {
        None => Step::reply(200, &json("new", 0, "k")),
        Some(_) => step(),
    }
}

fn raw(bytes: impl Into<Vec<u8>>) -> Step {
    Step::new().read(Read::All).write(bytes).end(End::Close)
}

fn refused(status: u16) -> Step {
    Step::reply(status, r#"{"message":"因为 not today"}"#)
}

/// An answer to the first bytes of a big body.
fn early(status: u16, end: End) -> Step {
    Step::new()
        .read(Read::HeadAndBodyBytes(100_000))
        .write(reply(status, r#"{"message":"log in first"}"#))
        .end(end)
}

fn run(case: &Case, bench: &Bench, program: &Path) -> Result<(), String> {
    let script = case.script;
    let server = ScriptedServer::start_with(move |head, _| script(head));
    let file = bench.path(&format!("{}.bin", case.size));
    if !file.exists() {
        files::make(&file, case.size, 3).unwrap();
    }
    let mut one = Command::new(program);
    one.arg(server.endpoint()).arg(&file).arg("2");
    let ended = bench.run(&mut one, WATCHDOG);
    let told = |name: &str| {
        let line = ended.stdout.lines().find_map(|l| l.strip_prefix(name));
        line.map(|rest| rest.trim_start().to_owned())
            .unwrap_or_default()
    };
    let error = told("error");
    let got = (
        told("status"),
        told("http"),
        told("retryable"),
        told("attempts"),
    );
    let expected = (
        case.status.to_string(),
        case.http.to_string(),
        i32::from(case.retryable).to_string(),
        case.attempts.to_string(),
    );
    let named = case.error.iter().all(|part| error.contains(part));
    if ended.status.success() && got == expected && named {
        return Ok(());
    }
    Err(format!(
        "{}: {}; (status, http, retryable, attempts) are {got:?} and not {expected:?}; \
         error \"{error}\" should contain {:?}\n{}",
        case.name, ended.status, case.error, ended.stderr
    ))
}

fn run_all(cases: &[Case]) {
    let bench = Bench::new();
    let program = bench.build("one", &["one.c"], &[]);
    let failures: Vec<_> = cases
        .iter()
        .filter_map(|case| run(case, &bench, &program).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

const ANSWER: i32 = 90;
const TOO_LONG: i32 = 91;
const OFFSET: i32 = 92;
const REFUSED: i32 = 76;
const CONNECTION: i32 = 52;
