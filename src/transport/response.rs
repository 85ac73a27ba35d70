//! Reading a response.

use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use ureq::http::{self, header};

use super::state::ConnectionState;
use crate::error::Error;
use crate::http::{limited, Needs, Response};

/// The longest body of a response, in bytes. A thousand ranges have less than half of that.
const MAX_BODY: u64 = 256 * 1024;

/// The reason why a response was not read.
pub(super) enum Unread {
    /// The connection failed.
    Failed(io::Error),
    /// The response cannot be used.
    Unusable(Error),
}

/// Reads a response. Where it is needed whole, a body that is cut or too long is an error.
pub(super) fn read(
    response: http::Response<ureq::Body>,
    needs: Needs<'_>,
    state: &ConnectionState,
) -> Result<Response, Unread> {
    let status = response.status().as_u16();
    let headers = response.headers();
    let retry_after = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now()));
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
    let codings: Vec<_> = headers.get_all(header::TRANSFER_ENCODING).iter().collect();
    let all_chunked = !codings.is_empty() && has_only(&codings, "chunked");
    let is_chunked = all_chunked && response.version() == http::Version::HTTP_11;
    // If a body ends with the connection, ureq takes it for whole, cut or not.
    let is_delimited = is_chunked || headers.contains_key(header::CONTENT_LENGTH);
    // The engine acts on the bodies of these; the bodies of others may be cut.
    let has_answer = response.status().is_success() || matches!(status, 409 | 422);
    let take = match needs {
        Needs::Stream(take) if matches!(status, 200 | 206) => Some(take),
        _ => None,
    };
    let must_be_whole = has_answer && matches!(needs, Needs::Whole) || take.is_some();
    if must_be_whole && !all_chunked && !has_only(&codings, "identity") {
        let codings: Vec<String> = codings.into_iter().map(text).collect();
        return Err(Unread::Unusable(Error::bad_response(format!(
            "its Transfer-Encoding is \"{}\", not chunked",
            limited(&codings.join(", "))
        ))));
    }
    if must_be_whole && !is_delimited {
        return Err(Unread::Unusable(Error::bad_response(
            "it has neither Content-Length nor chunked encoding, so it may be cut",
        )));
    }
    // If a login page ends with the connection, its end may never come.
    let most = match matches!(needs, Needs::Head) && status < 400 && !is_delimited {
        true => 0,
        false => MAX_BODY + 1,
    };
    let mut read = Response {
        status,
        retry_after,
        headers: headers.clone(),
        ..Response::default()
    };
    let reader = response.into_body().into_reader();
    if let Some(take) = take {
        let mut body = LongBody { reader, state };
        take(&read, &mut body).map_err(Unread::Failed)?;
        return Ok(read);
    }
    let body = &mut read.body;
    let result = reader.take(most).read_to_end(body);
    read.is_cut = result.is_err() || body.len() as u64 > MAX_BODY;
    match result {
        Err(e) if must_be_whole => return Err(Unread::Failed(e)),
        Ok(_) if must_be_whole && read.is_cut => {
            return Err(Unread::Unusable(Error::response_too_long(MAX_BODY)))
        }
        _ => {}
    }
    Ok(read)
}

/// A body of any length. Only what comes beside its bytes, such as chunks' heads, has a limit.
struct LongBody<'a, R> {
    reader: R,
    state: &'a ConnectionState,
}

impl<R: Read> Read for LongBody<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buf)?;
        self.state.request().response.body_bytes = 0;
        Ok(n)
    }
}

/// Whether every transfer coding in the lists is this one. (Proxies repeat a "chunked".)
fn has_only(lists: &[&http::HeaderValue], coding: &str) -> bool {
    lists.iter().all(|list| {
        let list = list.as_bytes().split(|byte| *byte == b',');
        list.map(<[u8]>::trim_ascii)
            .all(|item| item.is_empty() || item.eq_ignore_ascii_case(coding.as_bytes()))
    })
}

/// Reads a `Retry-After`, which is seconds or a date (RFC 9110, 10.2.3), as time from `now` on.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_767);
        let seconds = |value| retry_after(value, now).map(|d| d.as_secs());
        assert_eq!(seconds(" 120 "), Some(120));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(10));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:00 GMT"), Some(0));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("-5"), None);
    }
}
