//! The language of a page.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::request::Parts;
use axum::http::{header, HeaderValue};

use crate::http::fields::Fields;

/// The texts of each language: its tag, and the content of its file in `page/texts`.
pub const TEXTS: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/texts.rs"));
/// The language for people who read none of those that are there, and the one of the receiver's messages.
const FIRST: &str = "en";

/// A language that the pages are written in.
#[derive(Debug, Clone, Copy)]
pub struct Language(&'static Table);

#[derive(Debug)]
struct Table {
    tag: &'static str,
    texts: HashMap<String, String>,
}

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let table = |&(tag, json)| Table {
        tag,
        texts: serde_json::from_str(json).expect("a table of texts"),
    };
    TEXTS.iter().map(table).collect()
});

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.tag() == other.tag()
    }
}

impl Language {
    /// Lists all languages.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLES.iter().map(Self)
    }

    /// Finds a request's language: the one in the URL, else the one in the cookie, else the browser's.
    pub fn of(head: &Parts) -> Self {
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let cookies = header(header::COOKIE).unwrap_or("").split(';');
        let from_cookie = cookies
            .filter_map(|pair| pair.trim().strip_prefix("resup_lang="))
            .find_map(Self::from_tag);
        let browsers = || preferred(header(header::ACCEPT_LANGUAGE).unwrap_or(""));
        chosen(head).or(from_cookie).unwrap_or_else(browsers)
    }

    /// Finds the language of a tag: the very one (`pt-BR`), else that of its first part (`pt`).
    fn from_tag(tag: &str) -> Option<Self> {
        let is = |tag: &str| Self::all().find(|it| it.tag().eq_ignore_ascii_case(tag));
        is(tag).or_else(|| is(tag.split('-').next()?))
    }

    fn first() -> Self {
        Self::from_tag(FIRST).expect("the English texts are there")
    }

    /// The languages but for this one.
    pub fn others(self) -> impl Iterator<Item = Self> {
        Self::all().filter(move |other| *other != self)
    }

    /// The tag that HTML and HTTP use.
    pub fn tag(self) -> &'static str {
        self.0.tag
    }

    /// The `Set-Cookie` value that keeps the language for a year.
    pub fn cookie(self) -> HeaderValue {
        let tag = self.tag();
        let cookie = format!("resup_lang={tag}; Max-Age=31536000; SameSite=Lax");
        HeaderValue::try_from(cookie).expect("tags are ASCII")
    }

    /// Returns a message of the receiver, which is in English; empty in another language.
    pub fn served(self, message: &str) -> &str {
        match self == Self::first() {
            true => message,
            false => "",
        }
    }

    /// Finds a text in this language.
    pub fn text(self, key: &str) -> &'static str {
        let texts = &self.0.texts;
        texts.get(key).unwrap_or_else(|| panic!("no text '{key}'"))
    }
}

/// Finds the language in a request's URL.
pub fn chosen(head: &Parts) -> Option<Language> {
    let query = head.uri.query().unwrap_or("");
    let fields = Fields::from_urlencoded(query.as_bytes()).ok()?;
    fields.text("lang").and_then(Language::from_tag)
}

/// Finds the language of highest weight in an Accept-Language (RFC 9110, 12.5.4).
fn preferred(accept: &str) -> Language {
    let parse = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let language = Language::from_tag(parts.next()?)?;
        let q = parts.find_map(|part| part.strip_prefix("q="));
        let weight: f32 = q.map_or(Some(1.0), |q| q.parse().ok())?;
        (weight > 0.0).then_some((language, weight))
    };
    let ranges = accept.split(',').filter_map(parse);
    let best = ranges.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map_or_else(Language::first, |(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_highest_weight_is_chosen() {
        for (accept, language) in [
            ("", "en"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
            ("en-GB,en;q=0.9,zh;q=0.8", "en"),
            ("tlh, en;q=0.5, ZH-Hant;q=0.7", "zh"),
            ("tlh, zh;q=0", "en"),
            ("zh;q=x, ;;,", "en"),
        ] {
            assert_eq!(preferred(accept).tag(), language, "{accept}");
        }
    }

    #[test]
    fn the_chinese_texts_have_no_english_word() {
        // Names, and the example of a folder.
        let names = ["JavaScript", "reports"];
        let mut words = Vec::new();
        let chinese = Language::from_tag("zh").unwrap();
        for (key, text) in &chinese.0.texts {
            let mut rest = text.as_str();
            let mut plain = String::new();
            while let Some((before, after)) = rest.split_once('{') {
                plain += before;
                rest = after.split_once('}').expect("a placeholder").1;
            }
            plain += rest;
            let found = plain.split(|c: char| !c.is_ascii_alphabetic());
            let found = found.filter(|word| !word.is_empty() && !names.contains(word));
            words.extend(found.map(|word| format!("{key}: {word}")));
        }
        assert!(words.is_empty(), "{words:?}");
    }

    #[test]
    fn all_languages_have_the_same_texts_and_placeholders() {
        let placeholders = |text: &str| {
            let mut found: Vec<_> = text
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split('}').next().map(str::to_owned))
                .collect();
            found.sort();
            found
        };
        let english = &Language::first().0.texts;
        for other in Language::first().others() {
            let (tag, texts) = (other.tag(), &other.0.texts);
            for (key, text) in english {
                let found = texts.get(key);
                let found = found.unwrap_or_else(|| panic!("no '{key}' in {tag}.json"));
                assert_eq!(
                    placeholders(text),
                    placeholders(found),
                    "{key} in {tag}.json"
                );
            }
            let more: Vec<_> = texts
                .keys()
                .filter(|key| !english.contains_key(*key))
                .collect();
            assert!(
                more.is_empty(),
                "{tag}.json has {more:?}, which en.json has not"
            );
        }
    }
}
