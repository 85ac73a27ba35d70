//! Helpers that run the kit and read its report.

#![allow(dead_code)]

pub mod flaws;
pub mod newer_flaws;

use std::collections::BTreeMap;
use std::process::Command;

use resup_test_support::model::{Account, Options, Secret};
use serde_json::Value;

/// The report of a run.
#[derive(Debug)]
pub struct KitReport {
    /// The exit code.
    pub code: i32,
    /// Verdict and reason of each check.
    pub checks: BTreeMap<String, (String, String)>,
    /// The last line: the sums.
    pub sums: Value,
}

impl KitReport {
    /// Returns the checks with this verdict.
    pub fn with(&self, verdict: &str) -> Vec<&str> {
        self.checks
            .iter()
            .filter(|(_, (found, _))| found == verdict)
            .map(|(id, _)| id.as_str())
            .collect()
    }

    /// Returns the checks that failed, with the reasons.
    pub fn failures(&self) -> String {
        self.checks
            .iter()
            .filter(|(_, (verdict, _))| verdict == "fail")
            .map(|(id, (_, why))| format!("{id}: {why}\n"))
            .collect()
    }

    /// Lists the checks of digests by agreement and of stores that did not pass.
    pub fn lacking_of_agreements_and_stores(&self) -> Vec<&str> {
        self.checks
            .iter()
            .filter(|(id, _)| id.starts_with("agree-") || id.starts_with("store-"))
            .filter(|(_, (verdict, _))| verdict != "pass")
            .map(|(id, _)| id.as_str())
            .collect()
    }

    /// Fails the test when a check has failed.
    #[track_caller]
    pub fn assert_good(&self) {
        assert_eq!(self.code, 0, "{}", self.failures());
        assert_eq!(self.with("fail"), [""; 0], "{}", self.failures());
    }
}

/// Makes the command of the kit, with no credentials in its environment.
pub fn kit() -> Command {
    let mut kit = Command::new(env!("CARGO_BIN_EXE_resup-conformance"));
    for name in [
        "BASIC",
        "TOKEN",
        "LOGIN",
        "LOGIN_FIELDS",
        "HEADERS",
        "SECRET",
        "OTHER_BASIC",
        "OTHER_TOKEN",
    ] {
        kit.env_remove(format!("RESUP_CONFORMANCE_{name}"));
    }
    kit
}

/// Runs the kit against a receiver.
pub fn check(endpoint: &str, arguments: &[&str]) -> KitReport {
    run_kit(kit().arg(endpoint).args(arguments))
}

/// Runs a command of [`kit`] and reads its report.
pub fn run_kit(kit: &mut Command) -> KitReport {
    let output = kit.arg("--json").output().expect("the kit runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let errors = String::from_utf8_lossy(&output.stderr);
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let sums = lines.pop().unwrap_or_else(|| panic!("{errors}"));
    let text = |line: &Value, name: &str| line[name].as_str().expect(name).to_owned();
    let checks = lines.iter().map(|line| {
        let found = (text(line, "verdict"), text(line, "why"));
        (text(line, "check"), found)
    });
    KitReport {
        code: output.status.code().expect("an exit code"),
        checks: checks.collect(),
        sums,
    }
}

/// Makes the options of a model receiver with everything that the protocol has.
pub fn everything() -> Options {
    let account = |user: &str| Account {
        user: user.to_owned(),
        password: format!("password of {user}"),
        token: format!("token-of-{user}"),
    };
    Options {
        patient: true,
        max_segment: Some(100_000),
        small: Some(30_000),
        accounts: vec![account("joe"), account("eve")],
        secret: Some(Secret {
            text: "geheim".to_owned(),
            md5: false,
        }),
        ..Options::newest()
    }
}

/// The kit's options for the receiver of [`everything`].
pub const JOE_AND_EVE: [&str; 6] = [
    "--basic",
    "joe:password of joe",
    "--other-token",
    "token-of-eve",
    "--secret",
    "geheim",
];

/// The beginnings of the names of the checks for version 1.1.
pub const NEWER: [&str; 4] = ["agree-", "store-", "parts-", "discard-"];
