//! A small body, read as a whole.

use std::fmt::Display;
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
            text.extend_from_slice(&chunk.map_err(broken_form)?);
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

/// The refusal of a form that ends early or cannot be parsed.
pub fn broken_form(error: impl Display) -> Reply {
    Reply::bad_request(format!("the form was cut: {error}"))
}
