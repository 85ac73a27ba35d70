//! Proves docs/PROTOCOL.md against any receiver, row by row.
//!
//! It knows nothing of the library `resup`: a receiver is judged by requests that are made by
//! hand, and by the document alone.

#![forbid(unsafe_code)]

mod answer;
mod checks;
mod file;
mod form;
mod link;
mod options;
mod probe;
mod report;
mod request;
mod run;
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

use crate::checks::Check;
use crate::options::Options;
use crate::probe::{Kit, Probe};
use crate::report::Report;
use crate::target::Target;

const FAILED: u8 = 1;
const NOTHING_CHECKED: u8 = 2;
/// The checks' files have odd places inside, and no send is longer than the receiver allows.
const LEAST_SEGMENT: u64 = 64;

fn main() -> ExitCode {
    match judge(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => {
            eprintln!("resup-conformance: {error:#}");
            ExitCode::from(NOTHING_CHECKED)
        }
    }
}

/// Does what the command line says; whether nothing failed.
fn judge(options: &Options) -> Result<bool> {
    let checks = chosen(options.filter.as_deref());
    ensure!(
        !checks.is_empty(),
        "no check is called \"{}\"; --list lists them",
        options.filter.as_deref().unwrap_or("")
    );
    let mut report = Report::new(options.json);
    let Some(url) = options.url.as_deref().filter(|_| !options.list) else {
        checks.iter().for_each(|check| report.list(check));
        return Ok(true);
    };
    let kit = prepare(options, url)?;
    let seed = kit.seed;
    if !options.json {
        println!("{url}\nseed: {seed}");
    }
    let time = Duration::from_secs(options.time);
    run::run(kit, &checks, time, |check, outcome| {
        report.tell(check, outcome)
    });
    Ok(report.end(seed))
}

/// The checks with this word in their id or section.
fn chosen(word: Option<&str>) -> Vec<&'static Check> {
    let word = word.unwrap_or("").to_lowercase();
    checks::all()
        .filter(|check| check.id.contains(&word) || check.section.to_lowercase().contains(&word))
        .collect()
}

/// Logs in, and asks for the receiver's limits.
fn prepare(options: &Options, url: &str) -> Result<Kit> {
    let target = Target::parse(url, options.cacert.as_deref())?;
    let headers = options.headers();
    let credentials = options.credentials(&target)?;
    let other = options.other_credentials();
    let other = match other.are_given() {
        true => Some(other.enter(&headers).context("the second user")?),
        false => None,
    };
    let mut kit = Kit {
        visitor: credentials.enter(&headers)?,
        target,
        headers,
        credentials,
        other,
        signer: options.signer(),
        seed: seed::chosen(),
        max_segment: None,
        keeps_broken: OnceLock::new(),
    };
    let probe = Probe::new(&kit, 0, Duration::from_secs(options.time));
    let first = probe
        .locate(&probe.file(1000))
        .context("the first request")?;
    kit.max_segment = first.max_segment();
    if let Some(most) = kit.max_segment {
        ensure!(
            most >= LEAST_SEGMENT,
            "the receiver's max_segment is {most}; the checks need {LEAST_SEGMENT} or more"
        );
    }
    Ok(kit)
}
