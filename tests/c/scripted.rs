//! Servers that respond wrongly: the status and the message that a C program gets for each.

mod limits;
mod recoveries;
mod refusals;
mod responses;

use std::time::Duration;

use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{json, reply, reply_with, End, Read, ScriptedServer, Step};

use super::one::One;

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

/// Responds to a locate as for a new upload, to a send with `step`.
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

/// Responds to the first bytes of a big body.
fn early(status: u16, end: End) -> Step {
    Step::new()
        .read(Read::HeadAndBodyBytes(100_000))
        .write(reply(status, r#"{"message":"log in first"}"#))
        .end(end)
}

/// Few attempts, short waits.
const BRIEF: [&str; 6] = [
    "client_set_retry_limit",
    "2",
    "client_set_retry_backoff",
    "1,20",
    "client_set_stall_timeout",
    "3000",
];

fn run(case: &Case, one: &One) -> Result<(), String> {
    let script = case.script;
    let server = ScriptedServer::start_with(move |head, _| script(head));
    let report = one.upload(&server.endpoint(), case.size, &BRIEF);
    let got = (
        report.text("status"),
        report.text("http"),
        report.text("retryable"),
        report.text("attempts"),
    );
    let expected = (
        &*case.status.to_string(),
        &*case.http.to_string(),
        &*i32::from(case.retryable).to_string(),
        &*case.attempts.to_string(),
    );
    let error = report.text("error");
    if got == expected && case.error.iter().all(|part| error.contains(part)) {
        return Ok(());
    }
    Err(format!(
        "{}: (status, http, retryable, attempts) are {got:?} and not {expected:?}; \
         error \"{error}\" should contain {:?}",
        case.name, case.error
    ))
}

fn run_all(cases: &[Case]) {
    let one = One::new();
    let failures: Vec<_> = cases
        .iter()
        .filter_map(|case| run(case, &one).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

const BAD_RESPONSE: i32 = 90;
const TOO_LONG: i32 = 91;
const BAD_OFFSET: i32 = 92;
const FAILING: i32 = 74;
const REFUSED: i32 = 76;
const CONNECTION_LOST: i32 = 52;
