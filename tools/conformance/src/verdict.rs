//! The outcome of a check.

/// An outcome that is no failure. A failure is an error, which says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The rule holds.
    Pass,
    /// The protocol does not require it, and this receiver does not have it; or this run was not given what it needs.
    NotSupported(String),
}

/// The result of a check.
pub type Outcome = anyhow::Result<Verdict>;

/// Returns that the rule holds.
pub fn pass() -> Outcome {
    Ok(Verdict::Pass)
}

/// Returns that the receiver does not have it.
pub fn not_supported(why: impl Into<String>) -> Outcome {
    Ok(Verdict::NotSupported(why.into()))
}
