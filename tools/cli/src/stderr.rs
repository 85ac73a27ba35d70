//! Lines on standard error.

use std::io::{self, Write};

/// Writes a line about a failure.
pub fn error(text: &str) {
    write(&format!("resup: {}", escape_controls(text)));
}

/// Writes a line. The uploads continue when standard error cannot be written.
pub fn write(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Escapes characters that control a terminal. The text may come from the server or from a file's
/// name.
pub fn escape_controls(text: &str) -> String {
    let is_control =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match is_control(c) {
            true => escaped.extend(c.escape_default()),
            false => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_control_a_terminal_are_escaped() {
        assert_eq!(escape_controls("报告 é.txt"), "报告 é.txt");
        assert_eq!(
            escape_controls("a\x1b[2Jb\r\n\u{202e}"),
            "a\\u{1b}[2Jb\\r\\n\\u{202e}"
        );
    }
}
