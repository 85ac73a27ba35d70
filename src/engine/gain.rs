//! The difference that a send has made at the server.

/// The difference between two offsets of the server, and the bytes that were sent between them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gain {
    /// How much higher the server's offset is than ever before.
    pub gained: u64,
    /// The other bytes that were sent.
    pub wasted: u64,
    /// Whether the server kept so much of what was sent that the send was worth it.
    pub is_worth: bool,
}

/// Whether `gained` bytes are worth the `spent` ones. A lost connection takes a few megabytes with
/// it, so this is generous.
pub(super) fn is_worth(gained: u64, spent: u64) -> bool {
    gained > 0 && gained.saturating_mul(16) >= spent
}
