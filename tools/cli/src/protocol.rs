//! The protocols that a server may speak.

use clap::ValueEnum;
use resup::ProtocolName;

/// A protocol, as the option names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// The one that the server speaks, by its first response
    Auto,
    /// Form posts that resume, as resup-receiver and its like take
    Form,
    /// tus 1.0; nothing checks that the bytes at the server are the file's
    Tus,
    /// The IETF's resumable uploads; nothing checks that either
    Ietf,
    /// WebDAV, at the URL of a collection (with a slash at its end) or of the file; the last bytes at the
    /// server are checked
    Dav,
    /// Sessions, as Google Cloud Storage, uploadx and OneDrive have them; nothing checks the bytes
    Session,
}

impl From<Protocol> for ProtocolName {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Auto => ProtocolName::Auto,
            Protocol::Form => ProtocolName::Form,
            Protocol::Tus => ProtocolName::Tus,
            Protocol::Ietf => ProtocolName::Ietf,
            Protocol::Dav => ProtocolName::Dav,
            Protocol::Session => ProtocolName::Session,
        }
    }
}

impl Protocol {
    /// Whether only its URL finds an upload again.
    pub fn has_urls(self) -> bool {
        matches!(self, Protocol::Tus | Protocol::Ietf | Protocol::Session)
    }

    /// Gives the name of a protocol that was chosen and has neither signatures nor digests that a server
    /// compares.
    pub fn without_checks(self) -> Option<&'static str> {
        match self {
            Protocol::Auto | Protocol::Form => None,
            Protocol::Tus => Some("tus"),
            Protocol::Ietf => Some("ietf"),
            Protocol::Dav => Some("dav"),
            Protocol::Session => Some("session"),
        }
    }
}
