//! What a check finds.

/// Good news. A failure is an error, which says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What must hold, holds.
    Pass,
    /// The protocol leaves it open, and this receiver, or this call of the kit, does without.
    NotSupported(String),
}

/// What a check's function answers.
pub type Outcome = anyhow::Result<Verdict>;

/// Holds.
pub fn pass() -> Outcome {
    Ok(Verdict::Pass)
}

/// Cannot be had here.
pub fn not_supported(why: impl Into<String>) -> Outcome {
    Ok(Verdict::NotSupported(why.into()))
}
