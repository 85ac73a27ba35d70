//! What a response has to be for a request to have succeeded.

use http::HeaderName;
use serde_json::Value;

use super::finder::{header_name, pointer};
use super::pattern::Pattern;
use crate::error::{Error, RefusalKind};
use crate::http::{excerpt, limited, reason, refusal_of, without_bom, Needs, Response};

/// The most conditions of an expression.
const MOST: usize = 20;

/// What an expression may be.
const MAY_BE: &str =
    "statuses such as 200-299 303, json:POINTER, json:POINTER=VALUE, text:WORDS, regex:PATTERN, header:NAME, \
     header:NAME=VALUE, header:NAME regex:PATTERN or one of these after \"not \", joined by \" and \"";

/// Words of an address at which people log in, or read why they may not go on.
const NOT_DONE: [&str; 9] = [
    "login",
    "logon",
    "signin",
    "auth",
    "sso",
    "denied",
    "error",
    "forbidden",
    "session",
];

/// HTTP statuses.
#[derive(Debug, Clone)]
pub(super) struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// Reads a list such as `200-299 303`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let status = |text: &str| -> Option<u16> {
            let status = text.parse().ok()?;
            (100..600).contains(&status).then_some(status)
        };
        let mut ranges = Vec::new();
        for item in text.split([' ', ',']).filter(|item| !item.is_empty()) {
            let (from, to) = item.split_once('-').unwrap_or((item, item));
            let range = (status(from)?, status(to)?);
            ranges.push(range);
            if range.0 > range.1 || ranges.len() > MOST {
                return None;
            }
        }
        Some(Statuses(ranges)).filter(|statuses| !statuses.0.is_empty())
    }

    pub(super) fn contain(&self, status: u16) -> bool {
        self.0
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&status))
    }
}

/// A condition for a response.
#[derive(Debug, Clone)]
struct Condition {
    /// As the program wrote it.
    text: String,
    is_negative: bool,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// A value of the JSON, which is this one or just there.
    Json(String, Option<String>),
    /// A part of the text.
    Text(String),
    /// A match in the text.
    Match(Pattern),
    /// A header field, which has this value or any.
    Header(HeaderName, Option<String>),
    /// A match in a header field.
    HeaderMatch(HeaderName, Pattern),
}

/// An expression that says what counts as success.
#[derive(Debug, Clone)]
pub(super) struct Success {
    statuses: Statuses,
    conditions: Vec<Condition>,
}

impl Success {
    /// Reads an expression. The error says what it may be.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut statuses = None;
        let mut conditions = Vec::new();
        for term in text.split(" and ").map(str::trim) {
            let (is_negative, bare) = match term.strip_prefix("not ") {
                Some(bare) => (true, bare.trim()),
                None => (false, term),
            };
            let what = if let Some(rest) = bare.strip_prefix("json:") {
                let (at, value) = with_value(rest);
                pointer(at).map(|at| What::Json(at, value))
            } else if let Some(rest) = bare.strip_prefix("header:") {
                Some(match rest.split_once(" regex:") {
                    Some((name, pattern)) => {
                        What::HeaderMatch(header_name(name)?, Pattern::read(pattern)?)
                    }
                    None => {
                        let (name, value) = with_value(rest);
                        What::Header(header_name(name)?, value)
                    }
                })
            } else if let Some(pattern) = bare.strip_prefix("regex:") {
                Some(What::Match(Pattern::read(pattern)?))
            } else if let Some(words) = bare.strip_prefix("text:") {
                Some(What::Text(words.trim().to_owned())).filter(|_| !words.trim().is_empty())
            } else if let (Some(read), None, false) = (Statuses::read(bare), &statuses, is_negative)
            {
                statuses = Some(read);
                continue;
            } else {
                None
            };
            conditions.push(Condition {
                text: term.to_owned(),
                is_negative,
                what: what.ok_or(MAY_BE)?,
            });
            if conditions.len() > MOST {
                return Err(format!("an expression with at most {MOST} conditions"));
            }
        }
        Ok(Success {
            statuses: statuses.unwrap_or(Statuses(vec![(200, 299)])),
            conditions,
        })
    }

    /// Whether a redirect may be a success.
    pub(super) fn takes_redirects(&self) -> bool {
        [301, 302, 303]
            .iter()
            .any(|status| self.statuses.contain(*status))
    }

    /// Gives the part of a response that the expression is about.
    pub(super) fn needs(&self) -> Needs<'static> {
        let are_headers =
            |it: &Condition| matches!(it.what, What::Header(..) | What::HeaderMatch(..));
        match self.conditions.iter().all(are_headers) {
            true => Needs::Head,
            false => Needs::Beginning,
        }
    }

    /// Checks a response.
    pub(super) fn check(&self, response: &Response) -> Result<(), Error> {
        if !self.statuses.contain(response.status) {
            let is_odd = (200..300).contains(&response.status);
            let status = response.status;
            let hint =
                is_odd.then(|| format!("its status is {status}, and success has another one"));
            return Err(refusal_of(response, hint));
        }
        if let Some(to) = not_done(response) {
            let hint = format!(
                "a redirect counts as success, but not one to {}, where people log in or read of an error",
                limited(&to)
            );
            return Err(refusal_of(response, Some(hint)).with_kind(RefusalKind::NotAllowed));
        }
        let body = without_bom(&response.body);
        let json: Option<Value> = serde_json::from_slice(body).ok();
        for condition in &self.conditions {
            let is_met = match (&condition.what, &json) {
                (What::Json(at, value), Some(json)) => is_there(json.pointer(at), value.as_deref()),
                (What::Json(..), None) => {
                    let why = format!(
                        "success needs {}, and its body is no JSON; it begins: {}",
                        condition.text,
                        excerpt(body)
                    );
                    return Err(Error::bad_response(reason(response, why)));
                }
                (What::Text(words), _) => {
                    let is_there = String::from_utf8_lossy(body).contains(words.as_str());
                    if !is_there && response.is_cut {
                        return Err(undecided(condition, response));
                    }
                    is_there
                }
                (What::Match(pattern), _) => match pattern.in_body(response, |_| ()) {
                    Ok(found) => found.is_some(),
                    Err(_) => return Err(undecided(condition, response)),
                },
                (What::Header(name, wanted), _) => {
                    let mut values = response.values(name.as_str());
                    values.any(|value| match wanted {
                        Some(wanted) => value == wanted.as_str(),
                        None => !value.is_empty(),
                    })
                }
                (What::HeaderMatch(name, pattern), _) => {
                    let mut values = response.values(name.as_str());
                    values.any(|value| pattern.is_in(&value))
                }
            };
            if is_met == condition.is_negative {
                let hint = format!("success needs {}", condition.text);
                return Err(refusal_of(response, Some(hint)).with_kind(RefusalKind::Other));
            }
        }
        Ok(())
    }
}

/// Splits a place and the value that is wanted there.
fn with_value(text: &str) -> (&str, Option<String>) {
    match text.split_once('=') {
        Some((at, value)) => (at.trim(), Some(value.trim().to_owned())),
        None => (text, None),
    }
}

/// Makes the error for a body of which more may decide.
fn undecided(condition: &Condition, response: &Response) -> Error {
    let why = format!(
        "success needs {}, and only the first {} bytes of its body were read",
        condition.text,
        without_bom(&response.body).len()
    );
    Error::bad_response(reason(response, why))
}

/// Gives the target of a redirect that does not mean success.
fn not_done(response: &Response) -> Option<String> {
    let to = response
        .location()
        .filter(|_| (300..400).contains(&response.status))?;
    let words = to.to_ascii_lowercase().replace(['-', '_'], "");
    let mut words = words.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| NOT_DONE.contains(&word)).then_some(to)
}

/// Whether there is a value, and the one that is wanted.
fn is_there(found: Option<&Value>, wanted: Option<&str>) -> bool {
    match (found, wanted) {
        (None | Some(Value::Null), wanted) => wanted == Some("null") && found.is_some(),
        (Some(Value::String(text)), Some(wanted)) => text == wanted,
        (Some(value), Some(wanted)) => {
            let text = value.to_string();
            text == wanted
        }
        (Some(Value::Bool(is_true)), None) => *is_true,
        (Some(Value::String(text)), None) => !text.is_empty(),
        (Some(_), None) => true,
    }
}
