//! The code in the guide's chapters and in the README.

use std::fs;
use std::path::{Path, PathBuf};

/// A fenced block.
#[derive(Clone)]
pub struct Block {
    /// The file and the line that it begins in.
    pub place: String,
    /// What stands behind the fence.
    pub language: String,
    /// The lines between the fences.
    pub text: String,
    /// The last heading before it, without its signs.
    pub heading: String,
}

/// Returns the path of a chapter.
pub fn chapter(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    dir.join("../../docs/guide/src").join(name)
}

/// Reads the blocks of a page.
///
/// # Panics
///
/// When it cannot be read, or ends in a block.
pub fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).expect("a page");
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = None;
    let mut heading = "";
    for (number, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, inside) {
            (Some(language), None) => {
                inside = Some(line.len() - line.trim_start().len());
                blocks.push(Block {
                    place: format!("{}:{}", page.display(), number + 1),
                    language: language.to_owned(),
                    text: String::new(),
                    heading: heading.to_owned(),
                });
            }
            (Some(_), Some(_)) => inside = None,
            (None, Some(indent)) => {
                let block = blocks.last_mut().expect("a block that is open");
                block.text += line.get(indent..).unwrap_or("");
                block.text += "\n";
            }
            (None, None) if line.starts_with('#') => {
                heading = line.trim_start_matches('#').trim();
            }
            (None, None) => {}
        }
    }
    assert!(inside.is_none(), "{} ends in a block", page.display());
    blocks
}

/// Reads what a section of a chapter has in one language, as one text.
///
/// # Panics
///
/// When there is nothing.
pub fn section(name: &str, heading: &str, language: &str) -> String {
    let blocks = blocks(&chapter(name)).into_iter();
    let found = blocks.filter(|it| it.heading == heading && it.language == language);
    let text: String = found.map(|block| block.text).collect();
    assert!(!text.is_empty(), "no {language} in {name}, {heading}");
    text
}

/// Reads the dialect that the commands of a section write into a file.
///
/// # Panics
///
/// When they write none.
pub fn dialect(name: &str, heading: &str) -> String {
    let text = section(name, heading, "sh");
    let inner = text
        .split_once("<<'END'\n")
        .and_then(|(_, rest)| rest.split_once("\nEND\n"));
    inner.expect("a dialect").0.to_owned()
}
