//! The presigned URLs of one upload, as the program gives them: a JSON object.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::limited;

/// The longest text: 10 000 URLs have some 1500 bytes each.
const LONGEST: usize = 64 << 20;

const KEYS: [&str; 6] = ["part_size", "parts", "complete", "list", "abort", "head"];

/// The presigned URLs of one upload. Each is a secret, since it is all that a request needs; its query is shown nowhere.
#[derive(Clone)]
pub(crate) struct Spec {
    /// Bytes in a part; the last one may have fewer.
    pub(super) part_size: u64,
    /// Where each part is put, in order.
    pub(super) parts: Vec<String>,
    /// Where the parts are made a file, by POST.
    pub(super) complete: String,
    /// Where the parts that are there are listed, each with some of them.
    pub(super) list: Vec<String>,
    /// Where the upload is taken back, by DELETE.
    pub(super) abort: Option<String>,
    /// Where the file is asked for, by HEAD.
    pub(super) head: Option<String>,
    /// The server's id of the upload, where the URLs have one.
    id: Option<String>,
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spec({} parts, {})", self.parts.len(), self.place())
    }
}

impl Spec {
    /// Reads the text of a JSON object.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        if text.len() > LONGEST {
            let length = text.len();
            return Err(bad(format!("have {length} bytes, more than {LONGEST}")));
        }
        let no_object = |why: &str| {
            bad(format!(
                "are no JSON object{why}; it is {{\"part_size\": …, \"parts\": [\"https://…\", …], \"complete\": \"https://…\"}}"
            ))
        };
        // The error of the parser has a place, and no text. That of another type would have the text itself.
        let value = serde_json::from_str(text).map_err(|e| no_object(&format!(": {e}")))?;
        let Value::Object(map) = value else {
            return Err(no_object(""));
        };
        if let Some(key) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(bad(format!(
                "have the unknown key \"{}\"; there may be {}",
                limited(without_query(key))
                    .chars()
                    .take(100)
                    .collect::<String>(),
                KEYS.join(", ")
            )));
        }
        let part_size = match map.get("part_size").map(|size| (size.as_u64(), size)) {
            Some((Some(size), _)) if (1..=1 << 50).contains(&size) => size,
            other => {
                let number = other.filter(|(_, value)| value.is_number());
                let has = number.map_or("no number".to_owned(), |(_, value)| value.to_string());
                return Err(bad(format!(
                    "have {has} for the key \"part_size\"; it has to be the number of bytes in each part but the last"
                )));
            }
        };
        let spec = Spec {
            part_size,
            parts: urls(&map, "parts")?,
            complete: url(&map, "complete")?.ok_or_else(|| {
                bad("have no URL for the key \"complete\", by which the parts are made a file")
            })?,
            list: match map.get("list") {
                Some(Value::Array(_)) => urls(&map, "list")?,
                _ => url(&map, "list")?.into_iter().collect(),
            },
            abort: url(&map, "abort")?,
            head: url(&map, "head")?,
            id: None,
        };
        spec.checked()
    }

    /// Checks that the URLs are of one upload, each of another part, as far as they tell.
    fn checked(self) -> Result<Self, Error> {
        let id = parameter(&self.complete, "uploadId");
        let mut seen = HashMap::new();
        for (index, url) in self.parts.iter().enumerate() {
            let number = index + 1;
            if let Some(other) = seen.insert(url, number) {
                return Err(bad(format!(
                    "have the same URL twice in \"parts\", as number {other} and {number}: each part has one of its own"
                )));
            }
            let told = parameter(url, "partNumber");
            if told
                .as_ref()
                .is_some_and(|told| *told != number.to_string())
            {
                let told = limited(&told.unwrap_or_default());
                return Err(bad(format!(
                    "have partNumber={told} in the URL of part {number}: they have to be in order, from 1 on"
                )));
            }
        }
        let named = |name: &str| format!("for the key \"{name}\"");
        let parts = self.parts.iter().enumerate();
        let others = parts
            .map(|(index, url)| (url, format!("of part {}", index + 1)))
            .chain(self.list.iter().map(|url| (url, named("list"))))
            .chain(self.abort.iter().map(|url| (url, named("abort"))));
        for (url, which) in others {
            let other = parameter(url, "uploadId");
            if other.is_some() && id.is_some() && other != id {
                return Err(bad(format!(
                    "have another uploadId in the URL {which} than in that of \"complete\": they are of two uploads"
                )));
            }
        }
        Ok(Spec { id, ..self })
    }

    /// Gives the server's id of the upload.
    pub(crate) fn id(&self) -> String {
        self.id.clone().unwrap_or_else(|| "presigned".to_owned())
    }

    /// Gives the URL of the file to come, with what tells the upload from others, and without what is secret. It stays the
    /// same with new URLs for the same upload.
    pub(crate) fn place(&self) -> String {
        let bare = without_query(&self.complete);
        let mut query = form_urlencoded::Serializer::new(String::new());
        match &self.id {
            Some(id) => format!("{bare}?{}", query.append_pair("uploadId", id).finish()),
            None => bare.to_owned(),
        }
    }

    /// Gives the number of parts of a file.
    pub(super) fn count(&self, size: u64) -> u64 {
        // An empty file has one part, too.
        size.div_ceil(self.part_size).max(1)
    }

    /// Checks that there are as many URLs as a file has parts.
    pub(super) fn check_size(&self, size: u64) -> Result<(), Error> {
        let (count, given) = (self.count(size), self.parts.len() as u64);
        match count == given {
            true => Ok(()),
            false => Err(bad(format!(
                "have {given} URLs, and the file of {size} bytes has {count} parts of {} bytes: give one for each, or another \
                 \"part_size\"",
                self.part_size
            ))),
        }
    }
}

/// Makes the error for URLs that cannot be used.
pub(super) fn bad(why: impl Into<String>) -> Error {
    Error::InvalidArgument {
        what: "parts",
        why: why.into(),
    }
}

/// Gives a URL without its query, in which the signature is.
pub(super) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// Gives a parameter of a URL's query.
fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value.into_owned())
}

/// Reads a key that is a list of URLs.
fn urls(map: &Map<String, Value>, key: &str) -> Result<Vec<String>, Error> {
    let list = map.get(key).and_then(Value::as_array);
    let list = list.filter(|list| !list.is_empty()).ok_or_else(|| {
        bad(format!(
            "have no list of URLs for the key \"{key}\", such as [\"https://…\", …]"
        ))
    })?;
    let named = |(index, value)| checked(value, || format!("\"{key}\", number {}", index + 1));
    list.iter().enumerate().map(named).collect()
}

/// Reads a key that is one URL; `None` if there is none.
fn url(map: &Map<String, Value>, key: &str) -> Result<Option<String>, Error> {
    let value = map.get(key).filter(|value| !value.is_null());
    let url = value.map(|value| checked(value, || format!("\"{key}\"")));
    url.transpose()
}

/// Checks a URL; `place` names where it stands.
fn checked(value: &Value, place: impl Fn() -> String) -> Result<String, Error> {
    let Some(url) = value.as_str() else {
        let place = place();
        return Err(bad(format!(
            "have no text for {place}; it has to be a URL in quotes"
        )));
    };
    match Endpoint::parse(url) {
        Ok(_) => Ok(url.to_owned()),
        Err(error) => {
            let place = place();
            let why = match error {
                Error::InvalidUrl { why, .. } => why,
                other => other.to_string(),
            };
            let shown = crate::http::endpoint::shown(without_query(url));
            Err(bad(format!(
                "have the URL \"{shown}\" for {place}, which cannot be used: {why}"
            )))
        }
    }
}
