//! A request, and what all of its kinds use.

use axum::http::request::Parts;
use axum::http::{header, HeaderName, StatusCode};
use resup_digests::Algorithm;

use crate::accounts::base::base;
use crate::http::reply::Reply;
use crate::ietf::version::Version;
use crate::ietf::{digest, limits};
use crate::storage::record::{Record, State};
use crate::wire::endpoint::Endpoint;

/// The header that says where an upload stands.
pub const OFFSET: HeaderName = HeaderName::from_static("upload-offset");

/// A request.
pub struct Call<'c> {
    /// What all requests use.
    pub endpoint: &'c Endpoint,
    /// The request's head.
    pub head: &'c Parts,
    /// The version of the draft.
    pub version: &'static Version,
    /// The user.
    pub owner: String,
}

impl Call<'_> {
    /// Adds where an upload stands.
    pub fn add_state(&self, reply: Reply, record: &Record) -> Reply {
        let reply = self
            .version
            .add_complete(reply, record.state == State::Complete);
        let reply = reply.with_header(OFFSET, record.offset.to_string());
        limits::add(reply, self.endpoint, self.version, Some(record))
    }

    /// Makes the response to a request that brought the end of the file.
    pub fn finished(&self, record: &Record) -> Reply {
        let reply = self.add_state(Reply::empty(StatusCode::CREATED), record);
        let place = format!("{}{}", base(self.head), record.location());
        let reply = reply.with_header(header::CONTENT_LOCATION, place);
        match record.digests.get(Algorithm::Sha256) {
            Some(digest) => {
                let name = HeaderName::from_static("repr-digest");
                reply.with_header(name, digest::of_sha256(&digest))
            }
            None => reply,
        }
    }
}
