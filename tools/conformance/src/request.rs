//! The head of a request.

use crate::form::Fields;
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
