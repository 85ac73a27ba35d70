//! Reading a response: from its HTTP status and JSON to an answer for the engine, or an error.

mod agreement;
mod parts;
#[cfg(test)]
mod tests;
mod values;

use resup_digests::Algorithm;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;
use crate::http::{excerpt, limited, reason, refusal, without_bom, Response};
use crate::protocol::{Answer, Outcome, State};
use values::{bad, bad_offset, whole_number};

/// The longest `id` that is accepted. A longer one is a mistake, or an attack on memory.
const LONGEST_ID: usize = 1024;

/// The smallest `max_segment` that is accepted. With less, the requests are longer than what they
/// carry, and a file takes any number of them.
const LEAST_MAX_SEGMENT: u64 = 1000;

/// The JSON object of a response. Unknown members are ignored: a later version may have more.
#[derive(Deserialize)]
struct Body {
    state: Option<String>,
    #[serde(default)]
    offset: Value,
    #[serde(default)]
    id: Value,
    #[serde(default)]
    location: Value,
    #[serde(default)]
    digest: Value,
    #[serde(default)]
    prefix_md5: Value,
    #[serde(default)]
    prefix_sha256: Value,
    #[serde(default)]
    prefix_blake3: Value,
    #[serde(default)]
    max_segment: Value,
    #[serde(default)]
    small: Value,
    #[serde(default)]
    parts: Value,
    #[serde(default)]
    ranges: Value,
    #[serde(default)]
    discard: Value,
    #[serde(default)]
    message: Value,
}

/// Reads the response to a locate for a file of `size` bytes. `offer` are the algorithms of digests
/// that the locate named.
pub(super) fn located(
    response: &Response,
    size: u64,
    offer: &[Algorithm],
) -> Result<Answer, Error> {
    match response.status {
        _ if response.is_accepted() => answer(&parse(response)?, size, offer),
        200..300 => Err(other_success(response)),
        _ => Err(refusal(response)),
    }
}

/// Reads the response to a send for a file of `size` bytes, with digests of the algorithm `agreed`.
pub(super) fn sent(
    response: &Response,
    size: u64,
    (offer, agreed): (&[Algorithm], Algorithm),
) -> Result<Outcome, Error> {
    match response.status {
        _ if response.is_accepted() => {
            Ok(Outcome::Accepted(answer(&parse(response)?, size, offer)?))
        }
        200..300 => Err(other_success(response)),
        404 | 410 => Ok(Outcome::UnknownUpload(refusal(response))),
        409 | 422 => match parse(response) {
            // Without an offset it is a refusal like others.
            Ok(body) if !body.offset.is_null() => {
                let answer = fallback(&body, size, (offer, agreed))?;
                Ok(if response.status == 409 {
                    Outcome::OffsetMismatch(answer)
                } else {
                    Outcome::ChecksumMismatch(answer)
                })
            }
            _ => Err(refusal(response)),
        },
        _ => Err(refusal(response)),
    }
}

/// Reads the response to a store; `None` if the server takes no store, or not this one.
pub(super) fn stored(
    response: &Response,
    size: u64,
    (offer, agreed): (&[Algorithm], Algorithm),
) -> Result<Option<Answer>, Error> {
    match response.status {
        307 | 308 | 400 | 404 | 405 | 413 | 422 | 501 => Ok(None),
        409 => match parse(response) {
            Ok(body) if !body.offset.is_null() => Ok(Some(fallback(&body, size, (offer, agreed))?)),
            _ => Err(refusal(response)),
        },
        _ => located(response, size, offer).map(Some),
    }
}

/// Reads the response to a locate that asks for a discard: the upload's id, if it has one. Gives `None` where
/// the server takes no discards.
pub(super) fn to_discard(response: &Response, size: u64) -> Result<Option<Option<String>>, Error> {
    let answer = located(response, size, &[])?;
    let is_offered = parse(response)?.discard == Value::Bool(true);
    Ok(is_offered.then_some(answer.id))
}

/// Reads the response to a discard.
pub(super) fn discarded(response: &Response, size: u64) -> Result<(), Error> {
    match located(response, size, &[])?.state {
        State::New => Ok(()),
        State::Partial | State::Complete => Err(bad(
            "it is that to a discard, and says that the upload is still there".to_owned(),
        )),
    }
}

fn parse(response: &Response) -> Result<Body, Error> {
    // A text for people may be in another encoding; its bytes are replaced.
    let text = String::from_utf8_lossy(without_bom(&response.body));
    serde_json::from_str(&text).map_err(|e| {
        // The place of a fault helps only in what is nearly right.
        let fault = match text.trim_start().starts_with('{') {
            true => format!(" ({e})"),
            false => String::new(),
        };
        let why = format!(
            "it is not the JSON object that was expected{fault}; it begins: {}",
            excerpt(&response.body)
        );
        match response.status {
            201 => bad(format!(
                "{}; by its status 201 the server has made something of the request: look \
                 there before you try again",
                reason(response, why)
            )),
            _ => bad(reason(response, why)),
        }
    })
}

/// Makes the error for a status of success that has another meaning than an answer.
fn other_success(response: &Response) -> Error {
    let why = format!("its status is {}, and an answer has 200", response.status);
    bad(reason(response, why))
}

fn answer(body: &Body, size: u64, offer: &[Algorithm]) -> Result<Answer, Error> {
    let state = body.state.as_deref().map(str::to_ascii_lowercase);
    let state = match state.as_deref() {
        Some("new") => State::New,
        Some("partial") => State::Partial,
        Some("complete") => State::Complete,
        Some(other) => {
            return Err(bad(format!(
                "its state is \"{}\", not new, partial or complete",
                limited(other)
            )))
        }
        None => return Err(bad("it has no \"state\"".to_owned())),
    };
    let offset = match (state, offset(body, size)?) {
        (State::New, Some(0) | None) => 0,
        (State::New, Some(offset)) => {
            return Err(bad_offset(format!("{offset} for an upload that is new")))
        }
        (State::Partial, Some(offset)) => offset,
        (State::Partial, None) => return Err(bad("it has no \"offset\"".to_owned())),
        (State::Complete, None) => size,
        (State::Complete, Some(offset)) if offset == size => size,
        (State::Complete, Some(offset)) => {
            return Err(bad_offset(format!(
                "complete with {offset} of {size} bytes"
            )))
        }
    };
    let agreed = agreement::agreed(&body.digest, offer, Algorithm::Md5)?;
    assemble(body, state, (offset, size), (offer, agreed))
}

/// Reads a 409 or 422, where only the offset counts. Without another name the digest stays the same.
fn fallback(
    body: &Body,
    size: u64,
    (offer, agreed): (&[Algorithm], Algorithm),
) -> Result<Answer, Error> {
    let offset = offset(body, size)?.unwrap_or(0);
    let agreed = agreement::agreed(&body.digest, offer, agreed)?;
    assemble(body, State::Partial, (offset, size), (offer, agreed))
}

fn assemble(
    body: &Body,
    state: State,
    (offset, size): (u64, u64),
    (offer, agreed): (&[Algorithm], Algorithm),
) -> Result<Answer, Error> {
    let prefix = match agreed {
        Algorithm::Md5 => &body.prefix_md5,
        Algorithm::Sha256 => &body.prefix_sha256,
        Algorithm::Blake3 => &body.prefix_blake3,
    };
    let prefix = agreement::prefix(prefix, agreed)?;
    let id = id(&body.id)?;
    let max_segment = match whole_number(&body.max_segment) {
        Ok(Some(most)) if most < LEAST_MAX_SEGMENT => {
            return Err(bad(format!(
                "its max_segment is {most}; the protocol wants {LEAST_MAX_SEGMENT} or more"
            )))
        }
        Ok(limit) => limit,
        Err(value) => {
            return Err(bad(format!(
                "its max_segment {value} is not a whole number of bytes"
            )))
        }
    };
    let mut answer = Answer {
        id,
        location: body.location.as_str().map(limited),
        agreed: Some(agreed),
        prefix,
        max_segment,
        message: body.message.as_str().map(limited),
        ..Answer::new(state, offset)
    };
    // A server that was offered nothing may mean something else by these members.
    if !offer.is_empty() {
        answer.small = parts::number(&body.small, "small")?;
        answer.parts = parts::number(&body.parts, "parts")?;
        answer.ranges = parts::ranges(&body.ranges, state, (offset, size), agreed)?;
    }
    Ok(answer)
}

/// Reads the server's key of the upload, which may be a number.
fn id(value: &Value) -> Result<Option<String>, Error> {
    let id = match value {
        Value::Null => return Ok(None),
        Value::String(id) => id.clone(),
        Value::Number(id) if id.is_u64() || id.is_i64() => id.to_string(),
        other => {
            return Err(bad(format!(
                "its id {} is not a text",
                limited(&other.to_string())
            )))
        }
    };
    if id.len() > LONGEST_ID {
        return Err(bad(format!("its id is longer than {LONGEST_ID} bytes")));
    }
    if id.contains(char::REPLACEMENT_CHARACTER) {
        return Err(bad("its id is not UTF-8".to_owned()));
    }
    Ok(Some(id))
}

fn offset(body: &Body, size: u64) -> Result<Option<u64>, Error> {
    match whole_number(&body.offset) {
        Ok(Some(offset)) if offset > size => Err(bad_offset(format!(
            "{offset} exceeds the file's size {size}"
        ))),
        Ok(offset) => Ok(offset),
        Err(value) => {
            let why = format!("{value} is not a whole number of bytes");
            match body.offset.is_number() {
                true => Err(bad_offset(why)),
                false => Err(bad(format!("its offset {why}"))),
            }
        }
    }
}
