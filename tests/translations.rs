//! README.zh-CN.md and the guide in Chinese have what the English texts have: the same sections, and in each the same code, options,
//! names and links. So a change of the English text fails here until the translation has it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;
use resup_test_support::guide::blocks;

/// The guide's chapters in Chinese.
const CHAPTERS: &str = "docs/guide/zh-CN/src";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Gives each English text with its translation.
fn pairs() -> Vec<(PathBuf, PathBuf)> {
    let mut pairs = vec![(root().join("README.md"), root().join("README.zh-CN.md"))];
    let chapters = fs::read_dir(root().join(CHAPTERS)).unwrap();
    let mut names: Vec<_> = chapters.map(|it| it.unwrap().file_name()).collect();
    names.sort();
    for name in names.iter().filter(|name| *name != "SUMMARY.md") {
        let english = root().join("docs/guide/src").join(name);
        pairs.push((english, root().join(CHAPTERS).join(name)));
    }
    pairs
}

/// What a translation has to have as its original has it.
#[derive(Debug, Default)]
struct Section {
    heading: String,
    level: usize,
    /// What stands between backquotes.
    code: BTreeSet<String>,
    links: BTreeSet<String>,
    rows: usize,
}

/// Reads the sections of a text, without its blocks.
fn sections(path: &Path) -> Vec<Section> {
    let code = Regex::new("`([^`]+)`").unwrap();
    let link = Regex::new(r"\]\(([^)]+)\)").unwrap();
    let text = fs::read_to_string(path).unwrap();
    let mut sections = vec![Section::default()];
    let mut is_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        } else if line.starts_with('#') && !is_block {
            sections.push(Section {
                heading: line.to_owned(),
                level: line.bytes().take_while(|byte| *byte == b'#').count(),
                ..Section::default()
            });
        } else if !is_block {
            let section = sections.last_mut().unwrap();
            section
                .code
                .extend(code.captures_iter(line).map(|it| it[1].to_owned()));
            section.links.extend(
                link.captures_iter(line)
                    .filter_map(|it| target(path, &it[1])),
            );
            section.rows += usize::from(line.starts_with('|'));
        }
    }
    sections
}

/// Gives where a link leads: a chapter in Chinese counts as the English one. The links between a text and its translation are left
/// out.
fn target(page: &Path, link: &str) -> Option<String> {
    if link.contains("://") {
        return Some(link.to_owned());
    }
    if link.starts_with('#') {
        // Headings have other names there.
        return Some("a place on the page".to_owned());
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    if file.starts_with("README") {
        return None;
    }
    let path = page.parent().unwrap().join(file);
    assert!(path.exists(), "{}: {link} leads nowhere", page.display());
    let path = path.canonicalize().unwrap();
    let path = path.strip_prefix(root().canonicalize().unwrap()).unwrap();
    let path = path
        .display()
        .to_string()
        .replace(CHAPTERS, "docs/guide/src");
    Some(format!("{path}#{anchor}"))
}

/// Gives a block's code without comments, which are translated.
fn bare(language: &str, text: &str) -> String {
    let comment = match language {
        "sh" | "cmake" => r"(?m)(^|\s)#.*$",
        _ => r"(?s)/\*.*?\*/|(?m:// .*$)",
    };
    let text = Regex::new(comment)
        .unwrap()
        .replace_all(text, "")
        .into_owned();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn translations_have_the_sections_of_their_originals() {
    for (english, chinese) in pairs() {
        let name = chinese.strip_prefix(root()).unwrap().display().to_string();
        let (originals, translations) = (sections(&english), sections(&chinese));
        let levels = |sections: &[Section]| sections.iter().map(|it| it.level).collect::<Vec<_>>();
        let headings: Vec<_> = originals.iter().map(|it| &it.heading).collect();
        assert_eq!(
            levels(&originals),
            levels(&translations),
            "{name} has to have the sections of {}: {headings:#?}",
            english.display()
        );
        for (original, translation) in originals.iter().zip(&translations) {
            let place = format!("{name}, {} ({})", translation.heading, original.heading);
            let lacks = |of: &BTreeSet<String>, it: &BTreeSet<String>| -> Vec<String> {
                of.difference(it).cloned().collect()
            };
            let (lack, more) = (
                lacks(&original.code, &translation.code),
                lacks(&translation.code, &original.code),
            );
            assert!(
                lack.is_empty() && more.is_empty(),
                "{place}: lacks {lack:?}, has {more:?} too much"
            );
            let lack = lacks(&original.links, &translation.links);
            assert!(lack.is_empty(), "{place}: lacks the links {lack:?}");
            assert_eq!(original.rows, translation.rows, "{place}: rows of tables");
        }
    }
}

#[test]
fn translations_have_the_code_of_their_originals() {
    for (english, chinese) in pairs() {
        let (originals, translations) = (blocks(&english), blocks(&chinese));
        let languages = |blocks: &[resup_test_support::guide::Block]| -> Vec<String> {
            blocks.iter().map(|it| it.language.clone()).collect()
        };
        assert_eq!(
            languages(&originals),
            languages(&translations),
            "{}",
            chinese.display()
        );
        for (original, translation) in originals.iter().zip(&translations) {
            let language = &original.language;
            assert_eq!(
                bare(language, &original.text),
                bare(language, &translation.text),
                "{} has other code than {}",
                translation.place,
                original.place
            );
        }
    }
}

#[test]
fn originals_and_translations_lead_to_each_other() {
    for (page, link) in [
        ("README.md", "(README.zh-CN.md)"),
        ("README.zh-CN.md", "(README.md)"),
    ] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let head: String = text.lines().take(5).collect();
        assert!(head.contains(link), "the head of {page} has no link {link}");
    }
}
