//! What a client has learned of its server's protocol.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use crate::options::ProtocolName;

/// The protocol that a client's server speaks, and what it offers.
#[derive(Debug, Default, Clone)]
pub(crate) struct LearnedProtocol {
    /// The protocol that was found, where the program leaves that to the library.
    pub(super) found: OnceLock<ProtocolName>,
    #[cfg(feature = "dav")]
    pub(super) dav: super::dav::Learned,
    /// Whether PATCH does not come through to uploads that have URLs.
    #[cfg(any(feature = "tus", feature = "ietf"))]
    pub(super) patches_by_post: Arc<AtomicBool>,
    #[cfg(feature = "tus")]
    pub(super) tus: OnceLock<super::tus::Offers>,
    #[cfg(feature = "ietf")]
    pub(super) ietf: super::ietf::Learned,
}

impl LearnedProtocol {
    /// Whether the server of tus takes an upload before its size is known; `None` if it has not said that.
    pub(super) fn tus_defers_size(&self) -> Option<bool> {
        #[cfg(feature = "tus")]
        return self.tus.get().map(|offers| offers.defers_size);
        #[cfg(not(feature = "tus"))]
        None
    }
}
