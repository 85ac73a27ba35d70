//! The collections above a file.

use super::place::Place;
use super::requests::request;
use super::stored::refusal;
use crate::error::Error;
use crate::http::Exchange;
use crate::protocol::headers::Headers;

/// Makes the collections of the job's directory that are missing.
pub(super) fn make_collections(exchange: &dyn Exchange, place: &Place) -> Result<(), Error> {
    // Mostly all of them are there.
    let mut missing = Vec::new();
    for collection in place.collections.iter().rev() {
        missing.push(collection);
        let response = exchange.exchange(request("MKCOL", collection, Headers::new()))?;
        match response.status {
            // The one above is missing, too.
            404 | 409 => {}
            _ => {
                missing.pop();
                break;
            }
        }
    }
    for collection in missing.into_iter().rev() {
        let response = exchange.exchange(request("MKCOL", collection, Headers::new()))?;
        if !matches!(response.status, 200..=299 | 405) {
            return Err(refusal(&response));
        }
    }
    Ok(())
}
