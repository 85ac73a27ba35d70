//! The return value of callbacks.

/// The return value of a callback: go on, or end the upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Cancel the upload.
    Cancel,
}
