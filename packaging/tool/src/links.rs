//! Links in Markdown files that are shipped without all that they link to: these become plain text.

use std::fs;
use std::path::{Path, PathBuf};

use crate::at;

/// Makes plain text of the links, in all Markdown files below a directory, that lead to no file there.
pub fn unlink(top: &Path) -> Result<(), String> {
    for file in files(top)? {
        if file.extension().is_some_and(|it| it == "md") {
            let text = at(&file, fs::read_to_string(&file))?;
            let dir = file.parent().unwrap_or(top);
            let is_there = |link: &str| leads_somewhere(top, dir, link);
            at(&file, fs::write(&file, without_dead_links(&text, is_there)))?;
        }
    }
    Ok(())
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for entry in at(dir, fs::read_dir(dir))? {
        let path = at(dir, entry)?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

/// Whether a link leads to another site, to a heading of its page, or to a file below the top.
fn leads_somewhere(top: &Path, dir: &Path, link: &str) -> bool {
    let path = link.split('#').next().unwrap_or_default();
    if path.is_empty() || link.contains("://") || link.starts_with("mailto:") {
        return true;
    }
    match (dir.join(path).canonicalize(), top.canonicalize()) {
        (Ok(path), Ok(top)) => path.starts_with(top),
        _ => false,
    }
}

/// Replaces each `[text](link)` whose link is dead by its text. Code stays as it is.
fn without_dead_links(text: &str, is_there: impl Fn(&str) -> bool) -> String {
    let mut result = String::new();
    let mut is_code = false;
    for line in text.split_inclusive('\n') {
        is_code ^= line.trim_start().starts_with("```");
        let mut rest = line;
        while let Some((before, words, link, after)) = first_link(rest).filter(|_| !is_code) {
            result.push_str(before);
            match is_there(link) {
                true => result.push_str(&format!("[{words}]({link})")),
                false => result.push_str(words),
            }
            rest = after;
        }
        result.push_str(rest);
    }
    result
}

/// Finds the first link: what is before it, its text, where it leads, and what is behind it.
fn first_link(text: &str) -> Option<(&str, &str, &str, &str)> {
    let middle = text.find("](")?;
    let start = text[..middle].rfind('[')?;
    let end = middle + text[middle..].find(')')?;
    let (words, link) = (&text[start + 1..middle], &text[middle + 2..end]);
    Some((&text[..start], words, link, &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_become_text() {
        let text =
            "a [b](there.md#x) and [`c`](gone), [d](gone)\n```\nx[0](gone)\n```\n[e](https://a/)\n";
        let is_there = |link: &str| !link.contains("gone");
        assert_eq!(
            without_dead_links(text, is_there),
            "a [b](there.md#x) and `c`, d\n```\nx[0](gone)\n```\n[e](https://a/)\n"
        );
    }

    #[test]
    fn a_link_leads_to_what_is_below_the_top() {
        let outside = tempfile::tempdir().unwrap();
        let top = outside.path().join("top");
        fs::create_dir_all(top.join("docs")).unwrap();
        fs::write(outside.path().join("a.md"), "").unwrap();
        let page = top.join("docs/b.md");
        let text = "[up](../../a.md) [here](b.md#b) [there](..) [no](c.md) [x](#y)";
        fs::write(&page, text).unwrap();
        unlink(&top).unwrap();
        let left = fs::read_to_string(&page).unwrap();
        assert_eq!(left, "up [here](b.md#b) [there](..) no [x](#y)");
    }
}
