//! A request head: its bytes and its parts.

use crate::form;

/// Everything of a request before its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The bytes as they came, with the empty line at the end.
    pub raw: Vec<u8>,
    /// `POST`, `GET`, …
    pub method: String,
    /// The request target: path and query, or what else the client sent.
    pub target: String,
    /// Names as sent and values, in order. Bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
}

impl RequestHead {
    /// Parses a head; `None` if it is not HTTP/1.
    pub fn parse(raw: &[u8]) -> Option<Self> {
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut request = httparse::Request::new(&mut headers);
        if !request.parse(raw).ok()?.is_complete() {
            return None;
        }
        Some(Self {
            raw: raw.to_vec(),
            method: request.method?.to_owned(),
            target: request.path?.to_owned(),
            headers: request
                .headers
                .iter()
                .map(|header| {
                    let value = String::from_utf8_lossy(header.value).into_owned();
                    (header.name.to_owned(), value)
                })
                .collect(),
        })
    }

    /// Returns the first header of this name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns the Content-Length.
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.trim().parse().ok()
    }

    /// Whether the client waits for `100 Continue`.
    pub fn expects_continue(&self) -> bool {
        self.header("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }

    /// Returns the fields of the query, decoded.
    pub fn query(&self) -> Vec<(String, String)> {
        self.target
            .split_once('?')
            .map(|(_, query)| form::decode(query.as_bytes()))
            .unwrap_or_default()
    }

    /// Returns the boundary of a multipart body.
    pub fn boundary(&self) -> Option<&str> {
        let value = self.header("content-type")?;
        let (kind, parameters) = value.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return None;
        }
        let boundary = parameters.trim().strip_prefix("boundary=")?;
        Some(boundary.trim_matches('"'))
    }
}
