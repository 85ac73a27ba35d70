//! The errors of answers that contradict what was sent.

use crate::error::Error;

/// Makes the error for bytes that were not sent in this run: it sent only the first `sent` ones.
pub(super) fn sent_by_another(offset: u64, sent: u64) -> Error {
    Error::SentByAnother {
        why: format!("the server has {offset} bytes of it, but only {sent} were sent here"),
    }
}

/// Makes the error for an upload that the server no longer knows.
pub(super) fn unknown(refusal: &Error) -> Error {
    let why = "it no longer knows the upload that it confirmed before";
    Error::bad_response(format!("{why}: {refusal}"))
}
