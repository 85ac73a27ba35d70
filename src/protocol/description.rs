//! Parts of a file's description for which a protocol has no place.
#![cfg(any(
    feature = "dav",
    feature = "ietf",
    feature = "presigned",
    feature = "session"
))]

use super::Job;
use crate::error::Error;

/// Fails if the description has a part without a place. A directory has one in some protocols. `why` says what the
/// protocol carries, and what to do.
pub(super) fn check_description(job: &Job, has_directory: bool, why: &str) -> Result<(), Error> {
    let what = match job {
        Job { dir, .. } if !has_directory && !dir.is_empty() => "directory",
        Job { user: Some(_), .. } => "user",
        Job { fields, .. } if !fields.is_empty() => "field",
        _ => return Ok(()),
    };
    Err(no_place(what, why))
}

/// Makes the error for a part without a place.
pub(super) fn no_place(what: &'static str, why: &str) -> Error {
    Error::InvalidArgument {
        what,
        why: format!("has no place in {why}"),
    }
}
