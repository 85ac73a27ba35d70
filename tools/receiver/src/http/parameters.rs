//! The parameters of a header's value: `form-data; name="file"; filename="a.txt"`.

/// Finds the value of the parameter `name`, which is in lower case; `None` when it is missing. It fails when the
/// parameters cannot be read, or when one comes twice.
///
/// A value in quotes ends at the next quote, as browsers write it: they know no escapes but `%22`. Older programs write
/// a quote as `\"`: that is a quote of the value unless a `;` or the end follows it. A value without quotes ends at the next
/// `;`.
pub fn parameter(header: &[u8], name: &str) -> Result<Option<Vec<u8>>, &'static str> {
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    let (_, mut rest) = split(header, b';');
    while let Some(text) = rest {
        let text = text.trim_ascii_start();
        if text.is_empty() || text[0] == b';' {
            (_, rest) = split(text, b';');
            continue;
        }
        let at = text.iter().position(|byte| b"=;\"".contains(byte));
        let Some(at) = at.filter(|at| text[*at] == b'=') else {
            return Err("a parameter has no '='");
        };
        let key = String::from_utf8_lossy(text[..at].trim_ascii()).to_ascii_lowercase();
        if found.iter().any(|(other, _)| *other == key) {
            return Err("a parameter comes twice");
        }
        let text = text[at + 1..].trim_ascii_start();
        let value = if let Some(quoted) = text.strip_prefix(b"\"") {
            let value;
            (value, rest) = quoted_value(quoted).ok_or("a quote has no end")?;
            value
        } else {
            let value;
            (value, rest) = split(text, b';');
            if value.contains(&b'"') {
                return Err("a quote is in a value without quotes");
            }
            value.trim_ascii_end().to_vec()
        };
        found.push((key, value));
    }
    let value = found.into_iter().find(|(key, _)| key == name);
    Ok(value.map(|(_, value)| value))
}

/// Splits at the first `separator`; `None` for what is after it, when it is missing.
fn split(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == separator) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Reads a value up to its quote. Returns it and what is after the `;` that follows.
fn quoted_value(text: &[u8]) -> Option<(Vec<u8>, Option<&[u8]>)> {
    let mut value = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        if *byte == b'"' {
            let after = text[at + 1..].trim_ascii_start();
            match after.first() {
                None => return Some((value, None)),
                Some(b';') => return Some((value, Some(&after[1..]))),
                Some(_) if value.ends_with(b"\\") => _ = value.pop(),
                Some(_) => return None,
            }
        }
        value.push(*byte);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(header: &str) -> Result<Option<String>, &'static str> {
        let value = parameter(header.as_bytes(), "name")?;
        Ok(value.map(|value| String::from_utf8(value).unwrap()))
    }

    /// The forms that all receivers read alike are in the test support's table.
    #[test]
    fn a_value_is_what_a_browser_wrote_between_the_quotes() {
        for (header, value) in [
            (r#"form-data; name="a%22b""#, "a%22b"),
            (r#"form-data; name="a\b""#, r"a\b"),
            (r#"form-data; name="a\"; filename="x""#, r"a\"),
            (r#"form-data; name="a\"b"; filename="x""#, "a\"b"),
            (r#"form-data; name="""#, ""),
            (r#"form-data; name="\""#, "\\"),
            ("form-data; name=", ""),
            ("form-data; filename=\"; name=b\"; name=报", "报"),
        ] {
            assert_eq!(name(header), Ok(Some(value.to_owned())), "{header}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for header in [
            r#"x; name="a"; NAME="b""#,
            r#"x; name="a" b"#,
            r#"x; name="a"#,
            r#"x; name=a"b""#,
            r#"x; filename="a"b"; name="c""#,
            "x; name",
            "x; name; filename=a",
        ] {
            assert!(name(header).is_err(), "{header}");
        }
        assert_eq!(name("name=a"), Ok(None));
        assert_eq!(name("form-data; filename*=name=a;"), Ok(None));
    }
}
