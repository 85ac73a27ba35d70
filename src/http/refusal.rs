//! The error for a refusal.

use super::challenge::names_what_it_wants;
use super::foreign;
use super::message::Response;
use super::text::{excerpt, limited, without_bom};
use crate::error::{Error, Refusal, RefusalKind};

/// The member of a JSON body that is for people.
#[derive(serde::Deserialize)]
struct Message {
    message: Option<String>,
}

/// Makes the error for a response that refuses a request of the form protocol.
pub(crate) fn refusal(response: &Response) -> Error {
    refusal_of(response, foreign::hint(response))
}

/// Makes the error for a response that refuses the request. `hint` says what it shows of the cause.
pub(crate) fn refusal_of(response: &Response, hint: Option<String>) -> Error {
    let kind = match response.status {
        401 | 403 => RefusalKind::NotAllowed,
        // After a 417 the next attempt sends no `Expect`.
        408 | 417 | 421 | 425 => RefusalKind::Failing,
        413 => RefusalKind::TooLarge,
        423 => RefusalKind::Locked,
        429 | 503 => RefusalKind::Busy,
        507 => RefusalKind::NoSpace,
        501 | 505 | 511 => RefusalKind::Other,
        // A 5xx that is not known is a 500 (RFC 9110, 15).
        500..=599 => RefusalKind::Failing,
        _ => RefusalKind::Other,
    };
    let is_redirect = (300..400).contains(&response.status);
    let location = response.location().filter(|_| is_redirect);
    let message = serde_json::from_slice::<Message>(without_bom(&response.body))
        .ok()
        .and_then(|body| body.message)
        .filter(|message| !message.is_empty());
    let is_told = message
        .as_deref()
        .is_some_and(|message| names_what_it_wants(response, message));
    let hint = hint.filter(|_| !is_told);
    Error::Refused(Box::new(Refusal {
        kind,
        status: response.status,
        login: None,
        // A message of the protocol is the server's own.
        proxy: response.proxy.clone().filter(|_| message.is_none()),
        message: message.as_deref().map(limited),
        excerpt: excerpt(&response.body),
        redirect: location.as_deref().map(limited),
        hint,
        retry_after: response.retry_after,
    }))
}
