//! Upload resources: what tus and the IETF's resumable uploads have in common. A request makes the upload, which has a URL
//! of its own from then on; others append the bytes of their bodies. The storage is not told which protocol speaks.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`creation`] | a new upload |
//! | [`append`] | a request's body, appended to an upload |
//! | [`access`] | the upload of a URL: who may use it, and deletion |
//! | [`room`] | the size of an upload whose length is not known yet |
//! | [`check`] | the digest of a request's body |
//! | [`headers`] | headers that come once, and numbers |

pub mod access;
pub mod append;
pub mod check;
pub mod creation;
pub mod headers;
pub mod room;

use axum::http::request::Parts;

use crate::accounts::base::base;
use crate::storage::record::Record;

/// What the path of an upload begins with.
const PATH: &str = "/upload/";

/// Returns the URL of an upload, relative to the receiver's origin.
pub fn location(head: &Parts, record: &Record) -> String {
    format!("{}{PATH}{}", base(head), record.id)
}

/// Returns the id in the URL of an upload; `None` for the address where uploads are made.
pub fn id(head: &Parts) -> Option<&str> {
    head.uri.path().strip_prefix(PATH)
}
