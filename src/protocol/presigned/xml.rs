//! The few values that are read from a server's XML: texts of elements, by their names. Whatever is not as expected has no
//! value, and nothing is believed for its words alone.

use std::borrow::Cow;

/// Gives the name of the document's root element, if the document has its end, too.
pub(super) fn root(text: &str) -> Option<&str> {
    let (name, rest) = first(text)?;
    let end = rest.trim_end().strip_suffix('>')?.trim_end();
    let is_closed = || Some(end.strip_suffix(name)?.ends_with("</"));
    let is_empty = !rest.contains('<') && end.ends_with('/');
    (is_empty || is_closed() == Some(true)).then(|| local(name))
}

/// Gives the name of the root element of a document that may be cut.
pub(super) fn beginning(text: &str) -> Option<&str> {
    first(text).map(|(name, _)| local(name))
}

/// Gives the name of the first element, and the text from there on.
fn first(text: &str) -> Option<(&str, &str)> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ => break,
        };
        rest = rest.split_once(end)?.1.trim_start();
    }
    let rest = rest.strip_prefix('<')?;
    let mut names = rest.split(|it: char| it == '>' || it == '/' || it.is_whitespace());
    let name = names.next().unwrap_or_default();
    let is_name = name.starts_with(|it: char| it.is_ascii_alphabetic());
    is_name.then_some((name, rest))
}

/// Gives a name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Gives what is in each element with this name, in order. One without an end is none.
pub(super) fn elements<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let mut rest = text;
    std::iter::from_fn(move || loop {
        rest = rest.split_once(&open)?.1;
        // It may be the beginning of a longer name.
        if !rest.starts_with(|it: char| it == '>' || it.is_whitespace()) {
            continue;
        }
        let (attributes, inner) = rest.split_once('>')?;
        rest = inner;
        if !attributes.ends_with('/') {
            let (inner, after) = inner.split_once(&close)?;
            rest = after;
            return Some(inner);
        }
    })
}

/// Gives the text of the first element with this name; `None` where it is empty or has elements.
pub(super) fn value<'a>(text: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let inner = elements(text, name).next()?.trim();
    (!inner.is_empty() && !inner.contains('<')).then(|| unescaped(inner))
}

/// The entities of XML.
const ENTITIES: [(&str, char); 9] = [
    ("quot;", '"'),
    ("#34;", '"'),
    ("#x22;", '"'),
    ("apos;", '\''),
    ("#39;", '\''),
    ("#x27;", '\''),
    ("lt;", '<'),
    ("gt;", '>'),
    ("amp;", '&'),
];

/// Writes entities as the characters that they stand for. What is none stays.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let mut parts = text.split('&');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let known = ENTITIES.iter().find_map(|(name, character)| {
            let rest = part.strip_prefix(name)?;
            Some((*character, rest))
        });
        let (character, rest) = known.unwrap_or(('&', part));
        whole.push(character);
        whole.push_str(rest);
    }
    whole.into()
}

/// Writes a text for an element.
pub(super) fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_first_element_of_a_document_that_ends() {
        for (text, name) in [
            ("<A></A>", Some("A")),
            (
                "\u{feff}<?xml version=\"1.0\"?>\n \n<A xmlns=\"x\">1</A>\n",
                Some("A"),
            ),
            ("<s:A xmlns:s=\"x\"><s:B/></s:A>", Some("A")),
            ("<A/>", Some("A")),
            ("<A b='c' />", Some("A")),
            ("<!-- <B></B> --><A>\n</A >", Some("A")),
            ("<A><B/>", None),
            ("<A>", None),
            ("<A></B>", None),
            ("<A", None),
            ("<!DOCTYPE A []><A></A>", None),
            ("<!-- <A></A>", None),
            ("{\"A\": 1}", None),
            ("< A></ A>", None),
            ("", None),
        ] {
            assert_eq!(root(text), name, "{text}");
        }
        assert_eq!(beginning("<A><B>1</B><B"), Some("A"));
    }

    #[test]
    fn values_are_texts_of_elements_that_end() {
        let text = "<E><Code>No&quot;&amp;lt;&#x22;&x;&</Code><M> a </M><N></N><O><P>1</P></O><Q>2";
        let known = |name| value(text, name).map(Cow::into_owned);
        assert_eq!(known("Code").as_deref(), Some("No\"&lt;\"&x;&"));
        assert_eq!(known("M").as_deref(), Some("a"));
        assert_eq!(known("P").as_deref(), Some("1"));
        for name in ["N", "O", "Q", "R", ""] {
            assert_eq!(known(name), None, "{name}");
        }
        let text = "<P>1</P><Po>0</Po><P/><P a='b'/>x<P a='b'>2</P><P\n>3</P><P>4";
        let all: Vec<_> = elements(text, "P").collect();
        assert_eq!(all, ["1", "2", "3"]);
        assert_eq!(escaped("\"a&<b>\""), "&quot;a&amp;&lt;b&gt;&quot;");
    }

    #[test]
    fn hostile_text_ends() {
        let deep = "<Part>".repeat(50_000);
        assert_eq!(elements(&deep, "Part").count(), 0);
        for open in ["<Part", "<Part ", "<Part/>", "<Part />"] {
            assert_eq!(elements(&(open.repeat(50_000) + ">"), "Part").count(), 0);
        }
        assert_eq!(root(&deep), None);
        assert_eq!(value(&"&".repeat(100_000), "A"), None);
        let many = "<?a?>".repeat(50_000);
        assert_eq!(root(&many), None);
        let wide = format!("<Code>{}</Code>", "&lt;".repeat(50_000));
        assert_eq!(value(&wide, "Code").unwrap().len(), 50_000);
    }
}
