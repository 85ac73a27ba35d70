//! The protocols beside the form protocol. Each can be left out of a build.

use super::learned::LearnedProtocol;
use super::{Job, Protocol};
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::options::{FilenameStyle, ProtocolName, SegmentSize};

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
        #[cfg(feature = "session")]
        ProtocolName::Session => Some(Box::new(super::session::Session::at(endpoint.clone()))),
        _ => None,
    }
}

/// A dialect of forms, as the program has set it.
#[cfg(feature = "dialect")]
pub(crate) use super::dialect::Spec as DialectText;

/// A dialect of forms, which this build does not have.
#[cfg(not(feature = "dialect"))]
#[derive(Debug, Clone)]
pub(crate) enum DialectText {}

#[cfg(not(feature = "dialect"))]
impl DialectText {
    /// Refuses a dialect.
    pub(crate) fn read(_: &str) -> Result<Self, Error> {
        Err(Error::InvalidArgument {
            what: "dialect",
            why: "cannot be set: dialects were left out when this library was built".to_owned(),
        })
    }
}

/// Makes the protocol that speaks a dialect, for one upload, which `target` tells from others.
pub(crate) fn speak<'a>(
    dialect: &'a DialectText,
    endpoint: &Endpoint,
    how: (FilenameStyle, SegmentSize),
    upload: (&Job, &str),
) -> Result<Box<dyn Protocol + 'a>, Error> {
    #[cfg(feature = "dialect")]
    return Ok(Box::new(super::dialect::Dialect::new(
        dialect, endpoint, how, upload,
    )?));
    #[cfg(not(feature = "dialect"))]
    match *dialect {}
}

/// The presigned URLs of an upload's parts, as the program has set them.
#[cfg(feature = "presigned")]
pub(crate) use super::presigned::Spec as PartsText;

/// The presigned URLs of an upload's parts, which this build does not have.
#[cfg(not(feature = "presigned"))]
#[derive(Debug, Clone)]
pub(crate) enum PartsText {}

#[cfg(not(feature = "presigned"))]
impl PartsText {
    /// Refuses URLs.
    pub(crate) fn read(_: &str) -> Result<Self, Error> {
        Err(Error::InvalidArgument {
            what: "parts",
            why: "cannot be set: presigned parts were left out when this library was built"
                .to_owned(),
        })
    }

    pub(crate) fn id(&self) -> String {
        match *self {}
    }

    pub(crate) fn place(&self) -> String {
        match *self {}
    }
}

/// Makes the protocol that puts parts to presigned URLs, for one upload, of which an earlier run has noted `record`.
pub(crate) fn put_parts<'a>(
    parts: &'a PartsText,
    job: &Job,
    record: Option<&str>,
) -> Result<Box<dyn Protocol + 'a>, Error> {
    #[cfg(feature = "presigned")]
    return Ok(Box::new(super::presigned::Presigned::new(
        parts, job, record,
    )?));
    #[cfg(not(feature = "presigned"))]
    match *parts {}
}
