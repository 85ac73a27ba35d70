//! Uploads that the server has moved.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::http::endpoint::Endpoint;

/// The places that the server has redirected requests for uploads to, by the URLs that they had first. These stay their keys.
#[derive(Default)]
pub(super) struct Moved(Mutex<HashMap<String, Endpoint>>);

impl Moved {
    /// Gives the place of the upload with this URL.
    pub(super) fn place(&self, url: &Endpoint) -> Endpoint {
        let moved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = moved.get(&url.uri().to_string());
        place.unwrap_or(url).clone()
    }

    /// Notes the place of the upload with this URL.
    pub(super) fn note(&self, url: &Endpoint, at: &Endpoint) {
        let mut moved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        moved.insert(url.uri().to_string(), at.clone());
    }
}
