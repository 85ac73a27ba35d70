//! How a server takes bytes behind those that it has: found out by a small file of the client's own.

use std::sync::OnceLock;

use super::place::Place;
use super::requests::{get, request, sends};
use super::stored::{refusal, Stored};
use crate::error::{Error, RefusalKind};
use crate::http::endpoint::Endpoint;
use crate::http::{Body, Exchange, Response};
use crate::protocol::headers::{header, Headers};
use crate::random;

/// How a server takes bytes behind those that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// By `PUT` with `Content-Range`, as Apache does.
    Put,
    /// By `PATCH` with `X-Update-Range`, as sabre/dav and dufs do. dufs takes no range that begins at
    /// the file's end, and what it appends could come after late bytes of a request that was cut. So
    /// each range begins with the last byte that is there.
    Patch,
    /// Not at all: each `PUT` is the whole file.
    Whole,
}

impl Mode {
    /// Gives the method of a request that brings bytes from one offset up to another, of `size`, and
    /// its header fields.
    pub(super) fn request(self, from: u64, to: u64, size: u64) -> (&'static str, Headers) {
        let last = to.saturating_sub(1);
        match self {
            Mode::Put => {
                let range = format!("bytes {from}-{last}/{size}");
                ("PUT", vec![header("content-range", range)])
            }
            Mode::Patch => {
                let range = format!("bytes={}-{last}", from.saturating_sub(1));
                ("PATCH", vec![header("x-update-range", range)])
            }
            Mode::Whole => ("PUT", Headers::new()),
        }
    }

    /// Gives the content type of such a request.
    pub(super) fn content_type(self, of_file: &str) -> String {
        match self {
            Mode::Patch => "application/x-sabredav-partialupdate".to_owned(),
            Mode::Put | Mode::Whole => of_file.to_owned(),
        }
    }
}

/// What a client has learned of its server.
#[derive(Debug, Default, Clone)]
pub(crate) struct Learned(OnceLock<Mode>);

/// A small file that shows how the server takes bytes. A run has one at most.
#[derive(Debug, Default)]
pub(super) struct Probe {
    name: OnceLock<String>,
}

/// What a probe has shown.
#[derive(Debug)]
pub(super) struct Shown {
    /// `None` where the server did not take the file.
    pub mode: Result<Option<Mode>, Error>,
    /// Why the file could not be removed.
    pub left: Option<String>,
}

impl Learned {
    pub(super) fn get(&self) -> Option<Mode> {
        self.0.get().copied()
    }

    pub(super) fn set(&self, mode: Mode) {
        let _ = self.0.set(mode);
    }
}

impl Probe {
    /// Gives the name of the file.
    pub(super) fn name(&self) -> Result<&str, Error> {
        if self.name.get().is_none() {
            let name = format!("resup-probe-{:032x}.tmp", random::u128()?);
            let _ = self.name.set(name);
        }
        Ok(self.name.get().map_or("", String::as_str))
    }

    /// Finds out how the server takes bytes beside a place.
    pub(super) fn run(&self, exchange: &dyn Exchange, place: &Place) -> Result<Shown, Error> {
        // Of a file that is not there lighttpd's answer never ends.
        let collection = place.beside("")?;
        let options = exchange.exchange(request("OPTIONS", &collection, Headers::new()))?;
        let mut features = options.values("dav");
        let mut methods = options.values("allow");
        let patches = features.any(|list| list.contains("sabredav-partialupdate"))
            || methods.any(|list| list.contains("PATCH"));
        let url = place.beside(self.name()?)?;
        let mut may_be_there = false;
        let mut shown = Ok(Some(false));
        let mut mode = Mode::Put;
        if patches {
            mode = Mode::Patch;
            shown = takes_ranges(exchange, (&url, &mut may_be_there), mode);
        }
        if shown == Ok(Some(false)) {
            mode = Mode::Put;
            shown = takes_ranges(exchange, (&url, &mut may_be_there), mode);
        }
        if shown.is_err() {
            exchange.renew();
        }
        Ok(Shown {
            mode: shown.map(|shown| shown.map(|takes| if takes { mode } else { Mode::Whole })),
            left: remove(exchange, &url).filter(|_| may_be_there),
        })
    }
}

/// Removes the file; gives the reason if that fails.
fn remove(exchange: &dyn Exchange, url: &Endpoint) -> Option<String> {
    match exchange.exchange(request("DELETE", url, Headers::new())) {
        Ok(response) if matches!(response.status, 200..=299 | 404 | 410) => None,
        Ok(response) => Some(refusal(&response).to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// Whether the server puts ranges where they belong; `None` if it does not take the file. Sets
/// `may_be_there` unless the server says that it has stored nothing.
fn takes_ranges(
    exchange: &dyn Exchange,
    (url, may_be_there): (&Endpoint, &mut bool),
    mode: Mode,
) -> Result<Option<bool>, Error> {
    let (begin, bytes) = match mode {
        Mode::Patch => (&b"a"[..], [&b"ab"[..], b"bc"]),
        Mode::Put | Mode::Whole => (&b""[..], [&b"ab"[..], b"c"]),
    };
    let about = |mode: Mode, headers| (mode.content_type("application/octet-stream"), headers);
    let text = about(Mode::Whole, Headers::new());
    let response = exchange.exchange(sends("PUT", url, text, Body::Text(begin)));
    let is_stored = |response: &Response| !matches!(response.status, 300..=499);
    *may_be_there |= response.as_ref().map_or(true, is_stored);
    let response = response?;
    match response.status {
        200..=299 => {}
        // Perhaps it takes the upload's own file.
        403..=405 | 409 => return Ok(None),
        _ => return Err(refusal(&response)),
    }
    // A server that ignores ranges has only the last of these then.
    for ((from, to), bytes) in [(0, 2), (2, 3)].into_iter().zip(bytes) {
        let (method, mut headers) = mode.request(from, to, 3);
        headers.push(header("if-match", "*"));
        let text = about(mode, headers);
        let response = exchange.exchange(sends(method, url, text, Body::Text(bytes)))?;
        match response.status {
            200..=299 => {}
            _ if is_passing(&response) => return Err(refusal(&response)),
            _ => return Ok(Some(false)),
        }
    }
    let stored = Stored::ask(exchange, url)?;
    if stored.is_none_or(|stored| stored.length != 3) {
        return Ok(Some(false));
    }
    let response = exchange.exchange(get(url, Headers::new()))?;
    // Where nothing can be read, the length has to do.
    let is_right = response.body == b"abc" || matches!(response.status, 401 | 403 | 405);
    Ok(Some(is_right))
}

/// Whether a refusal says nothing about ranges.
fn is_passing(response: &Response) -> bool {
    let error = refusal(response);
    match error.refusal().map(|refusal| refusal.kind) {
        Some(RefusalKind::Failing | RefusalKind::Busy | RefusalKind::Locked) => true,
        Some(RefusalKind::NoSpace | RefusalKind::NotAllowed) => true,
        _ => (300..400).contains(&response.status),
    }
}
