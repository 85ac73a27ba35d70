//! The header Upload-Metadata: pairs of a name and a value in Base64.

use axum::http::HeaderMap;
use base64::prelude::{Engine as _, BASE64_STANDARD};

use crate::http::fields::Fields;
use crate::http::reply::{excerpt, Reply};
use crate::resource::headers::one;

const HEADER: &str = "upload-metadata";
/// The names of values that forms have, too, under the same names.
const SAME: [&str; 5] = ["mtime", "user", "md5", "sha256", "blake3"];

/// Reads the metadata as fields of a form. What this receiver does not use is not looked at, such as `filetype`.
pub fn read(headers: &HeaderMap) -> Result<Fields, Reply> {
    let pairs = pairs(one(headers, HEADER)?.unwrap_or(""))?;
    let text = |key: &str| -> Result<Option<String>, Reply> {
        let Some((_, value)) = pairs.iter().find(|(known, _)| *known == key) else {
            return Ok(None);
        };
        let bytes = BASE64_STANDARD.decode(value).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(Some).ok_or_else(|| {
            let message = format!("the value of '{key}' in Upload-Metadata is not UTF-8 in Base64");
            Reply::bad_request(message)
        })
    };
    let mut fields = Fields::default();
    let mut push = |name: &str, value: Option<String>| match value {
        Some(value) => fields.push(name.to_owned(), value),
        None => Ok(()),
    };
    let name = match text("filename")? {
        Some(name) => Some(name),
        None => text("name")?,
    };
    push("name", name.filter(|name| !name.is_empty()))?;
    let dir = match text("dir")? {
        Some(dir) => Some(dir),
        None => text("relativePath")?.as_deref().map(parent),
    };
    push("dir", dir)?;
    for name in SAME {
        push(name, text(name)?)?;
    }
    Ok(fields)
}

/// Splits the header into names and encoded values. A value may be missing.
fn pairs(header: &str) -> Result<Vec<(&str, &str)>, Reply> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for pair in header.split(',').map(str::trim) {
        if pair.is_empty() {
            continue;
        }
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        if pairs.iter().any(|(known, _)| *known == key) {
            return Err(Reply::bad_request(format!(
                "'{}' comes twice in Upload-Metadata",
                excerpt(key).escape_debug()
            )));
        }
        pairs.push((key, value.trim()));
    }
    Ok(pairs)
}

/// Returns the directory of a path as browsers tell it. A file that was chosen without one has `null`.
fn parent(path: &str) -> String {
    let path = path.strip_prefix('/').unwrap_or(path);
    match path.rsplit_once('/') {
        Some((dir, _)) => dir.to_owned(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Result<Fields, Reply> {
        let encoded =
            |(key, value): &(&str, &str)| format!("{key} {}", BASE64_STANDARD.encode(value));
        let pairs: Vec<_> = pairs.iter().map(encoded).collect();
        raw(&pairs.join(","))
    }

    fn raw(text: &str) -> Result<Fields, Reply> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(text).unwrap());
        read(&headers)
    }

    #[test]
    fn what_uppy_sends_is_read() {
        let fields = fields(&[
            ("relativePath", "/photos/2024/文.jpg"),
            ("name", "文.jpg"),
            ("type", "image/jpeg"),
            ("filetype", "image/jpeg"),
            ("filename", "文.jpg"),
        ]);
        let fields = fields.unwrap();
        assert_eq!(fields.text("name"), Some("文.jpg"));
        assert_eq!(fields.text("dir"), Some("photos/2024"));
        assert_eq!(fields.text("type"), None);
    }

    #[test]
    fn a_file_without_a_directory_has_none() {
        for path in ["null", "undefined", "a.txt", "/a.txt", ""] {
            let fields = fields(&[("relativePath", path), ("name", "a.txt")]).unwrap();
            assert_eq!(fields.text("dir"), Some(""), "{path}");
        }
        assert_eq!(raw("").unwrap().text("name"), None);
        assert_eq!(raw("filename").unwrap().text("name"), None);
        assert_eq!(raw("is_confidential, x YQ==").unwrap().text("x"), None);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for bad in [
            "filename a.txt",
            "filename YQ==,filename Yg==",
            "filename /w==",
        ] {
            assert!(raw(bad).is_err(), "{bad}");
        }
        assert!(raw("filetype a.txt").is_ok());
    }
}
