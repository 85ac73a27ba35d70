//! Regular expressions, for values and conditions. They take a time that grows with the text, whatever it is.

use std::borrow::Cow;

use regex_lite::{Captures, Regex, RegexBuilder};

use crate::http::{without_bom, Response};

/// The longest pattern, in characters.
const LONGEST: usize = 500;

/// The most bytes of a compiled pattern: 256 KiB of text take a few seconds at the worst.
const LARGEST: usize = 16 * 1024;

/// A regular expression.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Regex);

/// There is more of a text, and it may decide whether a pattern matches.
#[derive(Debug)]
pub(super) struct Undecided;

impl Pattern {
    /// Reads a pattern. The error says what it may be.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let length = text.chars().count();
        if !(1..=LONGEST).contains(&length) {
            return Err(format!(
                "regex: with 1 to {LONGEST} characters behind it, and here are {length}"
            ));
        }
        let built = RegexBuilder::new(text).size_limit(LARGEST).build();
        built.map(Pattern).map_err(|e| {
            let why = e.to_string();
            match why.contains("size limit") {
                true => format!(
                    "a smaller regular expression: this one takes more than {LARGEST} bytes when it is \
                     compiled; write + or * in place of large counts"
                ),
                false => format!("a regular expression, and this one is wrong: {why}"),
            }
        })
    }

    /// Reads a pattern of which one group is a value.
    pub(super) fn with_value(text: &str) -> Result<Self, String> {
        let pattern = Self::read(text)?;
        match pattern.0.captures_len() - 1 {
            1 => Ok(pattern),
            groups => Err(format!(
                "a regular expression with one group, such as size=(\\d+), which is the value, and this one \
                 has {groups}; groups that are no value begin with ?:"
            )),
        }
    }

    /// Whether a text has a match.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Gives the value in a text.
    pub(super) fn value_in(&self, text: &str) -> Option<String> {
        self.0.captures(text).and_then(|found| value(&found))
    }

    /// Gives the first match in a response's body, with what `read` takes of it.
    pub(super) fn in_body<T>(
        &self,
        response: &Response,
        read: impl FnOnce(&Captures<'_>) -> T,
    ) -> Result<Option<T>, Undecided> {
        let text: Cow<'_, str> = String::from_utf8_lossy(without_bom(&response.body));
        let found = self.0.captures(&text);
        let end = found.as_ref().and_then(|it| it.get(0)).map(|it| it.end());
        // With more of the text, a match at its end may be longer, or none.
        match response.is_cut && end.is_none_or(|end| end == text.len()) {
            true => Err(Undecided),
            false => Ok(found.as_ref().map(read)),
        }
    }
}

/// Gives the value of a match.
pub(super) fn value(found: &Captures<'_>) -> Option<String> {
    found.get(1).map(|group| group.as_str().to_owned())
}
