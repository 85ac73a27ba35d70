//! The conformance kit: checks any receiver against docs/PROTOCOL.md, rule by rule.
//!
//! It does not use the library `resup`: it makes its requests itself, as the document describes
//! them. Its tests run it against correct receivers, and against the model receiver with one
//! mistake switched on (`tests/support/src/model/flaw.rs`).
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`run`] | the run: a few checks at a time |
//! | [`report`] | the report about the checks |
//! | [`checks`] | the checks, with one file for each subject |
//! | [`probe`] | a check's access to the receiver: new files, requests, a deadline |
//! | [`options`] | the command line |
//! | [`visitor`] | users: their credentials, and the headers of their requests |
//! | [`connection`] | a connection with a deadline |
//! | [`target`] | the receiver's address |
//! | [`request`], [`response`] | the head of a request; a response |
//! | [`send`] | the body of a send, of which a check can change any part |
//! | [`signer`] | signatures of forms |
//! | [`file`](mod@file) | the files that checks upload |
//! | [`offer`] | what a receiver has of version 1.1 |
//! | [`form`] | fields of forms, encoded as browsers do |
//! | [`verdict`] | the outcome of a check |

mod checks;
mod connection;
mod file;
mod form;
mod offer;
mod options;
mod probe;
mod report;
mod request;
mod response;
mod run;
mod send;
mod signer;
mod target;
mod verdict;
mod visitor;

use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{ensure, Context, Result};
use clap::Parser;
use resup_test_support::seed;

use crate::checks::check::Check;
use crate::options::Options;
use crate::probe::{Probe, Shared};
use crate::report::Report;
use crate::target::Target;

/// The exit code when a check failed.
const FAILED: u8 = 1;
/// The exit code when nothing could be checked.
const NOTHING_CHECKED: u8 = 2;
/// The smallest max_segment that the protocol allows.
const MIN_SEGMENT: u64 = 1000;

fn main() -> ExitCode {
    match execute(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => {
            eprintln!("resup-conformance: {error:#}");
            ExitCode::from(NOTHING_CHECKED)
        }
    }
}

/// Lists or runs the checks that the command line chooses. Returns whether none failed.
fn execute(options: &Options) -> Result<bool> {
    let checks = choose(options.filter.as_deref());
    ensure!(
        !checks.is_empty(),
        "no check has \"{}\" in its name or section; --list lists all",
        options.filter.as_deref().unwrap_or("")
    );
    let mut report = Report::new(options.json);
    let Some(url) = options.url.as_deref().filter(|_| !options.list) else {
        checks.iter().for_each(|check| report.list(check));
        return Ok(true);
    };
    let shared = prepare(options, url)?;
    let seed = shared.seed;
    if !options.json {
        println!("{url}\nseed: {seed}");
    }
    let time = Duration::from_secs(options.time);
    run::run(shared, &checks, time, |check, outcome| {
        report.write(check, outcome)
    });
    Ok(report.end(seed))
}

/// Finds the checks with this word in their id or section.
fn choose(word: Option<&str>) -> Vec<&'static Check> {
    let word = word.unwrap_or("").to_lowercase();
    checks::all()
        .filter(|check| check.id.contains(&word) || check.section.to_lowercase().contains(&word))
        .collect()
}

/// Logs in, and reads the receiver's max_segment from its first response.
fn prepare(options: &Options, url: &str) -> Result<Shared> {
    let target = Target::parse(url, options.cacert.as_deref())?;
    let headers = options.headers();
    let credentials = options.credentials(&target)?;
    let second_user = options.other_credentials();
    let other = match second_user.exist() {
        true => Some(second_user.log_in(&headers).context("the second user")?),
        false => None,
    };
    let mut shared = Shared {
        visitor: credentials.log_in(&headers)?,
        target,
        headers,
        credentials,
        other,
        signer: options.signer(),
        seed: seed::chosen(),
        max_segment: None,
        keeps_broken: OnceLock::new(),
        offer: OnceLock::new(),
    };
    let probe = Probe::new(&shared, 0, Duration::from_secs(options.time));
    let response = probe
        .locate(&probe.file(1000))
        .context("the first request")?;
    ensure!(
        !matches!(response.status, 429 | 503),
        "the receiver is busy: the response to the first request is {}; try again later, or switch its limit off",
        response.summary()
    );
    shared.max_segment = response.max_segment();
    if let Some(most) = shared.max_segment {
        ensure!(
            most >= MIN_SEGMENT,
            "the receiver's max_segment is {most}; the protocol wants {MIN_SEGMENT} or more"
        );
    }
    Ok(shared)
}
