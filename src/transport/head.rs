//! The heads of responses: found in a buffer, and written in the form that ureq takes.
//!
//! ureq refuses a response for one odd line in its head, for more than 128 fields, and for a 100
//! with fields. Other clients take all of these. So [`tidy`] drops interim responses, and writes a
//! final head anew, with the fields that the library reads.

use std::borrow::Cow;

use ureq::unversioned::transport::Buffers;

use crate::error::Error;
use crate::http::{banner, excerpt};

/// The longest head, in bytes.
const LONGEST: usize = 64 * 1024;

/// The most fields of a head that are kept, beside those about its length. (ureq takes 128.)
const MAX_FIELDS: usize = 100;

/// The fields that say where a body ends. All of them are kept, so that ureq sees a contradiction.
const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

/// The other fields that the library or ureq reads.
const FIELDS: [&str; 13] = [
    "allow",
    "connection",
    "content-encoding",
    "content-type",
    "date",
    "dav",
    "location",
    "proxy-authenticate",
    "retry-after",
    "set-cookie",
    "www-authenticate",
    "x-amz-id-2",
    "x-amz-request-id",
];

/// The beginnings of further names, by which servers of other protocols are known.
const PREFIXES: [&str; 2] = ["tus-", "upload-"];

/// The result of [`tidy`].
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tidied {
    /// Whether the buffer begins with a whole final head.
    pub is_ready: bool,
    /// Whether a 100 Continue was dropped.
    pub had_100: bool,
}

/// Drops interim responses from the start of the input, and writes a whole final head anew.
///
/// # Errors
/// [`Error::BadResponse`] if the input is not HTTP, or its head too long.
pub(super) fn tidy(buffers: &mut dyn Buffers) -> Result<Tidied, Error> {
    let mut tidied = Tidied::default();
    loop {
        let input = buffers.input();
        let blank = input.iter().take_while(|b| b"\r\n".contains(b)).count();
        if blank > 0 {
            buffers.input_consume(blank);
            continue;
        }
        if !(input.starts_with(b"HTTP/1.") || b"HTTP/1.".starts_with(input)) {
            return Err(not_http(&banner(input)));
        }
        let Some(length) = head_length(input).filter(|length| *length <= LONGEST) else {
            if input.len() > LONGEST {
                return Err(not_http(&format!("its head exceeds {LONGEST} bytes")));
            }
            break;
        };
        let head = Head::parse(&input[..length])
            .ok_or_else(|| not_http(&format!("it begins: {}", excerpt(input))))?;
        // A 101 would change the protocol. Nobody asked for that, so it counts as final.
        if (100..200).contains(&head.status) && head.status != 101 {
            tidied.had_100 |= head.status == 100;
            buffers.input_consume(length);
            continue;
        }
        let text = head.text();
        replace(buffers, length, text)?;
        tidied.is_ready = true;
        break;
    }
    // Without this, ureq may take what is in the buffer before it is ready.
    buffers.input_consume(0);
    Ok(tidied)
}

fn not_http(why: &str) -> Error {
    Error::bad_response(format!("it is not valid HTTP: {why}"))
}

/// Gives the length of the head at the start of the input, once it is whole. Its lines end with
/// CR LF, or LF alone (RFC 9112, 2.2).
pub(super) fn head_length(input: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return Some(end);
        }
    }
    None
}

/// Replaces the first `length` bytes of the input.
pub(super) fn replace(
    buffers: &mut dyn Buffers,
    length: usize,
    mut head: Vec<u8>,
) -> Result<(), Error> {
    head.extend_from_slice(&buffers.input()[length..]);
    buffers.input_consume(buffers.input().len());
    let space = buffers.input_append_buf().get_mut(..head.len());
    let space = space.ok_or_else(|| not_http("its head is too long"))?;
    space.copy_from_slice(&head);
    buffers.input_appended(head.len());
    Ok(())
}

/// A head, with the fields that are read.
#[derive(Debug)]
pub(super) struct Head {
    minor: u8,
    pub status: u16,
    pub reason: Vec<u8>,
    /// Names in lower case, and values in one line.
    fields: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// Parses a head; `None` if its first line is not that of a response. A line that is no field
    /// is passed over.
    pub(super) fn parse(input: &[u8]) -> Option<Self> {
        let mut lines = input
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let (minor, status, reason) = status_line(lines.next()?)?;
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        // Whether the line before is one of the fields.
        let mut is_kept = false;
        for line in lines {
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                // It continues the line before (RFC 9112, 5.2).
                if let Some((_, value)) = fields.last_mut().filter(|_| is_kept) {
                    value.push(b' ');
                    value.extend_from_slice(line.trim_ascii());
                }
                continue;
            }
            let field = field(line);
            is_kept = field.is_some();
            fields.extend(field);
        }
        for (name, value) in &mut fields {
            if is_framing(name) {
                // ureq refuses what this makes of an odd length.
                let odd = value.iter_mut().filter(|byte| !is_text(**byte));
                odd.for_each(|byte| *byte = b'?');
            }
        }
        fields.retain(|(_, value)| value.iter().all(|byte| is_text(*byte)));
        Some(Head {
            minor,
            status,
            reason: reason.to_vec(),
            fields,
        })
    }

    /// Gives the values of a field, in the order of their lines.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
        let fields = self.fields.iter().filter(move |(other, _)| other == name);
        fields.map(|(_, value)| String::from_utf8_lossy(value))
    }

    /// Writes the head.
    fn text(&self) -> Vec<u8> {
        let mut text = format!("HTTP/1.{} {} ", self.minor, self.status).into_bytes();
        text.extend(self.reason.iter().filter(|byte| is_text(**byte)));
        text.extend_from_slice(b"\r\n");
        let (framing, mut others): (Vec<_>, Vec<_>) =
            self.fields.iter().partition(|(name, _)| is_framing(name));
        // What is dropped of too many fields is cookies first.
        others.sort_by_key(|(name, _)| name == "set-cookie");
        for (name, value) in framing
            .into_iter()
            .chain(others.into_iter().take(MAX_FIELDS))
        {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value);
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(b"\r\n");
        text
    }
}

/// Reads the first line of a response: the minor version, the status and the reason.
fn status_line(line: &[u8]) -> Option<(u8, u16, &[u8])> {
    let (minor, rest) = line.strip_prefix(b"HTTP/1.")?.split_first()?;
    let rest = rest.strip_prefix(b" ")?.trim_ascii();
    let (digits, reason) = rest.split_at_checked(3)?;
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let is_whole = reason.is_empty() || reason.starts_with(b" ");
    let is_valid = minor.is_ascii_digit() && digits.iter().all(u8::is_ascii_digit);
    (is_whole && is_valid && status >= 100).then_some((
        u8::from(*minor > b'0'),
        status,
        reason.trim_ascii(),
    ))
}

/// Reads a field that is kept. Blanks before the colon do not belong to the name (RFC 9112, 5.1).
fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(&line[..colon]).ok()?;
    let name = name.trim_end_matches([' ', '\t']).to_ascii_lowercase();
    let is_token = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_read = is_framing(&name)
        || FIELDS.contains(&name.as_str())
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    (is_token && is_read).then(|| (name, line[colon + 1..].trim_ascii().to_vec()))
}

fn is_framing(name: &str) -> bool {
    FRAMING.contains(&name)
}

/// Whether a byte may be in a value.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x7e | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::unversioned::transport::LazyBuffers;

    /// Tidies `input`; gives what is left of it.
    fn tidied(input: &[u8]) -> Result<(Tidied, String), Error> {
        let mut buffers = LazyBuffers::new(128 * 1024, 1024);
        buffers.input_append_buf()[..input.len()].copy_from_slice(input);
        buffers.input_appended(input.len());
        let tidied = tidy(&mut buffers)?;
        let left = String::from_utf8_lossy(buffers.input()).into_owned();
        Ok((tidied, left))
    }

    fn head(input: &str) -> String {
        let (tidied, left) = tidied(input.as_bytes()).unwrap();
        assert!(tidied.is_ready, "{input:?}");
        left
    }

    #[test]
    fn a_head_is_ready_when_it_is_whole_and_final() {
        for input in [
            "",
            "\r\n",
            "HTT",
            "HTTP/1.1 413 Too",
            "HTTP/1.1 413 x\r\nA: b\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 401",
        ] {
            let (tidied, left) = tidied(input.as_bytes()).unwrap();
            assert!(!tidied.is_ready, "{input:?}");
            assert_eq!(tidied.had_100, input.contains("100"), "{input:?}");
            assert!(input.ends_with(&left), "{input:?}: {left:?}");
        }
        for input in [
            "HTTP/1.1 413 x\r\n\r\n{",
            "HTTP/1.1 413 x\n\n{",
            "\r\nHTTP/1.1  413  x \r\n\r\n{",
            "HTTP/1.1 100 Continue\r\nServer: x\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 413 x\r\n\r\n{",
        ] {
            assert_eq!(head(input), "HTTP/1.1 413 x\r\n\r\n{", "{input:?}");
        }
        assert_eq!(head("HTTP/1.0 101 x\r\n\r\n"), "HTTP/1.0 101 x\r\n\r\n");
    }

    #[test]
    fn odd_lines_are_read_as_other_clients_read_them() {
        for (line, wanted) in [
            ("Location: /a\r\n b", "location: /a b\r\n"),
            ("Location:\r\n\t /a \r\n  ", "location:  /a \r\n"),
            ("Location \t: /a", "location: /a\r\n"),
            ("LOCATION:/a", "location: /a\r\n"),
            ("Location", ""),
            ("PHP Warning x", ""),
            ("PHP Warning: x\r\n Location: /a", ""),
            (" Location: /a", ""),
            (": /a", ""),
            ("Loc ation: /a", ""),
            ("X-Location: /a", ""),
            ("Location: /a\x01", ""),
            ("Content-Length : 5", "content-length: 5\r\n"),
            ("Content-Length: 5\r\n 6", "content-length: 5 6\r\n"),
            ("Content-Length: 5\x006", "content-length: 5?6\r\n"),
            ("Content-Length 5", ""),
            ("Tus-Resumable: 1.0.0", "tus-resumable: 1.0.0\r\n"),
            ("x-amz-id-2: 7", "x-amz-id-2: 7\r\n"),
            ("X-Amz-Cf-Id: 7", ""),
        ] {
            let text = head(&format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n"));
            assert_eq!(text, format!("HTTP/1.1 200 OK\r\n{wanted}\r\n"), "{line:?}");
        }
    }

    #[test]
    fn of_many_fields_the_last_cookies_are_dropped() {
        let many = "Set-Cookie: a=b\r\n".repeat(1000);
        let text = head(&format!(
            "HTTP/1.1 200 OK\r\n{many}Connection: close\r\nContent-Length: 2\r\n\r\n{{}}"
        ));
        assert!(
            text.starts_with(
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\nset-cookie: a=b\r\n"
            ),
            "{text}"
        );
        assert!(text.ends_with("\r\n\r\n{}"), "{text}");
        assert_eq!(text.matches("set-cookie").count(), MAX_FIELDS - 1);
    }

    #[test]
    fn what_is_no_http_is_named() {
        for (input, wanted) in [
            (
                &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
                "it begins: SSH-2.0-OpenSSH_9.2",
            ),
            (b"220 ready\r\n", "it begins: 220 ready"),
            (b"\x15\x03\x01\0\x02", "https://"),
            (b"\0\0\x12\x04\0\0\0\0\0", "HTTP/2"),
            (b"HTTP/2 200\r\n\r\n", "it begins: HTTP/2 200"),
            (b"HTTP/1.1 99 x\r\n\r\n", "it begins: HTTP/1.1 99"),
            (b"HTTP/1.1 2000 x\r\n\r\n", "it begins: HTTP/1.1 2000"),
            (b"HTTP/1.x 200 x\r\n\r\n", "it begins"),
        ] {
            let error = tidied(input).unwrap_err().to_string();
            assert!(error.contains("not valid HTTP"), "{error}");
            assert!(error.contains(wanted), "{error}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(LONGEST));
        assert!(tidied(endless.as_bytes()).is_err());
        let long = format!("{endless}\r\n\r\n");
        assert!(tidied(long.as_bytes()).is_err());
    }
}
