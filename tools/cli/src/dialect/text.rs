//! The text of a dialect.

use std::fs;

use resup::dialect::presets;

use crate::messages::{sentence, tr};

/// Gives the text of a dialect, which is the name of a preset or a file.
pub fn read(name: &str) -> Result<String, String> {
    if !is_file(name) {
        return Ok(name.to_owned());
    }
    let bytes = fs::read(name).map_err(|e| {
        tr!(
            "\"{path}\" cannot be read: {why}",
            path = name,
            why = sentence(e)
        )
    })?;
    let text = decode(&bytes).map(|text| text.trim_start_matches('\u{feff}').to_owned());
    text.ok_or_else(|| {
        tr!(
            "\"{path}\" is neither UTF-8 nor UTF-16: save it as UTF-8",
            path = name
        )
    })
}

/// Decodes a file's text: UTF-8, or the UTF-16 that PowerShell's `>` writes.
fn decode(bytes: &[u8]) -> Option<String> {
    let Some(rest) = bytes.strip_prefix(b"\xff\xfe") else {
        return String::from_utf8(bytes.to_vec()).ok();
    };
    let (pairs, rest) = rest.as_chunks::<2>();
    let units: Vec<_> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    String::from_utf16(&units).ok().filter(|_| rest.is_empty())
}

/// Whether a text names a file, and not a preset.
fn is_file(name: &str) -> bool {
    let is_path = name.contains(['/', '\\']) || name.ends_with(".json");
    // A file or directory beside it takes no preset's name.
    let is_preset = presets().iter().any(|it| it.name == name);
    is_path || (!is_preset && fs::metadata(name).is_ok())
}
