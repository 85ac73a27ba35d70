//! A server's text, as people and parsers get it.

/// The longest text of a server that is shown to people, in characters.
const LONGEST_TEXT: usize = 2000;

/// Gives a text without the byte order mark that some servers begin with.
pub(crate) fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Gives the start of a body as one line of text.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let start = &body[..body.len().min(400)];
    let text = String::from_utf8_lossy(start);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Gives a server's text without control characters, and no longer than [`LONGEST_TEXT`].
pub(crate) fn limited(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .take(LONGEST_TEXT)
        .collect()
}

/// Gives the words of a page for people: its text without tags, styles and scripts.
fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if !text.trim_start().starts_with('<') {
        return excerpt(body);
    }
    let lower = text.to_ascii_lowercase();
    let mut words = String::new();
    let mut at = 0;
    while let Some(tag) = lower[at..].find('<').map(|tag| at + tag) {
        words.push_str(&text[at..tag]);
        words.push(' ');
        let ends = [
            ("<style", "</style>"),
            ("<script", "</script>"),
            ("<!--", "-->"),
        ];
        let end = ends
            .iter()
            .find(|(begin, _)| lower[tag..].starts_with(begin));
        let end = end.map_or(">", |(_, end)| end);
        let length = lower[tag..].find(end).map(|found| found + end.len());
        at = length.map_or(text.len(), |length| tag + length);
    }
    words.push_str(&text[at..]);
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// Gives a status and the words of the page that came with it.
pub(crate) fn status_and_words(status: &str, page: &[u8]) -> String {
    let (status, page) = (status.trim_end(), words(page));
    match page.is_empty() {
        true => status.to_owned(),
        false => format!("{status}: {page}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_page_are_those_that_people_read() {
        let page =
            "<!-- a > b --><html><style>b{}</style><SCRIPT src=x>c</SCRIPT><h1>Not\n here</h1>.";
        assert_eq!(words(page.as_bytes()), "Not here .");
        assert_eq!(words(b"plain\ntext"), "plain text");
        assert_eq!(words("<p>öé<b".as_bytes()), "öé");
    }
}
