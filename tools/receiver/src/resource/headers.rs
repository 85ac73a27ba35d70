//! Headers that come once, and numbers.

use axum::http::{header, HeaderMap};

use crate::http::reply::{excerpt, Reply};

/// Returns the value of a header that may come once.
pub fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Reply> {
    let mut lines = headers.get_all(name).iter();
    let (line, other) = (lines.next(), lines.next());
    if other.is_some() {
        return Err(Reply::bad_request(format!("the header {name} comes twice")));
    }
    let Some(line) = line else {
        return Ok(None);
    };
    let text = line.to_str().map_err(|_| {
        let text = String::from_utf8_lossy(line.as_bytes());
        bad(name, &text)
    })?;
    Ok(Some(text.trim()))
}

/// Reads a number of bytes.
pub fn bytes(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Reply> {
    let Some(text) = one(headers, name)? else {
        return Ok(None);
    };
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<i64>().ok().filter(|_| is_plain);
    let number = number.ok_or_else(|| bad(name, text))?;
    Ok(Some(number.unsigned_abs()))
}

/// Returns the length of a request's body; `None` where only its end will tell.
pub fn body_length(headers: &HeaderMap) -> Result<Option<u64>, Reply> {
    match headers.contains_key(header::TRANSFER_ENCODING) {
        true => Ok(None),
        false => Ok(bytes(headers, "content-length")?.or(Some(0))),
    }
}

/// Returns the media type of a request's body, in lower case.
pub fn media_type(headers: &HeaderMap) -> Result<String, Reply> {
    let text = one(headers, "content-type")?.unwrap_or("");
    let essence = text.split(';').next().unwrap_or("");
    Ok(essence.trim().to_ascii_lowercase())
}

/// Refuses the value of a header.
pub fn bad(name: &str, value: &str) -> Reply {
    Reply::bad_request(format!(
        "the header {name} cannot be '{}'",
        excerpt(value).escape_debug()
    ))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn length(value: &'static [u8]) -> Result<Option<u64>, ()> {
        let mut headers = HeaderMap::new();
        headers.insert("upload-length", HeaderValue::from_bytes(value).unwrap());
        bytes(&headers, "upload-length").map_err(drop)
    }

    #[test]
    fn only_plain_decimal_numbers_are_lengths() {
        assert_eq!(length(b"0"), Ok(Some(0)));
        assert_eq!(length(b" 12 "), Ok(Some(12)));
        assert_eq!(length(b"9223372036854775807"), Ok(Some(i64::MAX as u64)));
        for bad in [
            &b""[..],
            b"-1",
            b"+1",
            b"1.0",
            b"0x1",
            b"1,1",
            b"9223372036854775808",
            b"99999999999999999999999",
            b"\xff",
        ] {
            assert_eq!(length(bad), Err(()), "{bad:?}");
        }
    }
}
