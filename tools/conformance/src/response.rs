//! A response of the receiver.

use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;

/// What no body may begin with. Checks of other things read past it.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A response's status and headers.
#[derive(Debug)]
pub struct Head {
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

/// A whole response.
#[derive(Debug)]
pub struct Response {
    pub head: Head,
    pub status: u16,
    pub body: Vec<u8>,
    json: Value,
}

impl Head {
    /// Parses a head and returns its length; `None` while it is not complete.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>> {
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response
            .parse(bytes)
            .with_context(|| format!("the response is not HTTP: {}", excerpt(bytes)))?;
        let httparse::Status::Complete(length) = parsed else {
            return Ok(None);
        };
        let headers = response.headers.iter().map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_ascii_lowercase(), value)
        });
        let head = Self {
            status: response.code.unwrap_or(0),
            headers: headers.collect(),
        };
        Ok(Some((head, length)))
    }

    /// Finds the first header of this name, which must be in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(value.trim())
    }

    /// Returns whether the body is chunked.
    pub fn is_chunked(&self) -> bool {
        self.header("transfer-encoding")
            .is_some_and(|value| value.to_ascii_lowercase().ends_with("chunked"))
    }

    /// Reads the length of the body.
    pub fn content_length(&self) -> Result<Option<usize>> {
        let Some(text) = self.header("content-length") else {
            return Ok(None);
        };
        let length = text.parse();
        Ok(Some(length.with_context(|| {
            format!("Content-Length is \"{text}\"")
        })?))
    }
}

impl Response {
    /// Makes a response from its parts.
    pub fn new(head: Head, body: Vec<u8>) -> Self {
        Self {
            status: head.status,
            json: serde_json::from_slice(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body))
                .unwrap_or_default(),
            head,
            body,
        }
    }

    /// Fails unless the status is this one.
    pub fn expect(self, status: u16) -> Result<Self> {
        ensure!(
            self.status == status,
            "expected {status}; the response is {}",
            self.summary()
        );
        Ok(self)
    }

    /// Fails unless the request was refused for what it is (4xx).
    pub fn expect_refusal(self) -> Result<Self> {
        ensure!(
            (400..500).contains(&self.status),
            "expected a refusal (4xx); the response is {}",
            self.summary()
        );
        Ok(self)
    }

    /// Returns how long a client waits before it repeats a request that a busy receiver did not take.
    pub fn retry_after(&self) -> Duration {
        let seconds = self
            .head
            .header("retry-after")
            .and_then(|text| text.parse().ok());
        seconds.map_or(Duration::from_millis(200), Duration::from_secs)
    }

    /// Finds a member of the JSON object.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.json.get(name)
    }

    /// Reads the upload's state.
    pub fn state(&self) -> Result<&str> {
        match self.member("state").and_then(Value::as_str) {
            Some(state @ ("new" | "partial" | "complete")) => Ok(state),
            _ => bail!("no state new, partial or complete in {}", self.summary()),
        }
    }

    /// Reads the offset: the number of bytes that the receiver has.
    pub fn offset(&self) -> Result<u64> {
        match self.member("offset").and_then(Value::as_u64) {
            Some(offset) => Ok(offset),
            None => bail!("no offset in {}", self.summary()),
        }
    }

    /// Reads the upload's id.
    pub fn id(&self) -> Result<String> {
        match self.member("id").and_then(Value::as_str) {
            Some(id) if !id.is_empty() => Ok(id.to_owned()),
            _ => bail!("no id in {}", self.summary()),
        }
    }

    /// Reads the digest of this kind of the receiver's bytes, in lower case, if the response has it.
    pub fn prefix(&self, digest: &str) -> Option<String> {
        let digest = self.member(&format!("prefix_{digest}"))?.as_str()?;
        Some(digest.to_ascii_lowercase())
    }

    /// Reads the MD5 of the receiver's bytes, if the response has it.
    pub fn prefix_md5(&self) -> Option<String> {
        self.prefix("md5")
    }

    /// Reads a member that is a whole number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.member(name)?.as_u64()
    }

    /// Reads the limit for the file's bytes in one send, if the response has it.
    pub fn max_segment(&self) -> Option<u64> {
        self.number("max_segment")
    }

    /// Returns whether the receiver says that it has the whole file.
    pub fn is_complete(&self) -> bool {
        self.status == 200 && self.state().is_ok_and(|state| state == "complete")
    }

    /// Fails unless the file is complete, with this size.
    pub fn expect_complete(self, size: u64) -> Result<Self> {
        let response = self.expect(200)?;
        ensure!(
            response.is_complete() && response.offset()? == size,
            "expected complete with {size} bytes; the response is {}",
            response.summary()
        );
        Ok(response)
    }

    /// Fails unless the file is unfinished, at this offset.
    pub fn expect_partial(self, offset: u64) -> Result<Self> {
        let response = self.expect(200)?;
        ensure!(
            response.state()? == "partial" && response.offset()? == offset,
            "expected partial with offset {offset}; the response is {}",
            response.summary()
        );
        Ok(response)
    }

    /// Describes the response on one line.
    pub fn summary(&self) -> String {
        format!("{} {}", self.status, excerpt(&self.body))
    }
}

/// Returns the start of a text on one line, without control characters.
pub fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]);
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(160)
        .collect();
    if line.len() < bytes.len() {
        line.push('…');
    }
    line
}
