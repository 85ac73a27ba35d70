//! The error for a response that refuses.

use super::message::Response;
use crate::error::{Error, Refusal, RefusalKind};

/// The longest text of a server that is kept for people.
const LONGEST_TEXT: usize = 2000;

/// The member of a JSON body that is for people.
#[derive(serde::Deserialize)]
struct Message {
    message: Option<String>,
}

/// Makes the error for a response that is none of those that are acted on.
pub(crate) fn refusal(response: &Response) -> Error {
    let kind = match response.status {
        401 | 403 => RefusalKind::NotAllowed,
        // 417: the next attempt expects nothing.
        408 | 417 | 500 | 502 | 504 => RefusalKind::Failing,
        413 => RefusalKind::TooLarge,
        423 => RefusalKind::Locked,
        429 | 503 => RefusalKind::Busy,
        507 => RefusalKind::NoSpace,
        _ => RefusalKind::Other,
    };
    let redirect = response.location.as_deref();
    let redirect = redirect.filter(|_| (300..400).contains(&response.status));
    let message = serde_json::from_slice::<Message>(&response.body)
        .ok()
        .and_then(|body| body.message)
        .filter(|message| !message.is_empty());
    Error::Refused(Box::new(Refusal {
        kind,
        status: response.status,
        // Whoever speaks the protocol is the server.
        proxy: response.proxy.clone().filter(|_| message.is_none()),
        message: message.as_deref().map(limited),
        excerpt: excerpt(&response.body),
        redirect: redirect.map(limited),
        retry_after: response.retry_after,
    }))
}

/// Gives the start of a body as one line of text.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let start = &body[..body.len().min(400)];
    let text = String::from_utf8_lossy(start);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Gives a server's text without control characters, and not more of it than people read.
pub(crate) fn limited(text: &str) -> String {
    let text = text.chars().filter(|c| !c.is_control() || *c == '\n');
    text.take(LONGEST_TEXT).collect()
}
