//! Lines that are as wide as they look: a Chinese character takes two columns, and a line may end after it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What no line begins with.
const CLOSING: &str = "，。、；：！？）》】”’…·,.;:!?)]";
/// What no line ends with.
const OPENING: &str = "（《【“‘([";

/// Breaks lines that are wider than `width`. What goes on stands below the beginning of its text.
pub fn wrap(text: &str, width: usize) -> String {
    let lines = text.split('\n').map(|line| wrap_line(line, width));
    lines.collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let indent = hanging(line).min(width / 2);
    let mut wrapped = String::new();
    let mut column = 0;
    for piece in pieces(line) {
        let bare = piece.trim_end();
        if column > indent && column + bare.width() > width {
            wrapped.truncate(wrapped.trim_end().len());
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        }
        wrapped.push_str(piece);
        column += piece.width();
    }
    wrapped.truncate(wrapped.trim_end().len());
    wrapped
}

/// The column at which a line's text begins: behind a name and two blanks, or behind its first blanks and mark.
fn hanging(line: &str) -> usize {
    let start = line.len() - line.trim_start().len();
    let bare = &line[start..];
    if let Some(rest) = bare.strip_prefix("- ") {
        return line.len() - rest.len();
    }
    match bare.find("  ") {
        Some(at) => {
            let behind = &bare[at..];
            let blanks = behind.len() - behind.trim_start().len();
            line[..start + at + blanks].width()
        }
        None => start,
    }
}

/// Splits a line where it may be broken. Blanks stand at the ends of pieces, and those of its beginning in the first one.
pub fn pieces(line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before = ' ';
    let body = line.len() - line.trim_start().len();
    for (at, c) in line.char_indices() {
        let is_wide = |c: char| c.width().unwrap_or(0) > 1;
        let may_break = match (before, c) {
            (' ', ' ') => false,
            (' ', _) => true,
            _ => (is_wide(before) || is_wide(c)) && c != ' ',
        };
        if at > body && may_break && !CLOSING.contains(c) && !OPENING.contains(before) {
            pieces.push(&line[start..at]);
            start = at;
        }
        before = c;
    }
    pieces.push(&line[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_by_their_width_on_the_screen() {
        assert_eq!(wrap("上传文件和目录", 10), "上传文件和\n目录");
        assert_eq!(wrap("short\n\nlines", 10), "short\n\nlines");
        assert_eq!(wrap("one two three", 8), "one two\nthree");
    }

    #[test]
    fn no_line_begins_with_a_comma_or_ends_with_a_bracket() {
        assert_eq!(wrap("一二三四，五六", 8), "一二三\n四，五六");
        assert_eq!(wrap("一二三（四五）", 8), "一二三\n（四五）");
    }

    #[test]
    fn words_of_letters_stay_whole() {
        assert_eq!(
            wrap("读取 RESUP_TOKEN 变量", 14),
            "读取\nRESUP_TOKEN 变\n量"
        );
    }

    #[test]
    fn what_goes_on_stands_below_its_beginning() {
        assert_eq!(
            wrap("  -q, --quiet  只输出失败信息和警告", 31),
            "  -q, --quiet  只输出失败信息和\n               警告"
        );
        assert_eq!(wrap("    一二三四五六", 12), "    一二三四\n    五六");
        assert_eq!(
            wrap("    - none: 不计算摘要", 16),
            "    - none: 不计\n      算摘要"
        );
    }
}
