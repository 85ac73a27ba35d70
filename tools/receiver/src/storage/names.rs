//! Names: which ones a client may choose, and how they are written on the disk.
//!
//! Names that could lead to another directory are refused. Characters that some system does not allow, or gives
//! a meaning of its own, are percent-encoded as in URLs. So a name is one component of a path on every system,
//! and different names stay different.

use percent_encoding::percent_encode_byte;

/// The largest number of bytes that file systems allow for a component.
const MAX_LENGTH: usize = 255;
/// The largest number of UTF-16 units in a name, as Windows and macOS allow it.
const MAX_UNITS: usize = 255;
/// Names of devices on Windows, whatever follows their first dot.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// Checks a name of a file or of one directory. The error says why it is not allowed.
pub fn check(name: &str) -> Result<(), String> {
    match name {
        "" => Err("is empty".to_owned()),
        "." | ".." => Err(format!("cannot be '{name}', which is a directory's")),
        _ if name.contains('\0') => Err("has a NUL in it".to_owned()),
        _ if name.contains('/') => Err("has a '/' in it: directories go into 'dir'".to_owned()),
        _ if name.encode_utf16().count() > MAX_UNITS => Err(format!(
            "has more than {MAX_UNITS} characters (UTF-16 units)"
        )),
        _ => Ok(()),
    }
}

/// Returns a name as lists compare it.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// Checks a name of a file. A control character is refused, since no send could have it in its `filename`; a form
/// can have the tab and, encoded, line breaks.
pub fn check_file(name: &str) -> Result<(), String> {
    check(name)?;
    let control = |c: &char| c.is_ascii_control() && !matches!(c, '\t' | '\r' | '\n');
    match name.chars().find(control) {
        Some(c) => Err(format!(
            "has the control character U+{:04X} in it: rename the file",
            u32::from(c)
        )),
        None => Ok(()),
    }
}

/// Checks that each part of a place below `files` can be on the disk.
pub fn check_place(place: &str) -> Result<(), String> {
    match place.split('/').find(|part| part.len() > MAX_LENGTH) {
        Some(part) => Err(format!(
            "the name '{part}' takes more than {MAX_LENGTH} bytes on the disk"
        )),
        None => Ok(()),
    }
}

/// Checks a directory with its parents. An empty one is allowed.
pub fn check_dir(dir: &str) -> Result<(), String> {
    if dir.starts_with('/') {
        return Err("begins with '/': it has to be relative".to_owned());
    }
    if dir.is_empty() {
        return Ok(());
    }
    dir.split('/').try_for_each(check)
}

/// Returns the place of a file in its owner's directory. From 2 on, `number` is added to its name.
pub fn tree(owner: &str, dir: &str, name: &str, number: u32) -> String {
    let mut place = match owner {
        // Where there are no users.
        "" => "_".to_owned(),
        "_" => "%5F".to_owned(),
        owner => component(owner),
    };
    for dir in dir.split('/').filter(|dir| !dir.is_empty()) {
        place.push('/');
        place.push_str(&component(dir));
    }
    place.push('/');
    place.push_str(&numbered(name, number));
    place
}

fn numbered(name: &str, number: u32) -> String {
    if number < 2 {
        return component(name);
    }
    let dot = name.rfind('.').filter(|dot| *dot > 0);
    let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
    let mut stem = stem.to_owned();
    loop {
        let written = component(&format!("{stem} ({number}){extension}"));
        let over = written.len().saturating_sub(MAX_LENGTH);
        // When nothing is left of the stem, the "extension" was too long to be one.
        if over == 0 || stem.pop().is_none() {
            return written;
        }
        // A character takes 12 bytes at most when it is written.
        for _ in 1..over / 12 {
            stem.pop();
        }
    }
}

/// Writes a name as one component of a path. Each text has one, and no two texts have the same.
fn component(name: &str) -> String {
    let device = is_device(name);
    let last = name.chars().count().saturating_sub(1);
    let mut written = String::with_capacity(name.len());
    for (index, (at, c)) in name.char_indices().enumerate() {
        let encode = match c {
            '/' | '\\' | '<' | '>' | ':' | '"' | '|' | '?' | '*' => true,
            // Would look like an encoded character.
            '%' => {
                name[at + 1..]
                    .bytes()
                    .take(2)
                    .filter(u8::is_ascii_hexdigit)
                    .count()
                    == 2
            }
            // Windows drops these at the end.
            '.' | ' ' if index == last => true,
            _ if index == 0 && device => true,
            _ => c.is_control(),
        };
        if encode {
            let bytes = c.to_string();
            written.extend(bytes.bytes().map(percent_encode_byte));
        } else {
            written.push(c);
        }
    }
    written
}

fn is_device(name: &str) -> bool {
    let (stem, _) = name.split_once('.').unwrap_or((name, ""));
    let stem = stem.trim_end().to_uppercase();
    let numbered = |port| {
        let number = stem
            .strip_prefix(port)
            .map(|rest| rest.chars().collect::<Vec<_>>());
        matches!(number.as_deref(), Some(['0'..='9' | '¹' | '²' | '³']))
    };
    DEVICES.contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for bad in [
            "",
            ".",
            "..",
            "/",
            "a/b",
            "../a",
            "/etc/passwd",
            "a\0",
            "\0",
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        for bad in [
            "/", "/a", "..", "a/..", "a/../b", "a//b", "a/", "./a", "a/.",
        ] {
            assert!(check_dir(bad).is_err(), "{bad:?}");
        }
        for good in ["", "a", "a/b", "...", "a/..b", "文/件"] {
            assert_eq!(check_dir(good), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn the_encoded_length_counts() {
        let place = |name: &str| check_place(&tree("joe", "", name, 1));
        assert!(place(&"n".repeat(255)).is_ok());
        assert!(place(&"n".repeat(256)).is_err());
        assert!(place(&"文".repeat(85)).is_ok());
        assert!(place(&"文".repeat(86)).is_err());
        assert!(place(&":".repeat(86)).is_err());
    }

    #[test]
    fn a_name_has_at_most_255_units() {
        for unit in ["n", "文", ":"] {
            assert!(check(&unit.repeat(255)).is_ok(), "{unit}");
            assert!(check(&unit.repeat(256)).is_err(), "{unit}");
        }
        assert!(check(&"🦀".repeat(127)).is_ok());
        assert!(check(&"🦀".repeat(128)).is_err());
    }

    #[test]
    fn control_characters_that_a_form_cannot_have_are_refused() {
        for bad in ["a\u{1}", "\u{1b}[2J", "a\u{7f}b"] {
            assert!(check_file(bad).is_err(), "{bad:?}");
        }
        for good in ["a\tb", "a\r\nb", "a\u{85}"] {
            assert_eq!(check_file(good), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn names_with_a_meaning_on_some_system_are_encoded() {
        for (name, written) in [
            ("a.txt", "a.txt"),
            ("报告 1.pdf", "报告 1.pdf"),
            ("100%.txt", "100%.txt"),
            ("%2e%2e%2f", "%252e%252e%252f"),
            ("．．／x", "．．／x"),
            ("..\\..\\x", "..%5C..%5Cx"),
            ("C:\\x", "C%3A%5Cx"),
            ("C:", "C%3A"),
            ("a\r\nb", "a%0D%0Ab"),
            ("a\u{85}", "a%C2%85"),
            ("CON", "%43ON"),
            ("nul.txt", "%6Eul.txt"),
            ("Com1 .tar.gz", "%43om1 .tar.gz"),
            ("lpt³", "%6Cpt³"),
            ("CONTENT", "CONTENT"),
            ("com10", "com10"),
            ("a.", "a%2E"),
            ("a ", "a%20"),
            ("..", ".%2E"),
            (".", "%2E"),
        ] {
            assert_eq!(component(name), written, "{name:?}");
        }
    }

    #[test]
    fn no_two_names_are_written_the_same() {
        let alphabet = ["%", "2", "E", ".", ":", "3", "A", "C", "ON", " ", "/", "5"];
        let mut names = vec![String::new()];
        for _ in 0..4 {
            let longer = |name: &String| alphabet.map(|piece| format!("{name}{piece}"));
            names = names.iter().flat_map(longer).chain(names.clone()).collect();
        }
        names.sort();
        names.dedup();
        let mut written: Vec<_> = names.iter().map(|name| component(name)).collect();
        written.sort();
        written.dedup();
        assert_eq!(written.len(), names.len());
    }

    #[test]
    fn a_number_is_added_before_the_extension() {
        assert_eq!(tree("joe", "a/b", "c.tar", 1), "joe/a/b/c.tar");
        assert_eq!(tree("joe", "", "c.tar", 2), "joe/c (2).tar");
        assert_eq!(tree("", "", ".profile", 3), "_/.profile (3)");
        assert_eq!(tree("_", "", "c", 1), "%5F/c");
        let long = tree("joe", "", &format!("{}.txt", "文".repeat(83)), 12);
        assert_eq!(long, format!("joe/{} (12).txt", "文".repeat(82)));
    }
}
