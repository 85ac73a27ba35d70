//! Each text has its translation, and each translation its text.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use regex_lite::{Captures, Regex};

use super::catalog::{entries, fill, Catalog, Entry};
use super::command::{beginning, texts, value_helps, CLAP};
use super::locale::ZH_CN;
use crate::exit::Exit;
use crate::help;
use crate::options::Cli;

/// How lines begin that are commands or parts of one, and stay as they are.
const COMMANDS: [&str; 4] = ["resup ", "tar c ", "curl ", "--login-field "];
/// Headings of the manual page, and names of options that messages have.
const OTHERS: [&str; 12] = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "DIALECTS",
    "RECEIPTS",
    "OPTIONS",
    "UNITS",
    "EXIT STATUS",
    "ENVIRONMENT",
    "EXAMPLES",
    "header",
    "cookie",
];

fn path(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(path)
}

/// Gives the Rust sources below a directory, with each string on one line, and without tests.
fn sources(dir: &Path) -> String {
    let mut sources = String::new();
    let mut entries: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("src/messages") && !path.ends_with("tests") {
            sources += &self::sources(&path);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            sources += text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        }
    }
    let joined = Regex::new(r"\\\n\s*").unwrap();
    joined.replace_all(&sources, "").into_owned()
}

fn unescaped(literal: &str) -> String {
    literal
        .replace("\\\"", "\"")
        .replace("\\n", "\n")
        .replace("\\\\", "\\")
}

/// Gives all texts that the command has of its own.
fn own_texts() -> BTreeSet<String> {
    let mut cli = Cli::command();
    cli.build();
    let mut own: BTreeSet<String> = texts(&cli).into_iter().collect();
    own.extend(value_helps(&cli));
    own.extend(help::long_end().lines().map(str::to_owned));
    own.extend(Exit::ALL.map(|(_, meaning)| meaning.to_owned()));
    own.extend(help::ENVIRONMENT.map(|(_, meaning)| meaning.to_owned()));
    own.extend(help::EXAMPLES.map(|(what, _)| what.to_owned()));
    own.extend(help::DIALECT_MANUAL.map(|(_, what)| what.to_owned()));
    own.extend([help::SEVERAL, help::VERIFY_MANUAL].map(str::to_owned));
    own.extend([resup_units::SIZES, resup_units::TIMES].map(str::to_owned));
    own.extend(CLAP.map(str::to_owned));
    own.extend(OTHERS.map(str::to_owned));
    let call = Regex::new(r#"\b(?:tr!|text)\(\s*"((?:[^"\\]|\\.)*)""#).unwrap();
    let sources = sources(&path("tools/cli/src"));
    own.extend(
        call.captures_iter(&sources)
            .map(|found| unescaped(&found[1])),
    );
    own.retain(|text| !is_made_of_others(text));
    own
}

/// Whether a line of the help is a command, or was put together from other texts.
fn is_made_of_others(text: &str) -> bool {
    let text = &text[beginning(text)..];
    let units = help::units();
    let has_name = help::ENVIRONMENT
        .iter()
        .any(|(name, _)| text.starts_with(&format!("{name}: ")));
    let is_what = help::EXAMPLES
        .iter()
        .any(|(what, _)| text == format!("{what}:"));
    COMMANDS.iter().any(|start| text.starts_with(start))
        || text.is_empty()
        || text == units
        || has_name
        || is_what
}

fn of(context: &str) -> Vec<Entry> {
    let entries = entries(ZH_CN).into_iter();
    entries
        .filter(|it| it.context == context && !it.id.is_empty())
        .collect()
}

#[test]
fn every_text_has_a_translation() {
    let catalog = Catalog::parse(ZH_CN);
    let own = own_texts();
    let is_translated = |text: &str| {
        let short = text.strip_suffix('.').unwrap_or(text);
        let forms = [text, &text[beginning(text)..], short];
        forms.iter().any(|form| catalog.text(form).is_some())
    };
    let missing: Vec<_> = own.iter().filter(|text| !is_translated(text)).collect();
    assert!(missing.is_empty(), "not translated: {missing:#?}");
}

#[test]
fn every_translation_is_of_a_text() {
    let own = own_texts();
    let unused: Vec<_> = of("")
        .into_iter()
        .map(|it| it.id)
        .filter(|id| !own.contains(id))
        .collect();
    assert!(unused.is_empty(), "no text of the command: {unused:#?}");
}

#[test]
fn translations_have_the_placeholders_of_their_texts() {
    let name = Regex::new(r"\{\{|\}\}|\{[a-z_]+\}").unwrap();
    let names = |text: &str| -> BTreeSet<String> {
        name.find_iter(text)
            .map(|it| it.as_str().to_owned())
            .collect()
    };
    for entry in entries(ZH_CN).into_iter().skip(1) {
        assert_eq!(names(&entry.id), names(&entry.text), "{}", entry.id);
        assert!(!entry.text.trim().is_empty(), "{}: empty", entry.id);
        let ends = |text: &str, c| (text.starts_with(c), text.ends_with(c));
        assert_eq!(
            ends(&entry.id, '\n'),
            ends(&entry.text, '\n'),
            "{}",
            entry.id
        );
    }
}

#[test]
fn no_entry_is_there_twice() {
    let mut seen = BTreeSet::new();
    for entry in entries(ZH_CN) {
        let Entry { context, id, .. } = entry;
        assert!(seen.insert((context, id.clone())), "{id}");
    }
}

/// Gives the pairs of words that follow each other in a text. Sentences are put together from pieces, so a pair is what can be
/// looked for.
fn pairs(text: &str) -> BTreeSet<(&str, &str)> {
    let words = text.split(|c: char| !c.is_ascii_alphabetic() && c != '\'');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

/// The sentences of the library and of the command are still said there.
#[test]
fn sentences_are_still_said() {
    let library = sources(&path("src")) + &sources(&path("tools/units/src"));
    let command = sources(&path("tools/cli/src"));
    for (context, sources) in [
        ("library", unescaped(&library)),
        ("command", unescaped(&command)),
    ] {
        let said = pairs(&sources);
        let seam = Regex::new(r"\{[a-z_]+\}|[,;:()]").unwrap();
        for entry in of(context) {
            for part in seam.split(&entry.id) {
                for pair in pairs(part) {
                    assert!(
                        said.contains(&pair),
                        "{}: nothing says \"{} {}\"",
                        entry.id,
                        pair.0,
                        pair.1
                    );
                }
            }
        }
    }
}

/// Gives a run of English words in a translation, outside of what is quoted from elsewhere.
fn english_words(translated: &str) -> Option<String> {
    let words = Regex::new(r"[A-Za-z']+(?: [A-Za-z']+){3,}").unwrap();
    words.find(translated).map(|it| it.as_str().to_owned())
}

/// The messages of docs/ERRORS.md that the command shows, without what a server has said.
#[test]
fn the_messages_of_the_documentation_are_translated() {
    let catalog = Catalog::parse(ZH_CN);
    let document = fs::read_to_string(path("docs/ERRORS.md")).unwrap();
    let (_, document) = document.split_once("\n## The file\n").unwrap();
    let (document, _) = document.split_once("\n## The rest\n").unwrap();
    let mut count = 0;
    let mut wrong = Vec::new();
    for row in document
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
    {
        let cells: Vec<_> = row.split(" | ").collect();
        let message = cells[cells.len() - 3];
        if ["message", "none"].contains(&message) {
            continue;
        }
        count += 1;
        let said = Regex::new(r"(HTTP 状态码 \d+(（[^）]*）)?|失败|开头为)：.*").unwrap();
        match catalog.sentence(message) {
            None => wrong.push(message.to_owned()),
            Some(text) => wrong.extend(english_words(&said.replace(&text, ""))),
        }
    }
    assert!(count > 50 && wrong.is_empty(), "of {count}: {wrong:#?}");
}

/// What `resup dialect check` finds goes into JSON in English, and to people in their language.
#[test]
fn the_findings_about_dialects_are_translated() {
    let catalog = Catalog::parse(ZH_CN);
    let literal = Regex::new(r#""((?:[^"\\]|\\.)*)""#).unwrap();
    let place = Regex::new(r"\{\{|\}\}|\{[^{}]*\}").unwrap();
    let sources = ["answer", "finding", "mod", "status", "success"]
        .map(|name| format!("tools/cli/src/dialect/advice/{name}.rs"));
    for source in sources
        .iter()
        .map(String::as_str)
        .chain(["tools/cli/src/dialect/check.rs"])
    {
        let text = fs::read_to_string(path(source)).unwrap();
        let text = Regex::new(r"\\\n\s*")
            .unwrap()
            .replace_all(&text, "")
            .into_owned();
        let text = Regex::new(r"(?m)^\s*//.*$")
            .unwrap()
            .replace_all(&text, "")
            .into_owned();
        for found in literal.captures_iter(&text) {
            let sentence = place.replace_all(&found[1], |found: &Captures| match &found[0] {
                "{{" => "{".to_owned(),
                "}}" => "}".to_owned(),
                _ => "7".to_owned(),
            });
            let sentence = unescaped(&sentence);
            if sentence.split(' ').count() < 6 {
                continue;
            }
            assert!(
                catalog.sentence(&sentence).is_some(),
                "{source}: {sentence}"
            );
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn reasons_of_the_system_are_those_that_it_gives() {
    let catalog = Catalog::parse(ZH_CN);
    for number in [2, 5, 13, 20, 21, 24, 28, 32, 101, 104, 110, 111, 113, 116] {
        let reason = io::Error::from_raw_os_error(number).to_string();
        assert!(catalog.sentence(&reason).is_some(), "{reason}");
    }
}

#[test]
fn values_are_put_into_the_translation() {
    let catalog = Catalog::parse(ZH_CN);
    let text = catalog.text("{done} of {all} complete").unwrap();
    let values = [("done", "2".to_owned()), ("all", "3 个文件".to_owned())];
    assert_eq!(fill(text, &values), "共 3 个文件，已完成 2 个");
    let refusal = "the server refused with HTTP status 401 (the user and password were refused): log in first";
    let translated = "服务器拒绝请求，HTTP 状态码 401（用户名和密码被拒绝）：log in first";
    assert_eq!(catalog.sentence(refusal).as_deref(), Some(translated));
}
