//! A key of a dialect that is wrong.

use resup::dialect::{Step, Verdict};
use serde_json::Value;

/// A key that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The key, such as `success` or `test.has`; `url` for the server's address, `login` for the user's.
    pub key: String,
    /// Why.
    pub why: String,
    /// What to write in its place.
    pub proposal: Option<String>,
}

/// Makes a finding, for those that find something.
pub(super) fn finding(
    key: &str,
    why: impl Into<String>,
    proposal: impl Into<Option<String>>,
) -> Option<Finding> {
    Some(Finding {
        key: key.to_owned(),
        why: why.into(),
        proposal: proposal.into(),
    })
}

/// Writes a key with a value, inside of the object that it is in.
pub(super) fn set(key: &str, value: &str) -> String {
    let value = Value::from(value);
    match key.split_once('.') {
        Some((object, key)) => format!("\"{key}\": {value} in \"{object}\""),
        None => format!("\"{key}\": {value}"),
    }
}

/// Whether a key has an expression.
pub(super) fn is_success(key: &str) -> bool {
    matches!(key, "success" | "complete" | "done.success")
}

/// Writes the expression of a key with another condition in one's place.
pub(super) fn replaced(step: &Step, old: &Verdict, new: &str) -> String {
    let rules = step.verdicts.iter().filter(|it| it.key == old.key);
    let rules = rules.filter(|it| !it.rule.starts_with("not a redirect"));
    let rules = rules.map(|it| if it == old { new } else { &it.rule });
    set(old.key, &rules.collect::<Vec<_>>().join(" and "))
}
