//! Reading a response: from its HTTP status and JSON to an answer for the engine, or an error.

mod agreement;
#[cfg(test)]
mod tests;

use resup_digests::Algorithm;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;
use crate::http::{excerpt, limited, reason, refusal, without_bom, Response};
use crate::protocol::{Answer, Outcome, State};

/// The longest `id` that is accepted. A longer one is a mistake, or an attack on memory.
const LONGEST_ID: usize = 1024;

/// The largest whole number up to which every number of a JSON reader is exact.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

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
    assemble(body, state, offset, agreed)
}

/// Reads a 409 or 422, where only the offset counts. Without another name the digest stays the same.
fn fallback(
    body: &Body,
    size: u64,
    (offer, agreed): (&[Algorithm], Algorithm),
) -> Result<Answer, Error> {
    let offset = offset(body, size)?.unwrap_or(0);
    let agreed = agreement::agreed(&body.digest, offer, agreed)?;
    assemble(body, State::Partial, offset, agreed)
}

fn assemble(body: &Body, state: State, offset: u64, agreed: Algorithm) -> Result<Answer, Error> {
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
    Ok(Answer {
        state,
        offset,
        id,
        location: body.location.as_str().map(limited),
        agreed,
        prefix,
        max_segment,
        message: body.message.as_str().map(limited),
    })
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

/// Reads a number of bytes, if there is one: also one in quotes, or with an empty fraction, where
/// it is exact. Any other value is given back as text.
fn whole_number(value: &Value) -> Result<Option<u64>, String> {
    let exact = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            let is_exact = float.fract() == 0.0 && (0.0..LARGEST_EXACT).contains(&float);
            is_exact.then_some(float as u64)
        }),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    exact.map(Some).ok_or_else(|| limited(&value.to_string()))
}

fn bad(why: String) -> Error {
    Error::bad_response(why)
}

fn bad_offset(why: String) -> Error {
    Error::BadOffset { why }
}
