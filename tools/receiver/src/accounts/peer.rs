//! The address that a request comes from: its connection's, or the one that a trusted proxy names.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{header, HeaderMap};
use ipnet::IpNet;

/// The other end of a request. The server adds it to each request as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address.
    pub address: IpAddr,
    /// Whether the request came by TLS.
    pub secure: bool,
}

impl Peer {
    /// Finds the peer of a request. `connection` is the socket's other end. If it is one of `proxies`, the headers
    /// `X-Forwarded-*` are believed: the peer is the last address in the list that is not a proxy's. What stands
    /// before that could be written by anybody.
    pub fn new(connection: Peer, headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        let trusted = |address: IpAddr| {
            let address = address.to_canonical();
            proxies.iter().any(|proxies| proxies.contains(&address))
        };
        let mut peer = connection;
        if !trusted(peer.address) {
            return peer;
        }
        if let Some(scheme) = list(headers, "x-forwarded-proto").pop() {
            peer.secure = scheme.eq_ignore_ascii_case("https");
        }
        let mut hops = list(headers, "x-forwarded-for");
        while trusted(peer.address) {
            match hops.pop().and_then(|hop| hop.parse().ok()) {
                Some(address) => peer.address = address,
                None => break,
            }
        }
        peer
    }

    /// The peer of a request.
    pub fn of(head: &Parts) -> Self {
        *head
            .extensions
            .get()
            .expect("the server adds it to each request")
    }
}

/// The origin that a request was made to, as a browser writes it.
pub fn origin(head: &Parts) -> String {
    let (scheme, port) = match Peer::of(head).secure {
        true => ("https", ":443"),
        false => ("http", ":80"),
    };
    let host = host(head).to_ascii_lowercase();
    format!("{scheme}://{}", host.strip_suffix(port).unwrap_or(&host))
}

/// Host and port as the client wrote them.
pub fn host(head: &Parts) -> &str {
    let host = head.headers.get(header::HOST);
    host.and_then(|host| host.to_str().ok()).unwrap_or("")
}

/// Whether that is a loopback name or address.
pub fn is_local(host: &str) -> bool {
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

fn list<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    let values = headers.get_all(name).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer_of(
        connection: &str,
        forwarded: &[&str],
        proto: Option<&'static str>,
    ) -> (String, bool) {
        let proxies = ["127.0.0.1/32", "10.0.0.0/8"].map(|net| net.parse().unwrap());
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        if let Some(proto) = proto {
            headers.insert("x-forwarded-proto", proto.parse().unwrap());
        }
        let connection = Peer {
            address: connection.parse().unwrap(),
            secure: false,
        };
        let peer = Peer::new(connection, &headers, &proxies);
        (peer.address.to_string(), peer.secure)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let forged = ["192.0.2.1"];
        let stranger = ("198.51.100.7".to_owned(), false);
        assert_eq!(peer_of("198.51.100.7", &forged, Some("https")), stranger);
        let forwarded = ("192.0.2.1".to_owned(), true);
        assert_eq!(peer_of("127.0.0.1", &forged, Some("https")), forwarded);
        assert_eq!(
            peer_of("::ffff:10.1.2.3", &forged, Some("HTTPS")),
            forwarded
        );
    }

    #[test]
    fn the_last_address_that_is_no_proxys_counts() {
        let (address, _) = peer_of("127.0.0.1", &["203.0.113.9, 192.0.2.1", "10.9.9.9"], None);
        assert_eq!(address, "192.0.2.1");
        assert_eq!(peer_of("127.0.0.1", &["10.1.1.1"], None).0, "10.1.1.1");
        assert_eq!(peer_of("127.0.0.1", &["unknown"], None).0, "127.0.0.1");
        assert_eq!(peer_of("127.0.0.1", &[], None).0, "127.0.0.1");
    }

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
