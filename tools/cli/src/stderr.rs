//! Lines on standard error.

use std::io::{self, Write};

/// Writes a line about a failure.
pub fn error(text: &str) {
    write(&format!("resup: {}", plain(text)));
}

/// Writes a line. The uploads continue when standard error cannot be written.
pub fn write(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Escapes characters that control a terminal, since the text may come from elsewhere.
pub fn plain(text: &str) -> String {
    let controls =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match controls(c) {
            true => plain.extend(c.escape_default()),
            false => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_control_a_terminal_are_escaped() {
        assert_eq!(plain("报告 é.txt"), "报告 é.txt");
        assert_eq!(
            plain("a\x1b[2Jb\r\n\u{202e}"),
            "a\\u{1b}[2Jb\\r\\n\\u{202e}"
        );
    }
}
