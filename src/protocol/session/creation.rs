//! The request that creates a session.

use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::with_query;
use crate::protocol::headers::{header, Headers};
use crate::protocol::Job;

/// Whether a URL is one of Google's or Graph's at which sessions are created.
pub(super) fn creates_sessions(url: &Endpoint) -> bool {
    let query = url.uri().query().unwrap_or_default();
    let names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    let has = |wanted: &str| names.clone().any(|name| name == wanted);
    let is_graph = url.uri().path().ends_with("/createUploadSession");
    is_graph || has("uploadType") && !has("upload_id")
}

/// Gives the URL that creates a session: Google wants the name in it.
pub(super) fn creation_url(endpoint: &Endpoint, name: &str) -> Result<Endpoint, Error> {
    let query = endpoint.uri().query().unwrap_or_default();
    let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    let is_google = names.clone().any(|name| name == "uploadType");
    if !is_google || names.any(|name| name == "name") {
        return Ok(endpoint.clone());
    }
    let mut pair = form_urlencoded::Serializer::new(String::new());
    let pair = pair.append_pair("name", name).finish();
    Endpoint::parse(&with_query(&endpoint.uri().to_string(), &pair))
}

pub(super) fn creation_headers(job: &Job) -> Headers {
    vec![
        header("x-upload-content-length", job.size),
        header("x-upload-content-type", &job.content_type),
    ]
}
