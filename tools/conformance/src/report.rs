//! The report about the checks.

use anyhow::Error;
use serde_json::{json, Value};

use crate::checks::check::Check;
use crate::checks::quotes::quote;
use crate::verdict::{Outcome, Verdict};

/// A report. It writes each outcome and counts it.
#[derive(Debug, Default)]
pub struct Report {
    json: bool,
    section: &'static str,
    passed: usize,
    failed: usize,
    not_supported: usize,
}

impl Report {
    /// Makes a report for people, or as JSON.
    pub fn new(json: bool) -> Self {
        Self {
            json,
            ..Self::default()
        }
    }

    /// Writes the outcome of a check.
    pub fn write(&mut self, check: &'static Check, outcome: Outcome) {
        let (word, why) = match outcome {
            Ok(Verdict::Pass) => ("pass", check.holds.to_owned()),
            Ok(Verdict::NotSupported(why)) => ("not supported", why),
            Err(error) => ("FAIL", one_line(&error)),
        };
        *match word {
            "pass" => &mut self.passed,
            "FAIL" => &mut self.failed,
            _ => &mut self.not_supported,
        } += 1;
        if self.json {
            let mut line = described(check);
            line["verdict"] = word.to_lowercase().into();
            line["why"] = why.into();
            println!("{line}");
            return;
        }
        self.begin_section(check);
        println!("  {word:<13}  {:<24}  {why}", check.id);
        if word == "FAIL" {
            println!("  {:<13}  {:<24}  must hold: {}", "", "", check.holds);
            if let Some(quote) = quote(check.id) {
                println!("  {:<13}  {:<24}  docs/PROTOCOL.md: \"{quote}\"", "", "");
            }
        }
    }

    /// Writes the rule of a check.
    pub fn list(&mut self, check: &'static Check) {
        if self.json {
            println!("{}", described(check));
            return;
        }
        self.begin_section(check);
        println!("  {:<24}  {}", check.id, check.holds);
    }

    /// Writes the sums. Returns whether no check failed.
    pub fn end(&self, seed: u64) -> bool {
        let Self {
            passed,
            failed,
            not_supported,
            ..
        } = self;
        if self.json {
            let line = json!({
                "passed": passed, "failed": failed, "not_supported": not_supported, "seed": seed,
            });
            println!("{line}");
        } else {
            println!("\n{passed} passed, {failed} failed, {not_supported} not supported");
        }
        *failed == 0
    }

    fn begin_section(&mut self, check: &'static Check) {
        if self.section != check.section {
            self.section = check.section;
            println!("\n{}", check.section);
        }
    }
}

/// Makes the members of the JSON that describe a check.
fn described(check: &Check) -> Value {
    json!({
        "check": check.id, "section": check.section, "holds": check.holds, "quote": quote(check.id),
    })
}

fn one_line(error: &Error) -> String {
    format!("{error:#}").replace(['\r', '\n'], " ")
}
