//! The rule for receivers without users, where nobody logs in: only requests of programs on this machine are taken.
//!
//! Such a receiver listens on a loopback address. A proxy on this machine connects from there, too, and a connection
//! does not tell whose request it brings. So a request is refused when it shows any sign of a proxy:
//!
//! - HTTP/1.0, which nginx and others speak to the server behind them unless they are told otherwise;
//! - a header that proxies add (`X-Forwarded-*`, `Forwarded`, `Via`, `X-Real-IP`, …);
//! - a `Host` that is not a loopback name or address, or none: proxies such as HAProxy pass the visitor's on. A page
//!   of another site whose name was made to lead to this machine (DNS rebinding) has such a `Host`, too.
//!
//! The port in `Host` does not matter: a program may come by a forwarded port, and a stranger could write any.
//! `Connection: close` is no sign either: many programs send it.
//!
//! A proxy that adds nothing and speaks HTTP/1.1 with `Host: 127.0.0.1` cannot be told from a program; nor can a
//! stranger whose proxy passes on a `Host` that the stranger made up. docs/operation/web-servers.md says so.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{header, StatusCode, Version};

use crate::accounts::forwarded::is_by_proxy;
use crate::accounts::peer::host;
use crate::http::reply::Reply;

/// The ways out of each refusal.
const WAYS_OUT: &str = "add one with 'resup-receiver user add', \
    or let everybody in who reaches a proxy with --proxy-without-login";

/// Refuses a request that may not come from this machine.
pub fn check(head: &Parts) -> Result<(), Reply> {
    if head.version < Version::HTTP_11 || is_by_proxy(&head.headers) {
        return Err(refusal("nothing that a proxy brings is taken"));
    }
    // Also for requests that do not look like a browser's: a page's GET of its own origin has no other sign.
    if head.headers.get_all(header::HOST).iter().count() != 1 || !is_local(host(head)) {
        return Err(refusal(
            "it answers to localhost and 127.0.0.1 only, not to another name",
        ));
    }
    Ok(())
}

fn refusal(problem: &str) -> Reply {
    let message = format!("no user is configured, so {problem}; {WAYS_OUT}");
    tracing::warn!("{message}");
    Reply::refusal(StatusCode::FORBIDDEN, message)
}

/// Whether that is a loopback name or address, with or without a port.
fn is_local(host: &str) -> bool {
    let bracketed = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let unbracketed = bracketed.trim_start_matches('[').trim_end_matches(']');
    let name = unbracketed.to_ascii_lowercase();
    let address: Option<IpAddr> = name.parse().ok();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_some_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_and_addresses_are_local() {
        for local in [
            "localhost:80",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]:8080",
            "LocalHost",
        ] {
            assert!(is_local(local), "{local}");
        }
        for foreign in [
            "example.org",
            "127.0.0.1.example.org:80",
            "localhost.example.org",
            "",
        ] {
            assert!(!is_local(foreign), "{foreign}");
        }
    }
}
