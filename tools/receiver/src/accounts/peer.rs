//! The address that a request comes from: its connection's, or the one that a trusted proxy names.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{header, HeaderMap};
use ipnet::IpNet;

use crate::accounts::forwarded;

/// The other end of a request. The server adds it to each request as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address.
    pub address: IpAddr,
    /// Whether the request came by TLS.
    pub secure: bool,
    /// Whether the address is a proxy's, since the client's is not known: others share it.
    pub is_shared: bool,
}

impl Peer {
    /// Makes the peer at the other end of a connection.
    pub fn of_connection(address: IpAddr, secure: bool) -> Self {
        Self {
            address: address.to_canonical(),
            secure,
            is_shared: false,
        }
    }

    /// Finds the peer of a request. If the `connection` is that of one of `proxies`, the headers are believed that
    /// [`forwarded`] reads: the peer is the last address that is not a proxy's. What stands before that could be
    /// written by anybody.
    pub fn new(connection: Peer, headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        let is_trusted = |address| is_trusted(address, proxies);
        let mut peer = connection;
        if !is_trusted(peer.address) {
            // A proxy on this machine that --trusted-proxy does not name: all who come through it share its address.
            peer.is_shared = peer.address.is_loopback() && forwarded::is_by_proxy(headers);
            return peer;
        }
        if let Some(secure) = forwarded::is_secure(headers) {
            peer.secure = secure;
        }
        let mut hops = forwarded::hops(headers).into_iter();
        while is_trusted(peer.address) {
            match hops.next().flatten() {
                Some(address) => peer.address = address,
                None => break,
            }
        }
        peer.is_shared = is_trusted(peer.address);
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

/// Whether an address is one of `proxies`.
pub fn is_trusted(address: IpAddr, proxies: &[IpNet]) -> bool {
    let address = address.to_canonical();
    proxies.iter().any(|proxies| proxies.contains(&address))
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
        let connection = Peer::of_connection(connection.parse().unwrap(), false);
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
    fn a_proxys_address_is_shared_and_a_clients_is_not() {
        let is_shared = |connection: &str, line: Option<&'static str>, proxies: &[&str]| {
            let proxies: Vec<_> = proxies.iter().map(|net| net.parse().unwrap()).collect();
            let mut headers = HeaderMap::new();
            if let Some(line) = line {
                headers.insert("x-forwarded-for", line.parse().unwrap());
            }
            let connection = Peer::of_connection(connection.parse().unwrap(), false);
            Peer::new(connection, &headers, &proxies).is_shared
        };
        let trusted = &["10.0.0.1/32"];
        assert!(!is_shared("10.0.0.1", Some("192.0.2.1"), trusted));
        for hidden in [
            None,
            Some("unknown"),
            Some("192.0.2.1, _hidden"),
            Some("6.6.6.6, -, 10.0.0.1"),
        ] {
            assert!(is_shared("10.0.0.1", hidden, trusted), "{hidden:?}");
        }
        // No stranger gets out of the limit for an address by a header.
        assert!(!is_shared("192.0.2.1", Some("unknown"), trusted));
        assert!(!is_shared("127.0.0.1", None, &[]));
        assert!(is_shared("127.0.0.1", Some("192.0.2.1"), &[]));
    }
}
