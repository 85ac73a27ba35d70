//! Which key of a dialect is wrong, and what it could be.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`finding`] | a key that is wrong |
//! | [`status`] | what a status tells |
//! | [`success`] | what an expression tells that is not met |
//! | [`answer`] | what a body shows of itself |

mod answer;
mod finding;
mod status;
mod success;

use resup::dialect::{Purpose, Received, Step};
use resup::ErrorKind;
use serde_json::Value;

pub use finding::Finding;
use finding::{finding, set};
use status::{by_status, login};
use success::{doubt, refused};

/// What earlier steps have shown.
#[derive(Debug, Default)]
pub struct Seen {
    /// Whether no server can have the file before it is sent.
    pub is_new: bool,
    /// The end of what the server has accepted.
    pub accepted: u64,
    /// Whether a chunk may have arrived, answered or not.
    pub is_sent: bool,
    /// Whether the server was asked for chunks, and what it said of one that it cannot have.
    pub is_tested: bool,
    pub missing: Option<u16>,
    /// Whether it was asked for a chunk of a random name.
    pub has_stranger: bool,
    /// Whether another process goes on, and the first byte that it has sent.
    pub is_resumed: bool,
    pub resumed_at: Option<u64>,
    /// Whether the server has the whole file.
    pub is_complete: bool,
}

impl Seen {
    /// Takes what a step has shown.
    pub fn note(&mut self, step: &Step) {
        let status = step.response.as_ref().map(|response| response.status);
        match step.purpose {
            Purpose::Send => {
                self.is_sent |= status.is_some() || !is_unconnected(step);
                if step.error.is_none() {
                    self.accepted = step.bytes.0 + step.bytes.1;
                }
            }
            Purpose::Test => {
                self.is_tested = true;
                let is_missing = step.bytes.0 >= self.accepted && !has(step, "test.has");
                self.missing = self.missing.or(status.filter(|_| is_missing));
            }
            Purpose::TestStranger => self.has_stranger = true,
            _ => {}
        }
    }
}

/// Whether a request has failed before there was a connection.
fn is_unconnected(step: &Step) -> bool {
    let kind = step.error.as_ref().map(|error| error.kind());
    matches!(
        kind,
        Some(
            ErrorKind::ResolveFailed
                | ErrorKind::ConnectFailed
                | ErrorKind::ProxyRefused
                | ErrorKind::Tls
        )
    )
}

/// Whether a key's rule is met.
fn has(step: &Step, key: &str) -> bool {
    step.verdicts.iter().any(|it| it.key == key && it.is_met)
}

/// Gives the rule of a key.
fn rule<'s>(step: &'s Step, key: &str) -> &'s str {
    let verdict = step.verdicts.iter().find(|it| it.key == key);
    verdict.map_or("", |it| &it.rule)
}

/// Finds what a step shows to be wrong.
pub fn of(step: &Step, seen: &Seen) -> Option<Finding> {
    let response = step.response.as_ref()?;
    match (&step.error, step.purpose) {
        (Some(_), _) if answer::is_login(response) => login(response),
        (Some(_), Purpose::TestStranger) => finding(
            "test.has",
            format!(
                "the server answers {} for every chunk, also for one that was never sent, so it cannot be believed: take \
                 that status away, or the URL of the question (\"test.url\") is wrong",
                response.status
            ),
            None,
        ),
        (Some(_), Purpose::Test) => unknown_status(step, response, seen),
        (Some(_), Purpose::State) => state(step, response, seen),
        (Some(_), _) => refused(step, response),
        (None, Purpose::Test) => tested(step, response, seen),
        (None, Purpose::State) => state(step, response, seen),
        (None, Purpose::Send | Purpose::Done) => doubt(step, response),
        _ => None,
    }
}

/// Makes the finding that the question for a chunk is the same for every upload.
pub fn same_question() -> Finding {
    Finding {
        key: "test.query".to_owned(),
        why: "the question does not tell one upload from another: two files of the same name are mixed".to_owned(),
        proposal: Some("a field with {identifier} in \"query\" of \"test\"".to_owned()),
    }
}

/// Tells which key lacks the status of the answer about a chunk.
fn unknown_status(step: &Step, response: &Received, seen: &Seen) -> Option<Finding> {
    let status = response.status;
    if matches!(status, 401 | 403 | 405 | 501) || status >= 500 || (300..400).contains(&status) {
        return by_status(step, response, "test");
    }
    let is_there = step.bytes.0 < seen.accepted;
    let key = if is_there { "test.has" } else { "test.send" };
    let what = match (is_there, seen.is_new) {
        (true, _) => "a chunk that it has accepted",
        (false, true) => "a chunk that it cannot have",
        (false, false) => "a chunk",
    };
    finding(
        key,
        format!("the server answers {status} for {what}, and neither \"test.has\" nor \"test.send\" has that"),
        set(key, &format!("{} {status}", rule(step, key))),
    )
}

/// Compares the answer about a chunk with what was sent before.
fn tested(step: &Step, response: &Received, seen: &Seen) -> Option<Finding> {
    let status = response.status;
    let (is_there, has_it) = (step.bytes.0 < seen.accepted, has(step, "test.has"));
    if has_it && !is_there && seen.is_new && !seen.is_complete {
        return finding(
            "test.has",
            format!("the server answers {status} for a chunk that was never sent, which \"test.has\" takes for yes"),
            None,
        );
    }
    if has_it || !is_there || seen.is_complete {
        return None;
    }
    match seen.missing == Some(status) {
        true => finding(
            "test.query",
            format!(
                "the server has accepted this chunk, and answers {status}, as for one that it does not have: it finds it not. \
                 The fields of the question have to name the upload and the chunk as those of the chunk do"
            ),
            None,
        ),
        false => finding(
            "test.has",
            format!(
                "the server has accepted this chunk, and answers {status}, which \"test.send\" takes for no; for one that it \
                 does not have it answers {}",
                seen.missing.map_or("otherwise".to_owned(), |it| it.to_string())
            ),
            format!(
                "{}, and {status} not in \"send\"",
                set("test.has", &status.to_string())
            ),
        ),
    }
}

/// Compares the number of bytes that the server tells with what it has accepted.
fn state(step: &Step, response: &Received, seen: &Seen) -> Option<Finding> {
    let status = response.status;
    let expected = seen.accepted;
    if has(step, "state.none") {
        return finding(
            "state.none",
            format!(
                "the server has accepted {expected} bytes, and answers {status}, which means that it has nothing: \"id\" or \
                 \"state.query\" names another upload, or \"state.url\" is wrong"
            ),
            None,
        );
    }
    if !(200..300).contains(&status) {
        return by_status(step, response, "state");
    }
    let place = step
        .verdicts
        .iter()
        .find(|it| it.key == "state.offset" || it.key == "state.last_byte")?;
    let bytes = place
        .found
        .strip_suffix(" bytes")
        .and_then(|it| it.parse().ok());
    if place.is_met && bytes == Some(expected) {
        return None;
    }
    if !place.rule.starts_with('/') {
        return finding(
            place.key,
            format!(
                "the server has accepted {expected} bytes, and {} has: {}",
                place.rule, place.found
            ),
            None,
        );
    }
    let Some(json) = answer::json(response) else {
        return finding(
            "state.url",
            "the answer is no JSON: it is not the one about an upload's bytes",
            None,
        );
    };
    let what = match json.pointer(&place.rule) {
        None | Some(Value::Null) => format!("has nothing at {}", place.rule),
        Some(value) => format!("has {value} at {}", place.rule),
    };
    let number = expected - u64::from(place.key == "state.last_byte" && expected > 0);
    let better = answer::number_at(&json, number).filter(|at| *at != place.rule);
    finding(
        place.key,
        format!("the server has accepted {expected} bytes, and its answer {what}"),
        better.map(|at| set(place.key, &at)),
    )
}
