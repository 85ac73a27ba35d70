//! An upload that the server has moved.

use std::sync::{Mutex, PoisonError};

use crate::http::endpoint::Endpoint;

/// The place that the server has redirected requests for an upload to. The upload's key stays the URL that it had first.
#[derive(Default)]
pub(super) struct Moved(Mutex<Option<(String, Endpoint)>>);

impl Moved {
    /// Gives the place of the upload with this URL.
    pub(super) fn place(&self, url: &Endpoint) -> Endpoint {
        let moved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = moved
            .as_ref()
            .filter(|(from, _)| *from == url.uri().to_string());
        known.map_or_else(|| url.clone(), |(_, to)| to.clone())
    }

    /// Notes the place of the upload with this URL.
    pub(super) fn note(&self, url: &Endpoint, at: &Endpoint) {
        let moved = (url.uri().to_string(), at.clone());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(moved);
    }
}
