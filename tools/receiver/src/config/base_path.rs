//! The value of `--base-path`.

/// The first parts of the receiver's own paths.
const OWN: [&str; 6] = ["assets", "healthz", "login", "logout", "upload", "uploads"];

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
    plain && text.len() > 1 && text.starts_with('/') && !text.contains("//")
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
            "", "/", "files", "//files", "/a//b", "/a b", "/é", "/\"", "/a?b",
        ] {
            assert!(parse(wrong).unwrap_err().contains("/files"), "{wrong}");
        }
        assert!(parse("/uploads/x").unwrap_err().contains("itself"));
    }
}
