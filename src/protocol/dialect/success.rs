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
     header:NAME=VALUE, header:NAME regex:PATTERN or one of these after \"not \", joined by \" and \"; for that word in a text or pattern \
     write regex: with \"[ ]and \"";

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

    /// Writes the list as a dialect has it.
    pub(super) fn text(&self) -> String {
        let items = self.0.iter().map(|(from, to)| match from == to {
            true => from.to_string(),
            false => format!("{from}-{to}"),
        });
        items.collect::<Vec<_>>().join(" ")
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

/// What a condition says about a response.
pub(super) struct Judged {
    /// The condition, as the dialect has it, and what the response has.
    pub rule: String,
    pub found: String,
    pub result: Result<(), Error>,
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
        self.judge(response).try_for_each(|judged| judged.result)
    }

    /// Judges a response by one condition after the other, of which the statuses are the first.
    pub(super) fn judge<'s>(&'s self, response: &'s Response) -> impl Iterator<Item = Judged> + 's {
        let body = without_bom(&response.body);
        let json: Option<Value> = match self.conditions.is_empty() {
            true => None,
            false => serde_json::from_slice(body).ok(),
        };
        let redirect = not_done(response).map(|to| Judged {
            rule: "not a redirect to a login or an error".to_owned(),
            found: limited(&to),
            result: Err(refusal_of(
                response,
                Some(format!(
                    "a redirect counts as success, but not one to {}, where people log in or read of an error",
                    limited(&to)
                )),
            )
            .with_kind(RefusalKind::NotAllowed)),
        });
        let conditions = self.conditions.iter();
        std::iter::once_with(|| self.judge_status(response))
            .chain(redirect)
            .chain(conditions.map(move |it| it.judge(response, body, json.as_ref())))
    }

    fn judge_status(&self, response: &Response) -> Judged {
        let status = response.status;
        let result = match self.statuses.contain(status) {
            true => Ok(()),
            false => {
                let is_odd = (200..300).contains(&status);
                let hint =
                    is_odd.then(|| format!("its status is {status}, and success has another one"));
                Err(refusal_of(response, hint))
            }
        };
        Judged {
            rule: self.statuses.text(),
            found: status.to_string(),
            result,
        }
    }
}

impl Condition {
    fn judge(&self, response: &Response, body: &[u8], json: Option<&Value>) -> Judged {
        let wanted = &self.text;
        let (found, is_met) = match (&self.what, json) {
            (What::Json(at, value), Some(json)) => {
                let found = json.pointer(at);
                let words = found.map_or("nothing there".to_owned(), |it| {
                    excerpt(it.to_string().as_bytes())
                });
                (words, Ok(is_there(found, value.as_deref())))
            }
            (What::Json(..), None) => {
                let why = format!(
                    "success needs {wanted}, and its body is no JSON; it begins: {}",
                    excerpt(body)
                );
                ("the body is no JSON".to_owned(), Err(why))
            }
            (What::Text(words), _) => {
                let is_there = String::from_utf8_lossy(body).contains(words.as_str());
                match (is_there, response.is_cut) {
                    (true, _) => ("these words".to_owned(), Ok(true)),
                    (false, false) => ("a body without these words".to_owned(), Ok(false)),
                    (false, true) => undecided(wanted, body),
                }
            }
            (What::Match(pattern), _) => match pattern.in_body(response, |_| ()) {
                Ok(Some(())) => ("a match".to_owned(), Ok(true)),
                Ok(None) => ("no match".to_owned(), Ok(false)),
                Err(_) => undecided(wanted, body),
            },
            (What::Header(name, wanted), _) => {
                let is_it = |value: &str| match wanted {
                    Some(wanted) => value == wanted,
                    None => !value.is_empty(),
                };
                in_header(response, name, is_it)
            }
            (What::HeaderMatch(name, pattern), _) => {
                in_header(response, name, |value| pattern.is_in(value))
            }
        };
        let result = match is_met {
            Ok(is_met) if is_met != self.is_negative => Ok(()),
            Ok(_) => {
                let hint = format!("success needs {wanted}");
                Err(refusal_of(response, Some(hint)).with_kind(RefusalKind::Other))
            }
            Err(why) => Err(Error::bad_response(reason(response, why))),
        };
        Judged {
            rule: wanted.clone(),
            found,
            result,
        }
    }
}

/// Splits a place and the value that is wanted there.
fn with_value(text: &str) -> (&str, Option<String>) {
    match text.split_once('=') {
        Some((at, value)) => (at.trim(), Some(value.trim().to_owned())),
        None => (text, None),
    }
}

/// Says that more of the body may decide: what it is in words, and the reason why it is an error.
fn undecided(wanted: &str, body: &[u8]) -> (String, Result<bool, String>) {
    let why = format!(
        "success needs {wanted}, and only the first {} bytes of its body were read",
        body.len()
    );
    ("a body of which more was not read".to_owned(), Err(why))
}

/// Looks for a value in the lines of a header field.
fn in_header(
    response: &Response,
    name: &HeaderName,
    is_it: impl Fn(&str) -> bool,
) -> (String, Result<bool, String>) {
    let values: Vec<_> = response.values(name.as_str()).collect();
    let is_met = values.iter().any(|value| is_it(value));
    let words = match values.is_empty() {
        true => "no such field".to_owned(),
        false => limited(&values.join(", ")),
    };
    (words, Ok(is_met))
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
