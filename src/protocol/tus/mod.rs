//! tus 1.0 (<https://tus.io/protocols/resumable-upload>).

#[cfg(test)]
mod creation_tests;
mod discard;
mod join;
mod layout;
mod metadata;
mod offers;
#[cfg(test)]
mod section_faults;
#[cfg(test)]
mod section_tests;
mod sections;
#[cfg(test)]
mod tests;

pub(super) use offers::Offers;
pub(super) use sections::Tus;

use std::sync::OnceLock;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use resup_digests::{Algorithm, Digest};

use super::resource::{header, Dialect, Headers};
use super::{Checksum, ChecksumAlgorithm, Job, Segment};
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{Exchange, Needs, Request, Response};

/// The most bytes of a send with a checksum. The server drops what does not arrive whole.
const CHECKED_SEGMENT: u64 = 8 << 20;

/// What tus 1.0 does in its own way.
pub(super) struct Tus1<'a> {
    /// What the server offers, once it was asked.
    offers: &'a OnceLock<Offers>,
}

impl Tus1<'_> {
    /// Whether the server joins partial uploads to a file of `size` bytes, as far as is known.
    fn joins(&self, size: u64) -> bool {
        let mut offers = self.offers.get().into_iter();
        offers.any(|it| {
            // It would refuse a file that is too large only when all bytes are there.
            let takes_size = it.max_size.is_none_or(|most| size <= most);
            it.joins && takes_size && it.has_refused.get().is_none()
        })
    }

    /// Gives the header fields of the request that creates a partial upload.
    fn partial(&self, length: u64) -> Headers {
        vec![
            header("upload-length", length),
            header("upload-concat", "partial"),
        ]
    }

    /// Gives the header fields of the request that joins partial uploads.
    fn joined(&self, job: &Job, urls: &str) -> Result<Headers, Error> {
        Ok(vec![
            header("upload-concat", format!("final;{urls}")),
            header("upload-metadata", metadata::write(job)?),
        ])
    }
}

impl Dialect for Tus1<'_> {
    fn name(&self) -> &'static str {
        "tus"
    }

    fn prefix(&self, response: &Response) -> Option<Digest> {
        let value = response.values("upload-held-digest").next()?;
        let (name, digest) = value.split_once(' ')?;
        Digest::new(
            Algorithm::of_name(name)?,
            &BASE64_STANDARD.decode(digest).ok()?,
        )
    }

    fn learn(&self, exchange: &dyn Exchange, endpoint: &Endpoint) -> Result<(), Error> {
        if self.offers.get().is_some() {
            return Ok(());
        }
        let response = exchange.exchange(Request {
            method: "OPTIONS",
            url: endpoint.uri().to_string(),
            content_type: None,
            headers: Headers::new(),
            body: None,
            needs: Needs::Head,
        })?;
        let offers = Offers::read(&response)?;
        // A server that is busy or fails has not said what it offers.
        if !matches!(response.status, 408 | 425 | 429 | 500 | 502..=599) {
            let _ = self.offers.set(offers);
        }
        Ok(())
    }

    fn checksum(&self) -> Option<ChecksumAlgorithm> {
        self.offers.get()?.checksum
    }

    fn check_deletion(&self) -> Result<(), Error> {
        match self.offers.get().and_then(|it| it.terminates) {
            Some(false) => Err(Error::NotDiscarded {
                why: "the server does not have the tus extension termination; the upload stays there until it \
                      expires"
                    .to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn max_segment(&self) -> Option<u64> {
        self.checksum().map(|_| CHECKED_SEGMENT)
    }

    fn common(&self) -> Headers {
        vec![header("tus-resumable", "1.0.0")]
    }

    fn creation(&self, job: &Job) -> Result<Headers, Error> {
        let size = match job.has_size() {
            true => header("upload-length", job.size),
            false if self.offers.get().is_some_and(|it| it.defers_size) => {
                header("upload-defer-length", 1)
            }
            false => {
                let why =
                    "the server speaks tus, and does not offer its extension creation-defer-length";
                return Err(Error::size_needed(why));
            }
        };
        Ok(vec![size, header("upload-metadata", metadata::write(job)?)])
    }

    fn creates_with_file(&self) -> bool {
        self.offers.get().is_some_and(|it| it.creates_with_bytes)
    }

    fn content(&self, checksum: Option<&Checksum>) -> Headers {
        let mut headers = vec![header("content-type", "application/offset+octet-stream")];
        headers.extend(checksum.map(|checksum| {
            let value = BASE64_STANDARD.encode(&checksum.bytes);
            let name = checksum.algorithm.name();
            header("upload-checksum", format!("{name} {value}"))
        }));
        headers
    }

    fn append(&self, _: &Job, segment: &Segment<'_>) -> Headers {
        let mut headers = self.content(segment.checksum.as_ref());
        headers.push(header("upload-offset", segment.offset));
        headers
    }

    fn has_flag(&self) -> bool {
        false
    }

    fn is_checksum_mismatch(&self, status: u16) -> bool {
        status == 460
    }

    fn is_spoken(&self, response: &Response) -> bool {
        response.values("tus-resumable").next().is_some()
    }

    fn max_size(&self) -> Option<u64> {
        self.offers.get()?.max_size
    }
}
