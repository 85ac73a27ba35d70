//! The handshake with a SOCKS proxy: SOCKS4, SOCKS4A, and SOCKS5 (RFC 1928, RFC 1929).
//!
//! ureq's own goes with ureq's own socket, which blocks in writes: see `socket`.

use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::SocketAddr;

use ureq::unversioned::transport::ConnectionDetails;
use ureq::{Proxy, ProxyProtocol};

/// The address that the proxy is asked to connect to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target<'a> {
    Address(SocketAddr),
    Name(&'a str, u16),
}

impl<'a> Target<'a> {
    pub(super) fn new(proxy: &Proxy, details: &ConnectionDetails<'a>) -> Result<Self, ureq::Error> {
        if proxy.resolve_target() {
            // SOCKS4 has no IPv6.
            let has_ipv6 = proxy.protocol() != ProxyProtocol::Socks4;
            let mut fit = details.addrs.iter().filter(|a| has_ipv6 || a.is_ipv4());
            let address = fit.next().or(details.addrs.first());
            let address = address.ok_or(ureq::Error::HostNotFound)?;
            return Ok(Target::Address(*address));
        }
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = details.uri.port_u16().unwrap_or(match details.needs_tls() {
            true => 443,
            false => 80,
        });
        Ok(match host.parse() {
            Ok(ip) => Target::Address(SocketAddr::new(ip, port)),
            Err(_) => Target::Name(host, port),
        })
    }

    fn port(&self) -> [u8; 2] {
        match self {
            Target::Address(address) => address.port(),
            Target::Name(_, port) => *port,
        }
        .to_be_bytes()
    }
}

/// Whether a proxy speaks SOCKS.
pub(super) fn is_socks(proxy: &Proxy) -> bool {
    !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)
}

/// Asks the proxy at the other end of `stream` for a connection to `target`.
///
/// An error is `InvalidData` where the answer is not SOCKS, `PermissionDenied` where the proxy wants
/// another user or password, and `InvalidInput` where SOCKS has no form for the request.
pub(super) fn connect(
    stream: &mut (impl Read + Write),
    proxy: &Proxy,
    target: Target,
) -> io::Result<()> {
    match proxy.protocol() {
        ProxyProtocol::Socks4 | ProxyProtocol::Socks4A => socks4(stream, target),
        _ => socks5(stream, proxy, target),
    }
}

fn socks4(stream: &mut (impl Read + Write), target: Target) -> io::Result<()> {
    let mut request = vec![4, 1];
    request.extend(target.port());
    match target {
        Target::Address(SocketAddr::V4(address)) => {
            request.extend(address.ip().octets());
            request.push(0); // the end of an empty user
        }
        Target::Address(SocketAddr::V6(_)) => {
            return Err(unfit("SOCKS4 has no IPv6; use socks5"));
        }
        Target::Name(name, _) => {
            // This address says that a name follows the user.
            request.extend([0, 0, 0, 1, 0]);
            request.extend(name.as_bytes());
            request.push(0);
        }
    }
    stream.write_all(&request)?;
    match read::<8>(stream)? {
        [0, 90, ..] => Ok(()),
        [0, 91, ..] => Err(Error::other("the proxy could not or would not connect")),
        [0, 92 | 93, ..] => Err(denied("the proxy asks this machine for a user (identd)")),
        _ => Err(not_socks()),
    }
}

fn socks5(stream: &mut (impl Read + Write), proxy: &Proxy, target: Target) -> io::Result<()> {
    let methods: &[u8] = match proxy.username() {
        Some(_) => &[5, 2, 2, 0],
        None => &[5, 1, 0],
    };
    stream.write_all(methods)?;
    match (read(stream)?, proxy.username()) {
        ([5, 0], _) => {}
        ([5, 2], Some(user)) => log_in(stream, user, proxy.password().unwrap_or_default())?,
        ([5, _], _) => return Err(denied("the proxy asks for a user and password")),
        _ => return Err(not_socks()),
    }
    let mut request = vec![5, 1, 0];
    match target {
        Target::Address(SocketAddr::V4(address)) => {
            request.push(1);
            request.extend(address.ip().octets());
        }
        Target::Address(SocketAddr::V6(address)) => {
            request.push(4);
            request.extend(address.ip().octets());
        }
        Target::Name(name, _) => {
            request.push(3);
            add_text(&mut request, name, "the server's name")?;
        }
    }
    request.extend(target.port());
    stream.write_all(&request)?;
    match read(stream)? {
        [5, 0] => {}
        [5, code] => return Err(Error::other(refusal(code))),
        _ => return Err(not_socks()),
    }
    // The address and port from which the proxy connects.
    let length = match read(stream)? {
        [0, 1] => 4,
        [0, 3] => usize::from(read::<1>(stream)?[0]),
        [0, 4] => 16,
        _ => return Err(not_socks()),
    };
    stream.read_exact(&mut [0; 257][..length + 2])
}

fn log_in(stream: &mut (impl Read + Write), user: &str, password: &str) -> io::Result<()> {
    let mut request = vec![1];
    add_text(&mut request, user, "the proxy's user")?;
    add_text(&mut request, password, "the proxy's password")?;
    stream.write_all(&request)?;
    match read(stream)? {
        [1, 0] => Ok(()),
        [1, _] => Err(denied("password authentication failed")),
        _ => Err(not_socks()),
    }
}

/// Adds a text after its length, which has one byte.
fn add_text(request: &mut Vec<u8>, text: &str, what: &str) -> io::Result<()> {
    match u8::try_from(text.len()) {
        Ok(length @ 1..) => request.push(length),
        _ => return Err(unfit(&format!("{what} has not 1 to 255 bytes"))),
    }
    request.extend(text.as_bytes());
    Ok(())
}

fn read<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn refusal(code: u8) -> &'static str {
    match code {
        1 => "general SOCKS server failure",
        2 => "connection not allowed by ruleset",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address kind not supported",
        _ => "unknown error",
    }
}

fn not_socks() -> Error {
    Error::new(ErrorKind::InvalidData, "the answer is not SOCKS")
}

fn denied(why: &str) -> Error {
    Error::new(ErrorKind::PermissionDenied, why)
}

fn unfit(why: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}
