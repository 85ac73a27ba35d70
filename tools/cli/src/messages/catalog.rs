//! The texts of a language: a file in gettext's format PO.
//!
//! Entries without a context are texts of the command itself. Those with one are sentences of others, such as the library, which
//! come with their values in them: `{names}` stand for these, and match any text; `{status}` and `{number}` match digits.

use std::collections::HashMap;

/// The values that are sentences themselves, or the ends of them.
const SENTENCES: [&str; 6] = ["why", "what", "hint", "cause", "path", "rest"];
/// The values that are numbers.
const NUMBERS: [&str; 2] = ["status", "number"];

/// The texts of a language.
#[derive(Debug, Default)]
pub struct Catalog {
    texts: HashMap<String, String>,
    /// The sentences of others, in the order of the file, which is the one in which they are tried.
    sentences: Vec<Entry>,
}

/// A text and its translation.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Entry {
    pub context: String,
    pub id: String,
    pub text: String,
}

impl Catalog {
    /// Reads a file of texts.
    pub fn parse(file: &str) -> Self {
        let mut catalog = Catalog::default();
        for entry in entries(file) {
            match (&*entry.id, &*entry.context) {
                // The head of the file.
                ("", _) => {}
                (_, "") => drop(catalog.texts.insert(entry.id, entry.text)),
                _ => catalog.sentences.push(entry),
            }
        }
        catalog
    }

    /// Gives the translation of a text of the command's own.
    pub fn text(&self, id: &str) -> Option<&str> {
        self.texts.get(id).map(String::as_str)
    }

    /// Translates a sentence of others.
    pub fn sentence(&self, english: &str) -> Option<String> {
        let mut values = Vec::new();
        let entry = self.sentences.iter().find(|entry| {
            values.clear();
            matches(&entry.id, english, &mut values)
        })?;
        let translated = values.into_iter().map(|(name, value)| {
            let is_sentence = SENTENCES.contains(&name);
            let translated = is_sentence.then(|| self.sentence(value)).flatten();
            (name, translated.unwrap_or_else(|| value.to_owned()))
        });
        Some(fill(&entry.text, &translated.collect::<Vec<_>>()))
    }
}

/// Reads the entries of a file.
pub fn entries(file: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut entry = Entry::default();
    let mut part = "";
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        let Some((keyword, rest)) = line.split_once('"') else {
            continue;
        };
        let begins = !keyword.trim().is_empty() && part == "msgstr";
        if begins {
            entries.push(std::mem::take(&mut entry));
        }
        if !keyword.trim().is_empty() {
            part = keyword.trim();
        }
        let text = unescaped(rest.strip_suffix('"').unwrap_or(rest));
        match part {
            "msgctxt" => entry.context += &text,
            "msgid" => entry.id += &text,
            _ => entry.text += &text,
        }
    }
    entries.push(entry);
    entries
}

fn unescaped(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        unescaped.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                other => other.unwrap_or('\\'),
            },
            c => c,
        });
    }
    unescaped
}

/// Whether a text is this sentence, and with which values.
fn matches<'s, 't>(sentence: &'s str, text: &'t str, values: &mut Vec<(&'s str, &'t str)>) -> bool {
    let Some((before, rest)) = sentence.split_once('{') else {
        return sentence == text;
    };
    let (Some(text), Some((name, rest))) = (text.strip_prefix(before), rest.split_once('}')) else {
        return false;
    };
    let ends: Vec<usize> = if NUMBERS.contains(&name) {
        let end = text.find(|c: char| !c.is_ascii_digit());
        vec![end.unwrap_or(text.len())]
    } else if rest.is_empty() {
        vec![text.len()]
    } else {
        let next = rest.split('{').next().unwrap_or_default();
        text.match_indices(next).map(|(at, _)| at).collect()
    };
    ends.into_iter().any(|end| {
        let (value, text) = text.split_at(end);
        let count = values.len();
        values.push((name, value));
        let is_match = matches(rest, text, values);
        if !is_match {
            values.truncate(count);
        }
        is_match
    })
}

/// Puts values in the places of their names. Braces that are doubled stand for themselves.
pub fn fill(text: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        filled.push_str(&rest[..at]);
        let found = &rest[at..];
        if found.starts_with("{{") || found.starts_with("}}") {
            filled.push_str(&found[..1]);
            rest = &found[2..];
            continue;
        }
        let (name, after) = found[1..].split_once('}').unwrap_or_default();
        let value = values.iter().find(|value| value.0 == name);
        filled.push_str(value.map_or("", |value| &value.1));
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
# Of others.
msgid ""
msgstr "Language: xx\n"

msgid "{done} of {all}"
msgstr "{all}: {done}"

#, fuzzy
msgid "two "
"lines\n"
"\"here\""
msgstr ""
"deux"

msgctxt "library"
msgid "status {status}{rest}"
msgstr "S{status}{rest}"

msgctxt "library"
msgid " ({hint}): {message}"
msgstr " [{hint}] {message}"

msgctxt "library"
msgid "the file \"{path}\" is lost: {why}"
msgstr "{why}<{path}>"

msgctxt "library"
msgid "busy"
msgstr "BUSY"
"#;

    #[test]
    fn a_file_has_texts_and_sentences() {
        let catalog = Catalog::parse(FILE);
        assert_eq!(catalog.text("{done} of {all}"), Some("{all}: {done}"));
        assert_eq!(catalog.text("two lines\n\"here\""), Some("deux"));
        assert_eq!(catalog.text(""), None);
        assert_eq!(catalog.text("busy"), None);
        assert_eq!(entries(FILE).len(), 7);
    }

    #[test]
    fn a_sentence_is_found_with_its_values() {
        let catalog = Catalog::parse(FILE);
        for (english, translated) in [
            ("busy", Some("BUSY")),
            ("busy ", None),
            ("the file \"a\" is lost: busy", Some("BUSY<a>")),
            (
                "the file \"a\" is lost: b\" is lost: c",
                Some("b\" is lost: c<a>"),
            ),
            ("status 503", Some("S503")),
            ("status 503 (busy): busy", Some("S503 [BUSY] busy")),
            ("status 503: a (b): c", Some("S503: a (b): c")),
        ] {
            assert_eq!(catalog.sentence(english).as_deref(), translated);
        }
    }

    #[test]
    fn values_take_the_places_of_their_names() {
        let values = [("a", "{b}".to_owned()), ("b", "2".to_owned())];
        assert_eq!(fill("{b} {{b}} {a}.", &values), "2 {b} {b}.");
    }
}
