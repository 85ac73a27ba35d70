//! A dialect: how a server takes files in forms. docs/DIALECTS.md has its keys.

use std::sync::Arc;

use http::HeaderName;
use serde_json::{Map, Value};

use super::finder::{Finder, Told};
use super::keys::{bad, Object, Templates};
use super::presets;
use super::success::{Statuses, Success};
use super::template::{Place, Template};
use super::trial::Recorder;
use crate::error::Error;
use crate::protocol::charset::Charset;

/// The longest text of a dialect.
const LONGEST: usize = 64 * 1024;

const KEYS: [&str; 23] = [
    "base",
    "method",
    "body",
    "charset",
    "file_field",
    "fields",
    "chunk_fields",
    "query",
    "headers",
    "chunk_headers",
    "chunk_size",
    "last_chunk",
    "repeat",
    "success",
    "complete",
    "message",
    "location",
    "id",
    "offset",
    "last_byte",
    "test",
    "state",
    "done",
];

/// What a server takes a second time, after the answer to the first one was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// The chunk: it is the same one then.
    Chunk,
    /// The file from its beginning on: it is begun anew then.
    File,
    /// Nothing: it would have the file twice.
    Never,
}

/// Where a request about an upload goes, and what it says.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub method: &'static str,
    /// Relative to the client's URL.
    pub url: String,
    /// The query, or the form; `None` for the fields that a chunk has.
    pub fields: Option<Templates>,
}

/// The question whether the server has a chunk.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub target: Target,
    /// The statuses by which it has the chunk, and those by which it wants it.
    pub has: Statuses,
    pub send: Statuses,
}

/// The question how much of the file the server has.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub target: Target,
    pub offset: Told,
    /// The statuses by which it has nothing.
    pub none: Statuses,
}

/// The request after the last chunk.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub target: Target,
    pub success: Success,
    /// Whether it is made for a file of one chunk, too.
    pub is_always: bool,
}

/// A dialect.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    /// Whether the body is the bytes alone, not a form.
    pub(super) is_raw: bool,
    /// What names and fields are written in, and answers by default.
    pub(super) charset: Charset,
    pub(super) file_field: String,
    pub(super) fields: Templates,
    pub(super) query: Templates,
    pub(super) headers: Templates,
    /// What only a file of several chunks has.
    pub(super) chunk_fields: Templates,
    pub(super) chunk_headers: Templates,
    /// Bytes in a chunk; `None` for the whole file in one request.
    pub(crate) chunk_size: Option<u64>,
    pub(super) last_is_long: bool,
    pub(super) repeat: Repeat,
    pub(super) success: Success,
    /// What the response to the last chunk has to be.
    pub(super) complete: Success,
    /// Whether that is by a key of its own.
    pub(super) has_complete: bool,
    /// Where responses have these.
    pub(super) message: Option<Finder>,
    pub(super) location: Option<Finder>,
    pub(super) id: Option<Finder>,
    /// Where the answer to a chunk has the number of bytes.
    pub(super) told: Option<Told>,
    pub(super) test: Option<Test>,
    pub(super) asked: Option<Asked>,
    pub(super) done: Option<Done>,
    /// The record of a trial, if this is one.
    pub(super) trial: Option<Arc<Recorder>>,
}

const METHODS: [(&str, &str); 3] = [("POST", "POST"), ("PUT", "PUT"), ("GET", "GET")];

impl Spec {
    /// Reads a dialect: the name of a preset, or the text of a JSON object.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        // Some editors begin a file with a byte order mark.
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.len() > LONGEST {
            return Err(bad(format!(
                "has {} bytes, more than {LONGEST}",
                text.len()
            )));
        }
        if !text.starts_with('{') {
            let (name, preset) = presets::find(text)?;
            return Self::of(name, &parse(preset)?);
        }
        let own = parse(text)?;
        let base = own.get("base").map(|base| match base {
            Value::String(name) => presets::find(name),
            _ => Err(presets::unknown(&base.to_string())),
        });
        let Some((name, preset)) = base.transpose()? else {
            return Self::of("dialect", &own);
        };
        let mut map = parse(preset)?;
        map.extend(own);
        Self::of(name, &map)
    }

    fn of(name: &'static str, map: &Map<String, Value>) -> Result<Self, Error> {
        let keys = Object::new(String::new(), map, &KEYS)?;
        let templates = |key: &str| -> Result<Templates, Error> {
            Ok(keys.templates(key)?.unwrap_or_default())
        };
        let success = keys.success("success")?;
        let success = success.map_or_else(|| default_success("200-299"), Ok)?;
        let complete = keys.success("complete")?;
        let chunk_size = keys.size("chunk_size")?;
        let repeats = [
            ("chunk", Repeat::Chunk),
            ("file", Repeat::File),
            ("never", Repeat::Never),
        ];
        let repeat = keys.word("repeat", &repeats)?;
        let spec = Spec {
            name,
            method: keys.word("method", &METHODS[..2])?.unwrap_or("POST"),
            is_raw: keys
                .word("body", &[("multipart", false), ("raw", true)])?
                .unwrap_or(false),
            charset: keys.read("charset", Charset::find)?.unwrap_or_default(),
            file_field: keys
                .read("file_field", field_name)?
                .unwrap_or("file".to_owned()),
            fields: templates("fields")?,
            query: templates("query")?,
            headers: templates("headers")?,
            chunk_fields: templates("chunk_fields")?,
            chunk_headers: templates("chunk_headers")?,
            chunk_size,
            last_is_long: keys
                .word("last_chunk", &[("short", false), ("long", true)])?
                .unwrap_or(false),
            repeat: repeat.unwrap_or(match chunk_size {
                Some(_) => Repeat::File,
                None => Repeat::Never,
            }),
            has_complete: complete.is_some(),
            complete: complete.unwrap_or(success.clone()),
            success,
            message: keys.finder("message")?,
            location: keys.finder("location")?,
            id: keys.finder("id")?,
            told: keys.told()?,
            test: keys
                .object("test", Some(&["method", "url", "query", "has", "send"]))?
                .map(|keys| test(&keys))
                .transpose()?,
            asked: keys
                .object(
                    "state",
                    Some(&["method", "url", "query", "offset", "last_byte", "none"]),
                )?
                .map(|keys| asked(&keys))
                .transpose()?,
            done: keys
                .object(
                    "done",
                    Some(&["method", "url", "fields", "success", "always"]),
                )?
                .map(|keys| done(&keys))
                .transpose()?,
            trial: None,
        };
        spec.check()?;
        Ok(spec)
    }

    /// Checks what no key tells alone.
    fn check(&self) -> Result<(), Error> {
        let is_chunked = self.chunk_size.is_some();
        let lists = [&self.headers, &self.chunk_headers];
        for (name, _) in lists.into_iter().flatten() {
            if HeaderName::from_bytes(name.as_bytes()).is_err() {
                return Err(bad(format!(
                    "has the header \"{name}\", which cannot be one's name"
                )));
            }
        }
        let is_asked = self.test.is_some() || self.asked.is_some();
        let has_more = is_asked || self.done.is_some() || self.told.is_some();
        if !is_chunked && (has_more || self.repeat == Repeat::Chunk) {
            return Err(bad(
                "has no \"chunk_size\", so the file goes in one request, and \"offset\", \"last_byte\", \"test\", \
                 \"state\", \"done\" and \"repeat\": \"chunk\" are for files in chunks",
            ));
        }
        if is_chunked && self.repeat == Repeat::Never {
            return Err(bad(
                "has \"repeat\": \"never\" with a \"chunk_size\"; it may be chunk or file then",
            ));
        }
        if self.test.is_some() && self.asked.is_some() {
            return Err(bad(
                "has both \"test\" and \"state\"; one of them is enough",
            ));
        }
        if self.is_raw && !(self.fields.is_empty() && self.chunk_fields.is_empty()) {
            return Err(bad(
                "has \"fields\" and \"body\": \"raw\", which has no fields; give them as \"query\" or \"headers\"",
            ));
        }
        Ok(())
    }

    /// Whether a request has one of these places.
    pub(super) fn uses(&self, places: &[Place]) -> bool {
        let lists = [
            &self.fields,
            &self.query,
            &self.headers,
            &self.chunk_fields,
            &self.chunk_headers,
        ];
        let mut templates = lists.into_iter().flatten();
        templates.any(|(_, template): &(String, Template)| template.has(places))
    }

    /// Gives the number of chunks in a file, whose chunks have so many bytes.
    pub(crate) fn count(&self, size: u64, chunk_size: Option<u64>) -> u64 {
        let chunk_size = chunk_size.unwrap_or(u64::MAX);
        match self.last_is_long {
            true => size / chunk_size,
            false => size.div_ceil(chunk_size),
        }
        .max(1)
    }

    /// Makes the same dialect, whose requests are noted in `trial`.
    pub(crate) fn with_trial(mut self, trial: Arc<Recorder>) -> Self {
        self.trial = Some(trial);
        self
    }

    /// Whether the body of an answer to a chunk has what the client has to know.
    pub(super) fn reads_body(&self) -> bool {
        let told = self.told.as_ref().map(|told| &told.finder);
        let mut finders = [self.location.as_ref(), self.id.as_ref(), told]
            .into_iter()
            .flatten();
        finders.any(Finder::is_in_body)
    }

    /// Whether the server can be asked what it has.
    pub(crate) fn is_asked(&self) -> bool {
        self.test.is_some() || self.asked.is_some()
    }
}

fn parse(text: &str) -> Result<Map<String, Value>, Error> {
    serde_json::from_str(text).map_err(|e| bad(format!("is not a JSON object: {e}")))
}

fn default_success(text: &str) -> Result<Success, Error> {
    Success::read(text).map_err(bad)
}

/// Checks the name of a field.
fn field_name(text: &str) -> Result<String, String> {
    let is_right = !text.is_empty() && text.len() <= 200 && !text.contains(char::is_control);
    is_right
        .then(|| text.to_owned())
        .ok_or("the name of a form's field, in one line".to_owned())
}

/// Reads where a request goes. Its fields are in the key `fields`.
fn target(keys: &Object<'_>, method: &'static str, fields: &str) -> Result<Target, Error> {
    let url = |text: &str| match text.len() <= 1000 && !text.contains(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err("an address, relative to the client's URL".to_owned()),
    };
    Ok(Target {
        method: keys.word("method", &METHODS)?.unwrap_or(method),
        url: keys.read("url", url)?.unwrap_or_default(),
        fields: keys.templates(fields)?,
    })
}

fn statuses(keys: &Object<'_>, key: &str, default: &str) -> Result<Statuses, Error> {
    let statuses = keys.statuses(key)?.or_else(|| Statuses::read(default));
    statuses.ok_or_else(|| bad(format!("has no statuses in \"{key}\"")))
}

fn test(keys: &Object<'_>) -> Result<Test, Error> {
    Ok(Test {
        target: target(keys, "GET", "query")?,
        has: statuses(keys, "has", "200 201")?,
        send: statuses(keys, "send", "202-299 404")?,
    })
}

fn asked(keys: &Object<'_>) -> Result<Asked, Error> {
    let offset = keys.told()?;
    let missing = || bad("has a \"state\" without \"state.offset\" and \"state.last_byte\"");
    Ok(Asked {
        target: target(keys, "GET", "query")?,
        offset: offset.ok_or_else(missing)?,
        none: statuses(keys, "none", "204 404")?,
    })
}

fn done(keys: &Object<'_>) -> Result<Done, Error> {
    let success = keys.success("success")?;
    Ok(Done {
        target: target(keys, "POST", "fields")?,
        success: success.map_or_else(|| default_success("200-299"), Ok)?,
        is_always: keys.flag("always")?,
    })
}
