//! A small body, read as a whole.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::StatusCode;
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::http::fields::MAX_FORM;
use crate::http::reply::Reply;

/// Reads a form's body within `limit`.
pub async fn read_form(body: &mut BodyDataStream, limit: Duration) -> Result<Vec<u8>, Reply> {
    let read = async {
        let mut text = Vec::new();
        while let Some(chunk) = body.next().await {
            text.extend_from_slice(&chunk.map_err(|error| broken_form(&error))?);
            if text.len() > MAX_FORM {
                return Err(Reply::too_large(format!(
                    "the form has more than {MAX_FORM} bytes"
                )));
            }
        }
        Ok(text)
    };
    timeout(limit, read).await.unwrap_or_else(|_| {
        let message = format!("the form has not come within {} s", limit.as_secs_f64());
        Err(Reply::refusal(StatusCode::REQUEST_TIMEOUT, message))
    })
}

/// The refusal of a form that ends early or cannot be parsed. When the connection ended inside the form, nothing is
/// wrong with what the client does, and it may try again.
pub fn broken_form(error: &(dyn Error + 'static)) -> Reply {
    broken("form", error)
}

/// The same for any body, which is called `what` in the message.
pub fn broken(what: &str, error: &(dyn Error + 'static)) -> Reply {
    match is_lost(error) {
        true => {
            let message = format!("the connection ended before the {what} did");
            Reply::refusal(StatusCode::REQUEST_TIMEOUT, message)
        }
        false => Reply::bad_request(format!("the {what} was cut: {error}")),
    }
}

/// Whether an error, or what has caused it, is the end of a connection.
fn is_lost(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    causes.any(|cause| match cause.downcast_ref::<io::Error>() {
        // These say that the chunks are not framed as they must be.
        Some(error) => !matches!(
            error.kind(),
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other
        ),
        None => cause
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_incomplete_message),
    })
}
