//! The heads of responses: found in a buffer, and written in the form that ureq takes.
//!
//! ureq refuses a response for one odd line in its head, for more than 128 fields, and for a 100
//! with fields. Other clients take all of these. So [`tidy`] drops interim responses, and writes a
//! final head anew, with its fields: those first that the library reads by itself.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use ureq::unversioned::transport::Buffers;

use crate::error::Error;
use crate::http::{banner, excerpt};

/// The longest head, in bytes.
const LONGEST: usize = 64 * 1024;

/// The most fields of a head that are kept, beside those about its length. (ureq takes 128.)
const MAX_FIELDS: usize = 100;

/// The most lines of a head that are noted because they were passed over.
const MAX_NOTES: usize = 5;

/// The fields that say where a body ends. All of them are kept, so that ureq sees a contradiction.
const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

/// The other fields that the library or ureq reads by itself. A dialect may read further ones.
const FIELDS: [&str; 17] = [
    "accept-patch",
    "allow",
    "connection",
    "content-encoding",
    "content-range",
    "content-type",
    "date",
    "dav",
    "etag",
    "location",
    "proxy-authenticate",
    "range",
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
    /// Notes on the lines of the final head that were passed over, though they should be fields.
    pub notes: Vec<String>,
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
        tidied.notes = head.notes;
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
    notes: Vec<String>,
}

impl Head {
    /// Parses a head; `None` if its first line is not that of a response. A line that is no field
    /// is passed over, with a note.
    pub(super) fn parse(input: &[u8]) -> Option<Self> {
        let mut lines = input
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let (minor, status, reason) = status_line(lines.next()?)?;
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        let mut notes = Vec::new();
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
            if !is_kept {
                notes.extend(note(line));
            }
            fields.extend(field);
        }
        for (name, value) in &mut fields {
            if is_framing(name) {
                // ureq refuses what this makes of an odd length.
                let odd = value.iter_mut().filter(|byte| !is_text(**byte));
                odd.for_each(|byte| *byte = b'?');
            }
        }
        fields.retain(|(name, value)| {
            let is_usable = value.iter().all(|byte| is_text(*byte));
            if !is_usable {
                notes.push(format!("the response's {name} has control characters"));
            }
            is_usable
        });
        notes.truncate(MAX_NOTES);
        Some(Head {
            minor,
            status,
            reason: reason.to_vec(),
            fields,
            notes,
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
        others.sort_by_key(|(name, _)| rank(name));
        for (name, value) in framing
            .into_iter()
            .chain(others.into_iter().take(MAX_FIELDS))
        {
            // A head that is anew a little longer has to fit into ureq's buffers, too.
            if rank(name) == 2 && text.len() + name.len() + value.len() > LONGEST / 2 {
                continue;
            }
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
    is_name(name.as_bytes()).then(|| (name, line[colon + 1..].trim_ascii().to_vec()))
}

/// Whether this can be the name of a field (RFC 9110, 5.6.2).
fn is_name(name: &[u8]) -> bool {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(is_token)
}

/// Gives a field's place, where there are too many of them: the last ones are dropped.
fn rank(name: &str) -> u8 {
    let is_read = is_framing(name)
        || FIELDS.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    match name {
        "set-cookie" => 1,
        _ if is_read => 0,
        _ => 2,
    }
}

/// Describes a line that is no field, without its value, which may be a secret; `None` for one that
/// is a field, or ends the head.
fn note(line: &[u8]) -> Option<String> {
    let colon = line.iter().position(|byte| *byte == b':');
    let name = line[..colon.unwrap_or(line.len())].trim_ascii_end();
    let is_field = colon.is_some() && is_name(name);
    (!is_field && !line.is_empty()).then(|| {
        let end = if colon.is_some() { ":" } else { "" };
        format!(
            "a line in the response's head is no field: \"{}{end}\"",
            excerpt(name)
        )
    })
}

fn is_framing(name: &str) -> bool {
    FRAMING.contains(&name)
}

/// Whether a byte may be in a value.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x7e | 0x80..)
}
