//! The language of a page.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::request::Parts;
use axum::http::{header, HeaderValue};

use crate::http::fields::Fields;

/// A language that the pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, also for people who read neither.
    English,
    /// Chinese.
    Chinese,
}

type Texts = HashMap<String, String>;

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| table(include_str!("../../page/texts/en.json")));
static CHINESE: LazyLock<Texts> = LazyLock::new(|| table(include_str!("../../page/texts/zh.json")));

fn table(json: &str) -> Texts {
    serde_json::from_str(json).expect("a table of texts")
}

impl Language {
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

    fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or(tag);
        match primary.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "zh" => Some(Self::Chinese),
            _ => None,
        }
    }

    /// The tag that HTML and HTTP use.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// The `Set-Cookie` value that keeps the language for a year.
    pub fn cookie(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::English => "resup_lang=en; Max-Age=31536000; SameSite=Lax",
            Self::Chinese => "resup_lang=zh; Max-Age=31536000; SameSite=Lax",
        })
    }

    /// Returns a message of the receiver, which is in English; empty in another language.
    pub fn served(self, message: &str) -> &str {
        match self {
            Self::English => message,
            Self::Chinese => "",
        }
    }

    /// Finds a text in this language.
    pub fn text(self, key: &str) -> &'static str {
        let texts: &'static Texts = match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        };
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
    best.map_or(Language::English, |(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_highest_weight_is_chosen() {
        for (accept, language) in [
            ("", Language::English),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-GB,en;q=0.9,zh;q=0.8", Language::English),
            ("de, en;q=0.5, ZH-Hant;q=0.7", Language::Chinese),
            ("fr, zh;q=0", Language::English),
            ("zh;q=x, ;;,", Language::English),
        ] {
            assert_eq!(preferred(accept), language, "{accept}");
        }
    }

    #[test]
    fn the_chinese_texts_have_no_english_word() {
        // Names, and the example of a folder.
        let names = ["JavaScript", "reports"];
        let mut words = Vec::new();
        for (key, text) in &*CHINESE {
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
    fn both_languages_have_the_same_texts_and_placeholders() {
        let placeholders = |text: &str| {
            let mut found: Vec<_> = text
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split('}').next().map(str::to_owned))
                .collect();
            found.sort();
            found
        };
        for (key, english) in &*ENGLISH {
            let found = CHINESE.get(key);
            let chinese = found.unwrap_or_else(|| panic!("no Chinese '{key}'"));
            assert_eq!(placeholders(english), placeholders(chinese), "{key}");
        }
        assert_eq!(ENGLISH.len(), CHINESE.len());
    }
}
