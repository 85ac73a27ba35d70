//! The outcome of a check.

/// The result of a check that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The rule holds.
    Pass,
    /// The rule is optional and this receiver lacks the feature, or the kit lacks what the check
    /// needs.
    NotSupported(String),
}

/// The outcome of a check: a verdict, or an error that says why it failed.
pub type Outcome = anyhow::Result<Verdict>;

/// Makes the outcome of a rule that holds.
pub fn pass() -> Outcome {
    Ok(Verdict::Pass)
}

/// Makes the outcome of a rule that could not be checked, or need not hold.
pub fn not_supported(why: impl Into<String>) -> Outcome {
    Ok(Verdict::NotSupported(why.into()))
}
