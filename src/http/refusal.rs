//! The error for a refusal.

use super::message::Response;
use crate::error::{Error, Refusal, RefusalKind};

/// The longest text of a server that is shown to people, in characters.
const LONGEST_TEXT: usize = 2000;

/// The member of a JSON body that is for people.
#[derive(serde::Deserialize)]
struct Message {
    message: Option<String>,
}

/// Makes the error for a response that refuses the request.
pub(crate) fn refusal(response: &Response) -> Error {
    let kind = match response.status {
        401 | 403 => RefusalKind::NotAllowed,
        // After a 417 the next attempt sends no `Expect`.
        408 | 417 | 500 | 502 | 504 => RefusalKind::Failing,
        413 => RefusalKind::TooLarge,
        423 => RefusalKind::Locked,
        429 | 503 => RefusalKind::Busy,
        507 => RefusalKind::NoSpace,
        _ => RefusalKind::Other,
    };
    let is_redirect = (300..400).contains(&response.status);
    let location = response.location.as_deref().filter(|_| is_redirect);
    let message = serde_json::from_slice::<Message>(&response.body)
        .ok()
        .and_then(|body| body.message)
        .filter(|message| !message.is_empty());
    Error::Refused(Box::new(Refusal {
        kind,
        status: response.status,
        // A message of the protocol is the server's own.
        proxy: response.proxy.clone().filter(|_| message.is_none()),
        message: message.as_deref().map(limited),
        excerpt: excerpt(&response.body),
        redirect: location.map(limited),
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

/// Gives a server's text without control characters, and no longer than [`LONGEST_TEXT`].
pub(crate) fn limited(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .take(LONGEST_TEXT)
        .collect()
}
