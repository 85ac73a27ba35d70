//! The value of `--base-path`.

/// The first parts of the receiver's own paths.
const OWN: [&str; 7] = [
    "assets",
    "healthz",
    "login",
    "logout",
    "receipt-key",
    "upload",
    "uploads",
];

/// Reads a base as the option has it.
pub fn parse(text: &str) -> Result<String, String> {
    let base = text.trim_end_matches('/');
    if !is_path(base) {
        return Err("not a path that begins with /, such as /files".to_owned());
    }
    match base.split('/').nth(1).filter(|first| OWN.contains(first)) {
        Some(first) => Err(format!("/{first} is a path of the receiver itself")),
        None => Ok(base.to_owned()),
    }
}

/// Whether that can be the beginning of a URL's path. A second slash would begin a host.
pub fn is_path(text: &str) -> bool {
    let mut bytes = text.bytes();
    let plain = bytes.all(|b| b.is_ascii_alphanumeric() || b"/-._~%".contains(&b));
    plain && text.len() > 1 && text.starts_with('/') && !text.contains("//") && !has_dots(text)
}

/// Whether a path has a part that is `.` or `..`, as it is or percent-encoded: for browsers it leads to another path.
pub fn has_dots(path: &str) -> bool {
    let is_dots = |part: &str| {
        // Only these parts are so short.
        part.len() <= 6 && matches!(&*part.to_ascii_lowercase().replace("%2e", "."), "." | "..")
    };
    path.split('/').any(is_dots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_path_that_is_not_the_receivers() {
        for (text, base) in [("/files", "/files"), ("/a/b-c/", "/a/b-c")] {
            assert_eq!(parse(text).as_deref(), Ok(base));
        }
        for wrong in [
            "",
            "/",
            "files",
            "//files",
            "/a//b",
            "/a b",
            "/é",
            "/\"",
            "/a?b",
            "/..",
            "/a/../b",
            "/./a",
            "/a/%2e%2E",
        ] {
            assert!(parse(wrong).unwrap_err().contains("/files"), "{wrong}");
        }
        assert_eq!(parse("/a..b/.c/..."), Ok("/a..b/.c/...".to_owned()));
        assert!(parse("/uploads/x").unwrap_err().contains("itself"));
    }
}
