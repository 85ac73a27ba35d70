//! A trial of a dialect: what was sent, what came back, and how each key has judged it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::http::Response;

/// Parts of names whose values are not shown.
const SECRET: [&str; 15] = [
    "token",
    "secret",
    "pass",
    "pwd",
    "auth",
    "cookie",
    "sess",
    "csrf",
    "xsrf",
    "nonce",
    "sig",
    "jwt",
    "credential",
    "apikey",
    "accesskey",
];

/// The fields of a response that say something about a dialect.
const FIELDS: [&str; 5] = [
    "allow",
    "content-type",
    "location",
    "retry-after",
    "www-authenticate",
];

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// It brings a chunk, or the whole file.
    Send,
    /// It asks whether the server has a chunk: the key `test`.
    Test,
    /// It asks the same about a chunk of a random name, which was never sent.
    TestStranger,
    /// It asks how many bytes the server has: the key `state`.
    State,
    /// It completes the file: the key `done`.
    Done,
}

/// A name with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The value; `None` where the name is that of a secret.
    pub value: Option<String>,
}

/// How a key of the dialect judges a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The key, such as `success` or `test.has`.
    pub key: &'static str,
    /// The condition, status list or pointer, as the dialect has it.
    pub rule: String,
    /// Whether the response meets it. A pointer is met where something is there.
    pub is_met: bool,
    /// What the response has.
    pub found: String,
}

/// The response to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The HTTP status.
    pub status: u16,
    /// The header fields that say something about a dialect.
    pub headers: Vec<Field>,
    /// The body, as far as it was read.
    pub body: String,
}

/// A request, its response, and what the dialect's keys say about it.
#[derive(Debug, Clone)]
pub struct Step {
    /// What the request is for.
    pub purpose: Purpose,
    /// The chunk's number, from 1, and the number of chunks.
    pub chunk: (u64, u64),
    /// The first byte in the file, and the number of bytes.
    pub bytes: (u64, u64),
    /// The method.
    pub method: &'static str,
    /// The URL, without the fields of `query`.
    pub url: String,
    /// The fields that the dialect adds to the URL.
    pub query: Vec<Field>,
    /// The header fields of the dialect.
    pub headers: Vec<Field>,
    /// The fields of the form.
    pub fields: Vec<Field>,
    /// The name of the file's field, where the body is a form with the file.
    pub file_field: Option<String>,
    /// The response; `None` if none came, or one about a login.
    pub response: Option<Received>,
    /// What the keys say about it, in the order in which they were asked.
    pub verdicts: Vec<Verdict>,
    /// The reason why the request failed, or what it said was not accepted.
    pub error: Option<Error>,
}

/// Makes fields of names and values.
pub(super) fn fields<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>) -> Vec<Field> {
    let field = |(name, value): (&str, &str)| Field {
        name: name.to_owned(),
        value: (!is_secret(name)).then(|| value.to_owned()),
    };
    pairs.into_iter().map(field).collect()
}

/// Whether a name is one that secrets have.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    SECRET.iter().any(|part| name.contains(part))
}

/// Gives a URL without the secrets of its query.
pub(super) fn shown(url: &str) -> String {
    let Some((address, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=…"),
        _ => pair.to_owned(),
    });
    format!("{address}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// The record of a trial.
#[derive(Debug)]
pub(crate) struct Recorder(Mutex<Record>);

#[derive(Debug)]
struct Record {
    /// The step whose request is under way.
    open: Option<Step>,
    steps: Vec<Step>,
    /// How many more chunks may be sent.
    left: u64,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Recorder(Mutex::new(Record {
            open: None,
            steps: Vec::new(),
            left: u64::MAX,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how many more chunks may be sent.
    pub(crate) fn limit(&self, chunks: u64) {
        self.lock().left = chunks;
    }

    /// Takes the steps that have ended.
    pub(crate) fn take(&self) -> Vec<Step> {
        std::mem::take(&mut self.lock().steps)
    }

    /// Begins a step. One whose answer was not used is dropped.
    ///
    /// # Errors
    /// [`Error::Cancelled`] where no further chunk may be sent.
    pub(super) fn begin(&self, step: Step) -> Result<(), Error> {
        let mut record = self.lock();
        if step.purpose == Purpose::Send {
            record.left = record.left.checked_sub(1).ok_or(Error::Cancelled)?;
        }
        record.open = Some(step);
        Ok(())
    }

    /// Notes the response.
    pub(super) fn answer(&self, response: &Response) {
        let headers = FIELDS.iter().flat_map(|name| {
            let values = response.values(name);
            values.map(|value| Field {
                name: (*name).to_owned(),
                value: Some(value.into_owned()),
            })
        });
        let received = Received {
            status: response.status,
            headers: headers.collect(),
            body: String::from_utf8_lossy(&response.body).into_owned(),
        };
        if let Some(step) = &mut self.lock().open {
            step.response = Some(received);
        }
    }

    /// Notes what a key says about the response.
    pub(super) fn note(&self, verdict: Verdict) {
        if let Some(step) = &mut self.lock().open {
            step.verdicts.push(verdict);
        }
    }

    /// Ends the step.
    pub(super) fn end(&self, error: Option<&Error>) {
        let mut record = self.lock();
        if let Some(mut step) = record.open.take() {
            step.error = error.cloned();
            record.steps.push(step);
        }
    }
}
