//! The choice of a proxy: by the setting, the environment and the exceptions.

mod windows_setting;

pub(crate) use windows_setting::WindowsSetting;

use std::net::IpAddr;

use percent_encoding::percent_decode_str;

use crate::error::Error;
use crate::http::endpoint::{bracketed, shown, Origin};
use crate::http::secret::Secret;

/// The proxy setting of a client.
#[derive(Debug, Clone, Default)]
pub(crate) enum ProxySetting {
    /// No proxy.
    None,
    /// The proxy of the environment, or else of the Windows user's settings.
    #[default]
    System,
    /// This one.
    Given(Proxy),
}

/// The protocol of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyKind {
    /// `http://` in absolute form, `https://` by CONNECT.
    Http,
    /// The client looks up the server's address.
    Socks4,
    /// The proxy looks up the server's name.
    Socks4a,
    /// The client looks up the server's address.
    Socks5,
    /// The proxy looks up the server's name.
    Socks5h,
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    pub kind: ProxyKind,
    /// Without brackets.
    pub host: String,
    pub port: u16,
    /// User and password; the password may be empty.
    pub login: Option<(String, Secret)>,
}

impl ProxySetting {
    /// Reads `none`, `system` or the URL of a proxy.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "none" => Ok(ProxySetting::None),
            "system" => Ok(ProxySetting::System),
            url => match Proxy::parse(url) {
                Ok(proxy) => Ok(ProxySetting::Given(proxy)),
                Err(why) => Err(Error::InvalidArgument { what: "proxy", why }),
            },
        }
    }

    /// Gives the proxy for `origin`. The hosts in `except` are reached without one; where it is
    /// `None`, the system's setting uses the environment's own list.
    pub(crate) fn choose(
        &self,
        origin: &Origin,
        except: Option<&NoProxy>,
        env: impl Fn(&str) -> Option<String>,
        user: impl FnOnce() -> Option<WindowsSetting>,
    ) -> Result<Option<Proxy>, Error> {
        // The exceptions come first: for an excepted host the proxy's URL may be invalid.
        let listed = match (self, except) {
            (_, Some(list)) => list.has(origin),
            (ProxySetting::System, None) => {
                let list = env("no_proxy").or_else(|| env("NO_PROXY"));
                NoProxy::parse(&list.unwrap_or_default()).has(origin)
            }
            _ => false,
        };
        match self {
            _ if listed => Ok(None),
            ProxySetting::None => Ok(None),
            ProxySetting::Given(proxy) => Ok(Some(proxy.clone())),
            // The system's proxy is never used to reach this machine.
            ProxySetting::System if origin.is_loopback() => Ok(None),
            ProxySetting::System => match from_environment(origin, &env)? {
                Some(proxy) => Ok(Some(proxy)),
                None => match user() {
                    Some(user) if except.is_some() || !user.excepts(origin) => user.proxy(origin),
                    _ => Ok(None),
                },
            },
        }
    }
}

/// Gives the proxy of the first variable that is set and not empty.
fn from_environment(
    origin: &Origin,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, Error> {
    let names: &[&str] = match origin.https {
        true => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        // In a CGI program, HTTP_PROXY may come from a header of a client's request.
        false if env("REQUEST_METHOD").is_some() => &["http_proxy", "all_proxy", "ALL_PROXY"],
        false => &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
    };
    for name in names {
        if let Some(url) = env(name).filter(|url| !url.is_empty()) {
            return Proxy::parse(&url).map(Some).map_err(|why| {
                let what = "proxy of the environment";
                let why = format!("(variable {name}) {why}");
                Error::InvalidArgument { what, why }
            });
        }
    }
    Ok(None)
}

impl Proxy {
    /// Reads `[scheme://][user[:password]@]host[:port]`; user and password percent-encoded. The
    /// error shows only the parts of the URL that cannot be a password.
    fn parse(url: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("\"{}\" {why}", shown(url));
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyKind::Http,
            "socks4" => ProxyKind::Socks4,
            "socks4a" => ProxyKind::Socks4a,
            "socks5" | "socks" => ProxyKind::Socks5,
            "socks5h" => ProxyKind::Socks5h,
            _ => {
                return Err(wrong(
                    "has a scheme that is not http, socks4(a) or socks5(h)",
                ))
            }
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, address) = match rest.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, rest),
        };
        let login = login.map(Self::login).transpose().map_err(wrong)?;
        if login.is_some() && matches!(kind, ProxyKind::Socks4 | ProxyKind::Socks4a) {
            return Err(wrong("has a user, and SOCKS4 has none; use socks5"));
        }
        let (host, port) = split_port(address)
            .ok_or_else(|| wrong("has a port that is not a number from 1 to 65535"))?;
        let name_like = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let is_name = !host.is_empty() && host.chars().all(name_like);
        if !is_name && host.parse::<IpAddr>().is_err() {
            return Err(wrong("has a host that is neither a name nor an address"));
        }
        Ok(Proxy {
            kind,
            host: host.to_owned(),
            port: port.unwrap_or(if kind == ProxyKind::Http { 80 } else { 1080 }),
            login,
        })
    }

    fn login(text: &str) -> Result<(String, Secret), &'static str> {
        let decoded = |text: &str| {
            percent_decode_str(text)
                .decode_utf8()
                .ok()
                .map(|text| text.into_owned())
                .filter(|text| !text.chars().any(char::is_control))
                .ok_or("has a user or password that is not percent-encoded UTF-8 of one line")
        };
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Ok((decoded(user)?, Secret::new(decoded(password)?)))
    }

    /// Gives host and port as URLs have them.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", bracketed(&self.host), self.port)
    }
}

/// Splits `host`, `host:port`, `[v6]:port` or a bare IPv6 address into host and port.
fn split_port(address: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            match rest {
                "" => (host, None),
                rest => (host, Some(rest.strip_prefix(':')?)),
            }
        }
        None if address.parse::<IpAddr>().is_ok() => (address, None),
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    match port {
        None => Some((host, None)),
        Some(port) => match port.parse() {
            Ok(port @ 1u16..) => Some((host, Some(port))),
            _ => None,
        },
    }
}

/// The hosts that are reached without a proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NoProxy(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    All,
    /// The domain and its subdomains, on one port or on all.
    Domain(String, Option<u16>),
    /// The addresses with these first bits.
    Net(IpAddr, u8, Option<u16>),
}

impl NoProxy {
    /// Reads a list in the format of `no_proxy`: `*`, domains, addresses and CIDR blocks,
    /// optionally with a port, separated by commas or blanks. Any other entry counts as a domain
    /// without hosts.
    pub(crate) fn parse(list: &str) -> Self {
        NoProxy(
            list.split([',', ' ', '\t', '\n'])
                .map(str::trim)
                .filter(|entry| !entry.is_empty())
                .map(Entry::parse)
                .collect(),
        )
    }

    fn has(&self, origin: &Origin) -> bool {
        self.0.iter().any(|entry| entry.has(origin))
    }
}

impl Entry {
    fn parse(text: &str) -> Self {
        if text == "*" {
            return Entry::All;
        }
        if let Some((net, bits)) = text.split_once('/') {
            let (net, bits) = (net.trim_matches(['[', ']']).parse(), bits.parse());
            if let (Ok(net), Ok(bits)) = (net, bits) {
                return Entry::Net(net, bits, None);
            }
        }
        let (host, port) = split_port(text).unwrap_or((text, None));
        match host.parse() {
            Ok(address) => Entry::Net(address, 128, port),
            Err(_) => {
                let domain = host.trim_start_matches("*.").trim_matches('.');
                Entry::Domain(domain.to_ascii_lowercase(), port)
            }
        }
    }

    fn has(&self, origin: &Origin) -> bool {
        let host = origin.host.trim_end_matches('.');
        match self {
            Entry::All => true,
            Entry::Domain(domain, port) => {
                let is_within = host
                    .strip_suffix(domain.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                is_within && !domain.is_empty() && port.is_none_or(|port| port == origin.port)
            }
            Entry::Net(net, bits, port) => {
                let inside = host.parse().is_ok_and(|host| shares(*net, host, *bits));
                inside && port.is_none_or(|port| port == origin.port)
            }
        }
    }
}

/// Whether two addresses of one family have the same first `bits`.
fn shares(a: IpAddr, b: IpAddr, bits: u8) -> bool {
    let (a, b, width) = match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits().into(), b.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    let differing: u128 = a ^ b;
    let rest = width - u32::from(bits).min(width);
    differing.checked_shr(rest).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests;
