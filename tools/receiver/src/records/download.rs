//! The download of a finished file, whole or in part.

use std::ops::RangeInclusive;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{header, HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use http_range_header::parse_range_header;
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};

use crate::http::conditions::Validators;
use crate::http::reply::Reply;
use crate::storage::content::Content;
use crate::storage::error::StorageError;
use crate::storage::record::Record;
use crate::storage::uploads::Uploads;

/// All characters but the `attr-char` of RFC 8187.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Answers with the file of `record`, or the part that the request asks for.
pub async fn file(uploads: &Uploads, record: &Record, head: &Parts) -> Result<Response, Reply> {
    let opened = uploads.read(record).await?;
    let content = opened.ok_or_else(|| Reply::unknown(&record.id))?;
    let size = record.identity.size;
    let validators = Validators::new(&record.version(), record.changed);
    let mut response = Response::new(Body::empty());
    let fixed = [
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "sandbox"),
    ];
    for (name, value) in fixed {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    let set = |response: &mut Response, name, value: String| {
        let value = HeaderValue::try_from(value).expect("ASCII without controls");
        response.headers_mut().insert(name, value);
    };
    set(
        &mut response,
        header::CONTENT_DISPOSITION,
        disposition(record.name()),
    );
    validators.write(response.headers_mut());
    if let Err(status) = validators.check(&head.method, &head.headers) {
        *response.status_mut() = status;
        return Ok(response);
    }
    if let (Content::Object(objects, key, _), &Method::GET) = (&content, &head.method) {
        if objects.redirects {
            let disposition = disposition(record.name());
            let place = objects.download(key, &disposition);
            set(
                &mut response,
                header::LOCATION,
                place.await.map_err(StorageError::from)?,
            );
            // The address is good for a while, and for everybody.
            let value = HeaderValue::from_static("private, no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, value);
            *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            return Ok(response);
        }
    }
    // A HEAD has no range (RFC 9110, 14.2).
    let takes_range = head.method == Method::GET && validators.allows_range(&head.headers);
    let range = match takes_range {
        true => range(&head.headers, size),
        false => Range::All,
    };
    let (first, length) = match range {
        Range::All => (0, size),
        Range::Part(part) => {
            let (first, last) = (*part.start(), *part.end());
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = format!("bytes {first}-{last}/{size}");
            set(&mut response, header::CONTENT_RANGE, range);
            (first, last - first + 1)
        }
        Range::Impossible => {
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            let range = format!("bytes */{size}");
            set(&mut response, header::CONTENT_RANGE, range);
            return Ok(response);
        }
    };
    set(&mut response, header::CONTENT_LENGTH, length.to_string());
    if head.method == Method::HEAD {
        return Ok(response);
    }
    *response.body_mut() = Body::from_stream(content.bytes(first, length).await?);
    Ok(response)
}

enum Range {
    All,
    Part(RangeInclusive<u64>),
    Impossible,
}

/// Reads the range that a request asks for. Several ranges are answered with the whole file, as RFC 9110 (14.2)
/// allows.
fn range(headers: &HeaderMap, size: u64) -> Range {
    let value = headers.get(header::RANGE);
    let Some(range) = value.and_then(|value| value.to_str().ok()) else {
        return Range::All;
    };
    let Ok(ranges) = parse_range_header(range) else {
        return Range::All;
    };
    match ranges.validate(size) {
        Ok(parts) => match <[_; 1]>::try_from(parts) {
            Ok([part]) => Range::Part(part),
            Err(_) => Range::All,
        },
        Err(_) => Range::Impossible,
    }
}

/// Writes a Content-Disposition (RFC 6266) that makes browsers save the file and not show it. It has the name as
/// in RFC 8187, and a plain one for clients that cannot read that.
fn disposition(name: &str) -> String {
    let plain = |c: char| match c {
        '"' | '%' | '/' | '\\' => '_',
        ' '..='~' => c,
        _ => '_',
    };
    format!(
        "attachment; filename=\"{}\"; filename*=UTF-8''{}",
        name.chars().map(plain).collect::<String>(),
        utf8_percent_encode(name, ATTRIBUTE)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_encoded() {
        assert_eq!(
            disposition("文 \"a\".txt"),
            "attachment; filename=\"_ _a_.txt\"; filename*=UTF-8''%E6%96%87%20%22a%22.txt"
        );
    }
}
