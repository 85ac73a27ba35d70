//! The download of a finished file, whole or in part.

use std::io::{self, SeekFrom};
use std::ops::RangeInclusive;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{header, HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::stream::try_unfold;
use futures_util::Stream;
use http_range_header::parse_range_header;
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::http::conditions::Validators;
use crate::http::reply::Reply;
use crate::storage::record::Record;
use crate::storage::uploads::Uploads;

/// How many bytes are read at once.
pub const CHUNK: usize = 64 * 1024;
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
    let mut file = opened.ok_or_else(|| Reply::unknown(&record.id))?;
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
        disposition(&record.identity.name),
    );
    validators.write(response.headers_mut());
    if let Err(status) = validators.check(&head.method, &head.headers) {
        *response.status_mut() = status;
        return Ok(response);
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
    let position = file.seek(SeekFrom::Start(first)).await;
    position.map_err(Reply::internal)?;
    *response.body_mut() = Body::from_stream(bytes(file, length));
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

/// Reads the next `left` bytes. Fails when the file ends before.
fn bytes(file: File, left: u64) -> impl Stream<Item = io::Result<Bytes>> {
    try_unfold((file, left), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut chunk = BytesMut::with_capacity(CHUNK.min(left as usize));
        let count = (&mut file).take(left).read_buf(&mut chunk).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some((chunk.freeze(), (file, left - count as u64))))
    })
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
