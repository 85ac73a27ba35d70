//! The IETF's resumable uploads (draft-ietf-httpbis-resumable-upload).
//!
//! An upload is created by a request without content, since the interim responses (104) that would
//! tell its URL earlier do not come through ureq.

mod fields;
mod limits;
mod problem;
#[cfg(test)]
mod tests;
mod version;

use std::sync::{Mutex, PoisonError};

use base64::prelude::{Engine as _, BASE64_STANDARD};
use percent_encoding::{utf8_percent_encode, NON_ALPHANUMERIC};
use resup_digests::Algorithm;

use super::headers::number_by;
use super::resource::{header, Dialect, Headers, Problem, Resource};
use super::{Job, Note, Segment};
use crate::control::log::LogLevel;
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::Response;
use crate::protocol::description::check_description;
use fields::{boolean, integer};
use limits::Limits;
use version::Version;

/// What a client has learned of its server.
#[derive(Debug, Default, Clone)]
pub(crate) struct Learned {
    version: Version,
    limits: Limits,
}

/// The IETF's protocol against one endpoint.
pub(super) type Ietf<'a> = Resource<Draft<'a>>;

/// What the IETF's protocol does in its own way.
pub(super) struct Draft<'a> {
    learned: &'a Learned,
    /// The version of this run: other runs of the client may be trying others.
    version: Version,
    /// What the log is to say.
    notes: Mutex<Vec<Note>>,
}

impl<'a> Ietf<'a> {
    /// Makes the protocol for uploads that are created at `endpoint`.
    pub(super) fn at(endpoint: Endpoint, learned: &'a Learned) -> Self {
        let version = learned.version.clone();
        Resource::new(
            endpoint,
            Draft {
                learned,
                version,
                notes: Mutex::default(),
            },
        )
    }
}

impl Draft<'_> {
    fn write_flag(&self, is_complete: bool) -> Headers {
        let (name, value) = self.version.flag(is_complete);
        vec![header(name, value)]
    }
}

impl Dialect for Draft<'_> {
    fn name(&self) -> &'static str {
        "ietf"
    }

    fn note(&self, response: &Response) {
        if response.status == 201 || says_complete(response).is_some() {
            self.version.settle();
            self.learned.version.take(&self.version);
        }
        let note = self.learned.limits.note(response);
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.extend(note.map(|line| (LogLevel::Info, line)));
    }

    fn notes(&self) -> Vec<Note> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut notes)
    }

    fn check(&self, response: &Response, job: &Job) -> Result<(), Error> {
        limits::check(response, job)
    }

    fn problem(&self, response: &Response) -> Option<Problem> {
        problem::read(response)
    }

    fn number(&self, response: &Response, name: &str) -> Result<Option<u64>, Error> {
        number_by(response, name, integer)
    }

    fn choose_other(&self, response: &Response) -> bool {
        let is_unknown = match response.status {
            // tusd answers a question without a version as a server of tus.
            200..=299 => says_complete(response).is_none(),
            status => matches!(status, 400 | 405 | 409 | 412 | 415 | 422 | 426 | 501),
        };
        is_unknown && self.version.choose_older()
    }

    fn max_segment(&self) -> Option<u64> {
        self.learned.limits.max_append()
    }

    fn min_segment(&self) -> Option<u64> {
        self.learned.limits.min_append()
    }

    fn max_size(&self) -> Option<u64> {
        self.learned.limits.max_size()
    }

    fn common(&self) -> Headers {
        let number = self.version.number();
        let version = number.map(|number| header("upload-draft-interop-version", number));
        version.into_iter().collect()
    }

    fn creation(&self, job: &Job) -> Result<Headers, Error> {
        check_description(job, false, CARRIED)?;
        let mut headers = self.write_flag(false);
        if job.has_size() {
            headers.push(header("upload-length", job.size));
        }
        headers.push(header("content-type", &job.content_type));
        headers.push(header("content-disposition", disposition(&job.name)));
        // BLAKE3 has no name there (RFC 9530).
        headers.extend(job.digests.iter().filter_map(|digest| {
            let name = match digest.algorithm() {
                Algorithm::Sha256 => "sha-256",
                Algorithm::Md5 => "md5",
                Algorithm::Blake3 => return None,
            };
            let value = BASE64_STANDARD.encode(digest.bytes());
            Some(header("repr-digest", format!("{name}=:{value}:")))
        }));
        Ok(headers)
    }

    fn append(&self, job: &Job, segment: &Segment<'_>) -> Headers {
        let mut headers = self.write_flag(segment.offset + segment.length == job.size);
        headers.push(header("content-type", "application/partial-upload"));
        headers.push(header("upload-offset", segment.offset));
        headers
    }

    fn has_flag(&self) -> bool {
        true
    }

    fn flag(&self, response: &Response) -> Option<bool> {
        says_complete(response)
    }

    fn is_spoken(&self, response: &Response) -> bool {
        let mut names = response.headers.keys();
        names.any(|name| name.as_str().starts_with("upload-"))
    }
}

/// What the protocol carries of a description.
const CARRIED: &str =
    "the IETF's resumable uploads, which carry a file's name and type only; leave it out, or \
                       put it into the URL or a header field";

/// Whether a response says that the upload is complete; `None` where it says nothing of that.
fn says_complete(response: &Response) -> Option<bool> {
    let flag = |name| boolean(&response.values(name).next()?);
    flag("upload-complete").or_else(|| flag("upload-incomplete").map(|is: bool| !is))
}

/// Writes a file's name as a header field (RFC 6266), for readers of ASCII and of UTF-8.
fn disposition(name: &str) -> String {
    let is_plain = |c: char| c == ' ' || c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%');
    let plain: String = name
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    match plain == name {
        true => format!("inline; filename=\"{name}\""),
        false => {
            let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
            format!("inline; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
        }
    }
}
