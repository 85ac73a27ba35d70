//! Where a response has a value: in its JSON, in a header field, or where a regular expression finds it.

use http::HeaderName;
use serde_json::Value;

use super::pattern::{self, Pattern};
use crate::error::Error;
use crate::http::{excerpt, limited, reason, without_bom, Response};

/// What a place may be.
const MAY_BE: &str = "a JSON pointer such as \"/file/size\" (RFC 6901), header:NAME, \
                      header:NAME regex:PATTERN or regex:PATTERN";

#[derive(Debug, Clone)]
enum Place {
    /// A JSON pointer into the body.
    Json(String),
    /// A header field: its value, or what the pattern finds in it.
    Header(HeaderName, Option<Pattern>),
    /// What the pattern finds in the body.
    Body(Pattern),
}

/// A place of values in responses.
#[derive(Debug, Clone)]
pub(super) struct Finder {
    /// As the program wrote it.
    text: String,
    place: Place,
}

/// Checks a JSON pointer (RFC 6901).
pub(super) fn pointer(text: &str) -> Option<String> {
    let mut escapes = text.split('~').skip(1);
    let are_right = escapes.all(|rest| rest.starts_with(['0', '1']));
    (text.starts_with('/') && are_right && text.len() <= 200).then(|| text.to_owned())
}

/// Reads the name of a header field. The error says what it may be.
pub(super) fn header_name(text: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(text.trim().as_bytes()).map_err(|_| {
        let shown: String = limited(text).chars().take(100).collect();
        format!("header: with a name such as Location, and \"{shown}\" cannot be one's name")
    })
}

impl Finder {
    /// Reads a place. The error says what it may be.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let place = if let Some(rest) = text.strip_prefix("header:") {
            let (name, pattern) = match rest.split_once(" regex:") {
                Some((name, pattern)) => (name, Some(Pattern::with_value(pattern)?)),
                None => (rest, None),
            };
            Place::Header(header_name(name)?, pattern)
        } else if let Some(pattern) = text.strip_prefix("regex:") {
            Place::Body(Pattern::with_value(pattern)?)
        } else {
            Place::Json(pointer(text).ok_or(MAY_BE)?)
        };
        Ok(Finder {
            text: text.to_owned(),
            place,
        })
    }

    /// Gives the place, as the program wrote it.
    pub(super) fn rule(&self) -> &str {
        &self.text
    }

    /// Whether the place is in the body.
    pub(super) fn is_in_body(&self) -> bool {
        !matches!(self.place, Place::Header(..))
    }

    /// Gives the text or number at the place.
    pub(super) fn text(&self, response: &Response) -> Option<String> {
        match self.find(response).ok()?? {
            Value::String(text) if !text.is_empty() => Some(limited(&text)),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Gives the value at the place; `None` where there is nothing.
    fn find(&self, response: &Response) -> Result<Option<Value>, Error> {
        let body = without_bom(&response.body);
        let unread = |why| Err(Error::bad_response(reason(response, why)));
        let (name, pattern) = match &self.place {
            Place::Json(at) => {
                return match serde_json::from_slice::<Value>(body) {
                    Ok(json) => Ok(json.pointer(at).filter(|it| !it.is_null()).cloned()),
                    Err(e) => unread(format!("it is no JSON ({e}); it begins: {}", excerpt(body))),
                };
            }
            Place::Body(pattern) => {
                return match pattern.in_body(response, pattern::value) {
                    Ok(found) => Ok(found.flatten().map(Value::String)),
                    Err(_) => unread(format!(
                        "{} may find something in it, and only the first {} bytes of its body were read",
                        self.text,
                        body.len()
                    )),
                };
            }
            Place::Header(name, pattern) => (name.as_str(), pattern),
        };
        let mut values = response.values(name);
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let shown = limited(&value);
        if let Some(other) = values.find(|other| *other != value) {
            let other = limited(&other);
            let why = format!("there are several fields {name}: \"{shown}\" and \"{other}\"");
            return Err(Error::BadOffset { why });
        }
        let found = match pattern {
            None => Some(value.into_owned()),
            Some(pattern) => pattern.value_in(&value),
        };
        found.map(|it| Some(Value::String(it))).ok_or_else(|| {
            let why = format!("{} finds nothing in \"{shown}\"", self.text);
            Error::BadOffset { why }
        })
    }
}

/// Where a response has the number of bytes that the server has.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub finder: Finder,
    /// Whether there is the number of the last byte, from 0.
    pub is_last: bool,
}

impl Told {
    /// Reads the number of bytes; `None` where there is none.
    pub(super) fn read(&self, response: &Response) -> Result<Option<u64>, Error> {
        let Some(value) = self.finder.find(response)? else {
            return Ok(None);
        };
        let number = match &value {
            Value::String(text) => whole(text),
            value => value.as_u64(),
        };
        let more = u64::from(self.is_last);
        let bytes = number.and_then(|number| number.checked_add(more));
        bytes.map(Some).ok_or_else(|| {
            let (shown, at) = (limited(&value.to_string()), &self.finder.text);
            let why = format!("{shown} is not a whole number of bytes, at {at}");
            Error::BadOffset { why }
        })
    }

    /// Reads the number of bytes in an answer to the question how many there are: where its JSON has none, there
    /// are none.
    pub(super) fn read_answer(&self, response: &Response) -> Result<u64, Error> {
        let told = self.read(response)?;
        if told.is_none() && !matches!(self.finder.place, Place::Json(_)) {
            let why = format!("there is nothing at {}", self.finder.text);
            return Err(Error::bad_response(reason(response, why)));
        }
        Ok(told.unwrap_or_default())
    }
}

/// Reads a number that has digits only.
fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_whole)
}

/// Gives the text at a place of a response.
pub(super) fn found(finder: &Option<Finder>, response: &Response) -> Option<String> {
    finder.as_ref()?.text(response)
}
