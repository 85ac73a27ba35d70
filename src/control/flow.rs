//! What a callback answers.

/// What a callback wants: go on, or end the upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Cancel the upload.
    Cancel,
}
