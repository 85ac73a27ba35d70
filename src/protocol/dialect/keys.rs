//! Reading the keys of a dialect. Each message names the key, and what it may be.

use serde_json::{Map, Value};

use super::finder::{Finder, Told};
use super::success::{Statuses, Success};
use super::template::Template;
use crate::error::Error;
use crate::http::limited;

/// The most entries of an object with names of the program's choice.
const MOST: usize = 50;

/// Makes the error for a text that is no dialect.
pub(super) fn bad(why: impl Into<String>) -> Error {
    Error::InvalidArgument {
        what: "dialect",
        why: why.into(),
    }
}

/// Names with templates.
pub(super) type Templates = Vec<(String, Template)>;

/// An object of a dialect.
pub(super) struct Object<'a> {
    /// The names of the objects around it, each with a dot.
    at: String,
    map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// Makes an object that may have these keys only.
    pub(super) fn new(
        at: String,
        map: &'a Map<String, Value>,
        keys: &[&str],
    ) -> Result<Self, Error> {
        match map.keys().find(|key| !keys.contains(&key.as_str())) {
            Some(key) => Err(bad(format!(
                "has the unknown key \"{at}{}\"; it may have {}",
                limited(key),
                keys.iter()
                    .map(|key| format!("{at}{key}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ))),
            None => Ok(Object { at, map }),
        }
    }

    /// Makes the error for a key's value.
    fn error(&self, key: &str, value: &Value, may_be: &str) -> Error {
        let shown: String = limited(&value.to_string()).chars().take(200).collect();
        bad(format!(
            "has {shown} for the key \"{}{key}\"; it may be {may_be}",
            self.at
        ))
    }

    /// Gives a key's value; `None` if there is none.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Reads a key's text by a function whose error says what it may be.
    pub(super) fn read<T>(
        &self,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let text = value.as_str();
        let result = text.map_or_else(|| Err("a text".to_owned()), read);
        result
            .map(Some)
            .map_err(|may_be| self.error(key, value, &may_be))
    }

    /// Reads a key that is one of a few words.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, Error> {
        self.read(key, |text| {
            let found = words.iter().find(|(word, _)| *word == text);
            let names = words.iter().map(|(word, _)| *word).collect::<Vec<_>>();
            found
                .map(|(_, value)| *value)
                .ok_or_else(|| names.join(" or "))
        })
    }

    /// Reads a number of bytes.
    pub(super) fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let size = value.as_u64().filter(|size| (1..=1 << 40).contains(size));
        size.map(Some)
            .ok_or_else(|| self.error(key, value, "a whole number of bytes, from 1 to 1 TiB"))
    }

    /// Reads a key that is true or false.
    pub(super) fn flag(&self, key: &str) -> Result<bool, Error> {
        let value = self.get(key);
        let flag = value.map_or(Some(false), Value::as_bool);
        flag.ok_or_else(|| self.error(key, value.unwrap_or(&Value::Null), "true or false"))
    }

    pub(super) fn success(&self, key: &str) -> Result<Option<Success>, Error> {
        self.read(key, Success::read)
    }

    pub(super) fn statuses(&self, key: &str) -> Result<Option<Statuses>, Error> {
        let may_be = "statuses such as \"200-299 303\"";
        self.read(key, |text| Statuses::read(text).ok_or(may_be.to_owned()))
    }

    pub(super) fn finder(&self, key: &str) -> Result<Option<Finder>, Error> {
        self.read(key, Finder::read)
    }

    /// Reads where responses tell how many bytes the server has: `offset` or `last_byte`.
    pub(super) fn told(&self) -> Result<Option<Told>, Error> {
        let (count, last) = (self.finder("offset")?, self.finder("last_byte")?);
        if count.is_some() && last.is_some() {
            return Err(bad(format!(
                "has both \"{0}offset\" and \"{0}last_byte\"; one of them is enough, and null takes that of a \
                 base away",
                self.at
            )));
        }
        let is_last = last.is_some();
        Ok(count.or(last).map(|finder| Told { finder, is_last }))
    }

    /// Reads an object of names with templates.
    pub(super) fn templates(&self, key: &str) -> Result<Option<Templates>, Error> {
        let Some(inner) = self.object(key, None)? else {
            return Ok(None);
        };
        if inner.map.len() > MOST {
            return Err(bad(format!(
                "has more than {MOST} entries in \"{}{key}\"",
                self.at
            )));
        }
        let names = inner.map.keys();
        let templates = names.map(|name| {
            let template = inner.read(name, Template::read)?;
            let template = template.ok_or_else(|| inner.error(name, &Value::Null, "a text"))?;
            Ok((name.clone(), template))
        });
        templates.collect::<Result<_, Error>>().map(Some)
    }

    /// Reads a key that is an object, with these keys or any.
    pub(super) fn object(&self, key: &str, keys: Option<&[&str]>) -> Result<Option<Self>, Error> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let Some(map) = value.as_object() else {
            return Err(self.error(key, value, "an object"));
        };
        let at = format!("{}{key}.", self.at);
        match keys {
            Some(keys) => Object::new(at, map, keys).map(Some),
            None => Ok(Some(Object { at, map })),
        }
    }
}
