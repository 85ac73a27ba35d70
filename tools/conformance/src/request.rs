//! The head of a request.

use crate::form::Fields;
use crate::response::excerpt;
use crate::target::Target;

/// Writes a head. `body` is the body's Content-Type and Content-Length.
pub fn head(
    target: &Target,
    method: &str,
    path: &str,
    headers: &Fields,
    body: Option<(&str, u64)>,
) -> Vec<u8> {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: resup-conformance/{}\r\nAccept: */*\r\n",
        target.authority,
        env!("CARGO_PKG_VERSION"),
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if let Some((kind, length)) = body {
        head += &format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n");
    }
    head += "\r\n";
    head.into_bytes()
}

/// Describes a request on one line: its first line, and its fields.
pub fn describe(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(&request[..request.len().min(4000)]);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let line = head.lines().next().unwrap_or_default();
    let parts: Vec<String> = body
        .split("Content-Disposition: form-data; name=\"")
        .skip(1)
        .filter_map(|part| {
            let (name, rest) = part.split_once('"')?;
            let value = rest.strip_prefix("\r\n\r\n")?.lines().next()?;
            Some(format!("{name}={value}"))
        })
        .collect();
    let fields = match parts.is_empty() {
        true => body.to_owned(),
        false => parts.join("&"),
    };
    excerpt(format!("{line} {fields}").as_bytes())
}
