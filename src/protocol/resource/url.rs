//! The URL of an upload.

use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{limited, Response};

/// The longest URL of an upload, in bytes.
const LONGEST_URL: usize = 8 * 1024;

/// Gives the URL of an upload that was created.
pub(in crate::protocol) fn upload_url(
    at: &Endpoint,
    response: &Response,
) -> Result<Endpoint, Error> {
    let Some(location) = response.location() else {
        return Err(Error::bad_response(format!(
            "it has status {} and no Location, so the upload has no URL",
            response.status
        )));
    };
    given_url(at, &location, "Location")
}

/// Gives the URL of an upload, of which a response says `text`; `what` names its place there.
pub(in crate::protocol) fn given_url(
    at: &Endpoint,
    text: &str,
    what: &str,
) -> Result<Endpoint, Error> {
    let shown = || limited(text);
    let url = at.resolve(text).filter(|_| text.len() <= LONGEST_URL);
    let url = url.ok_or_else(|| {
        Error::bad_response(format!("its {what} \"{}\" is not a URL of http", shown()))
    })?;
    if at.origin().https && !url.origin().https {
        return Err(Error::bad_response(format!(
            "its {what} \"{}\" is http, though the server was asked by https; the file would \
             cross the network in clear",
            shown()
        )));
    }
    Ok(url)
}
