//! Reading bodies and writing responses.

use std::io::{self, BufRead, Read, Write};
use std::time::{Duration, Instant};

use super::{Flaw, Options};
use crate::conn::Conn;
use crate::scripted::reply;
use crate::uploads::Response;

/// How much of a refused body is read before the connection is closed, so that no reset destroys the
/// response.
const DRAIN_BYTES: u64 = 4 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// Reads a whole body.
pub(super) fn read_whole(conn: &mut Conn, length: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    match conn.take(length).read_to_end(&mut body)? as u64 == length {
        true => Ok(body),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Writes a response and reads what is left of the body, within limits. Returns how much is still left:
/// with 0 the connection can go on.
pub(super) fn respond(
    conn: &mut Conn,
    response: &Response,
    mut left: u64,
    options: &Options,
) -> u64 {
    let mark = match options.has(Flaw::ByteOrderMarks) {
        true => "\u{feff}",
        false => "",
    };
    let mut bytes = reply(response.status, &format!("{mark}{}", response.body));
    let mistake = match options.flaw {
        Some(Flaw::NoLength) => Some(("Content-Length", "Content-Lines")),
        Some(Flaw::SaysCompressed) => {
            Some(("Content-Type", "Content-Encoding: gzip\r\nContent-Type"))
        }
        Some(Flaw::TextAnswers) => Some(("application/json", "text/html")),
        _ => None,
    };
    let hidden = options
        .hide_location
        .then_some(("\"location\"", "\"place\"   "));
    if let Some((right, wrong)) = mistake.or(hidden) {
        bytes = String::from_utf8_lossy(&bytes).replace(right, wrong).into();
    }
    if conn.write_all(&bytes).and_then(|()| conn.flush()).is_err() {
        return left;
    }
    if options.has(Flaw::ResetsEarly) && left > 0 {
        return left;
    }
    let deadline = Instant::now() + DRAIN_TIME;
    let mut allowed = DRAIN_BYTES;
    while left > 0 && allowed > 0 {
        let time = deadline.saturating_duration_since(Instant::now());
        if time.is_zero() || conn.socket().set_read_timeout(Some(time)).is_err() {
            break;
        }
        match conn.fill_buf() {
            Ok(bytes) if !bytes.is_empty() => {
                let n = (bytes.len() as u64).min(left).min(allowed);
                conn.consume(n as usize);
                left -= n;
                allowed -= n;
            }
            _ => break,
        }
    }
    let _ = conn.socket().set_read_timeout(None);
    match options.has(Flaw::NoLength) {
        // The connection cannot go on.
        true => left.max(1),
        false => left,
    }
}
