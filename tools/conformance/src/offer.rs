//! What a receiver has of version 1.1.

/// The offer of a receiver.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// The digests that it can use, the one that a client likes most first; none at a receiver of 1.0.
    pub digests: Vec<&'static str>,
    /// The size of the largest file in a store, if it takes stores.
    pub small: Option<u64>,
    /// How many parts it takes at a time, if it takes parts.
    pub parts: Option<u64>,
}
