//! The protocols beside the form protocol. Each can be left out of a build.

use super::learned::LearnedProtocol;
use super::Protocol;
use crate::http::endpoint::Endpoint;
use crate::options::ProtocolName;

/// Makes the protocol with this name; `None` if this build does not have it.
pub(super) fn other<'a>(
    name: ProtocolName,
    endpoint: &Endpoint,
    learned: &'a LearnedProtocol,
) -> Option<Box<dyn Protocol + 'a>> {
    match name {
        #[cfg(feature = "tus")]
        ProtocolName::Tus => {
            let tus = super::tus::Tus::at(endpoint.clone(), &learned.tus);
            Some(Box::new(tus.share(&learned.patches_by_post)))
        }
        #[cfg(feature = "ietf")]
        ProtocolName::Ietf => {
            let ietf = super::ietf::Ietf::at(endpoint.clone(), &learned.ietf);
            Some(Box::new(ietf.share(&learned.patches_by_post)))
        }
        #[cfg(feature = "dav")]
        ProtocolName::Dav => Some(Box::new(super::dav::Dav::at(
            endpoint.clone(),
            &learned.dav,
        ))),
        _ => None,
    }
}
