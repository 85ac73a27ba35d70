//! The address of a server, checked.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::net::IpAddr;

use http::Uri;

use crate::error::Error;

/// The address that locate and send go to, checked.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    uri: Uri,
    authority: String,
}

/// Scheme, host and port: what credentials are bound to (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub https: bool,
    /// Lower case, without brackets.
    pub host: String,
    pub port: u16,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", bracketed(&self.host), self.port)
    }
}

/// A host as it stands in a URL: an IPv6 address in brackets.
pub(crate) fn bracketed(host: &str) -> Cow<'_, str> {
    match host.contains(':') {
        true => format!("[{host}]").into(),
        false => host.into(),
    }
}

impl Origin {
    /// Whether it is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host.trim_end_matches('.');
        let address = host.parse().map(|address: IpAddr| address.is_loopback());
        address.unwrap_or_else(|_| host == "localhost" || host.ends_with(".localhost"))
    }
}

impl Endpoint {
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::InvalidUrl {
            url: shown(url),
            why: why.to_owned(),
        };
        if url.trim() != url || url.is_empty() {
            return Err(bad("it is empty or has blanks around it"));
        }
        if url.contains('#') {
            return Err(bad("a fragment (#…) is not sent to servers; leave it out"));
        }
        if !url.contains("://") {
            return Err(bad("it does not begin with http:// or https://"));
        }
        if url.ends_with("://") {
            return Err(bad("it names no host"));
        }
        let uri: Uri = url.parse().map_err(|e| {
            bad(&format!(
                "{e} (write non-ASCII characters percent-encoded, host names in punycode)"
            ))
        })?;
        match uri.scheme_str() {
            Some("http" | "https") => {}
            Some(_) => return Err(bad("its scheme is not http or https")),
            None => return Err(bad("it has no scheme")),
        }
        let authority = uri.authority().ok_or_else(|| bad("it names no host"))?;
        if authority.host().is_empty() {
            return Err(bad("it names no host"));
        }
        if authority.as_str().contains('@') {
            return Err(bad("user and password do not belong into the URL"));
        }
        let port_given = authority.as_str().len() > authority.host().len();
        if port_given && !matches!(authority.port_u16(), Some(1..)) {
            return Err(bad("its port is not a number from 1 to 65535"));
        }
        let authority = authority.to_string();
        Ok(Endpoint { uri, authority })
    }

    /// Where a `Location` header leads from here; `None` for what is no http address.
    pub(crate) fn resolve(&self, location: &str) -> Option<Self> {
        let location = location.split('#').next()?;
        let origin = self.origin();
        let url = if location.contains("://") {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{}:{location}", self.uri.scheme_str()?)
        } else if location.starts_with('/') {
            format!("{origin}{location}")
        } else {
            let path = self.uri.path();
            let directory = &path[..=path.rfind('/')?];
            format!("{origin}{directory}{location}")
        };
        Endpoint::parse(&url).ok()
    }

    /// The address with `query` added to what query it has.
    pub(crate) fn with_query(&self, query: &str) -> String {
        let separator = if self.uri.query().is_some() { '&' } else { '?' };
        format!("{}{separator}{query}", self.uri)
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Where the address leads, whatever its path.
    pub(crate) fn origin(&self) -> Origin {
        Self::origin_of(&self.uri)
    }

    /// Where an address leads that was an endpoint's, whatever its path.
    pub(crate) fn origin_of(uri: &Uri) -> Origin {
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16();
        let host = uri.host().unwrap_or_default();
        Origin {
            https,
            host: host.trim_matches(['[', ']']).to_ascii_lowercase(),
            port: port.unwrap_or(if https { 443 } else { 80 }),
        }
    }

    /// Host and port as given, for messages.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

/// An address as a message may show it, however malformed, and not endless: without what stands
/// before an `@` or, as in `joe:secret`, after a colon.
pub(crate) fn shown(url: &str) -> String {
    const KNOWN: [&str; 7] = [
        "http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h",
    ];
    let is_scheme = |text: &str| {
        let text = text.trim_start().to_ascii_lowercase();
        let word = text.chars().all(|c| c.is_ascii_alphanumeric());
        KNOWN.contains(&text.as_str()) || word && !url.contains('@')
    };
    let (mut text, rest) = match url.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (format!("{scheme}://"), rest),
        _ => (String::new(), url),
    };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| {
        text += "…@";
        rest
    });
    // A colon may be encoded as well; those of an IPv6 address tell nothing.
    let address = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let address = address.filter(|(address, _)| address.parse::<IpAddr>().is_ok());
    let start = address.map_or(0, |(address, _)| address.len() + 2);
    let end = rest[start..].find([':', '%']).map(|at| start + at);
    text += &rest[..end.unwrap_or(rest.len())];
    if text.chars().count() > 200 {
        text = text.chars().take(200).collect();
    } else if end.is_none() {
        return text;
    }
    text + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_endpoints_are_taken() {
        for url in [
            "http://example.org/upload",
            "https://example.org",
            "http://127.0.0.1:8080/a/b?tenant=7",
            "http://[::1]:8080/upload",
            "HTTP://EXAMPLE.ORG/",
        ] {
            Endpoint::parse(url).unwrap_or_else(|e| panic!("{url}: {e}"));
        }
    }

    #[test]
    fn unusable_endpoints_are_refused_by_name() {
        for (url, shown, why) in [
            ("", "", "empty"),
            (" http://a/", " http://a/", "blanks"),
            ("upload", "upload", "http://"),
            ("/upload", "/upload", "http://"),
            ("ftp://example.org/", "ftp://example.org/", "scheme"),
            ("127.0.0.1:8080/upload", "127.0.0.1…", "http://"),
            ("http://", "http://", "no host"),
            ("http:///upload", "http:///upload", ""),
            ("http://host:0/", "http://host…", "port"),
            ("http://host:65536/", "http://host…", "port"),
            ("http://host:/", "http://host…", "port"),
            ("http://host:x/", "http://host…", ""),
            ("http://[::1]/a b", "http://[::1]/a b", ""),
            ("http://[::1]:0/", "http://[::1]…", "port"),
            ("http://exa mple/", "http://exa mple/", ""),
            ("http://例え.jp/", "http://例え.jp/", "punycode"),
            ("http://host/a#b", "http://host/a#b", "fragment"),
        ] {
            match Endpoint::parse(url) {
                Err(Error::InvalidUrl { url: s, why: w }) => {
                    assert_eq!(s, shown);
                    assert!(w.contains(why), "{url}: {w}");
                }
                other => panic!("{url}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_not_shown() {
        let error = Endpoint::parse("http://joe:secret@host/up").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().contains("@host/up"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn what_may_be_a_password_is_not_shown(secret in "[a-zA-Z0-9][ -~]{7,15}") {
            for before_and_after in [
                "http://joe:|@host/up",
                "http://joe:a/|@host",
                "http://joe:a#|@host",
                "http://joe:a?|@host",
                "http://joe:|@host:x/",
                "http://joe:|@",
                "http://joe:|",
                "http://joe:|/up",
                "http://joe%3A|%40host/",
                "http://|@host",
                " http://joe:|@host ",
                "ftp://joe:|@host/",
                "http:///joe:|",
                "http:/joe:|@host",
                "http//joe:|@host",
                "http//joe:|",
                "joe:|@host",
                "joe:|",
                "joe:|://x@host",
                "joe:|://x",
                "|://x@host",
            ] {
                if let Err(error) = Endpoint::parse(&before_and_after.replace('|', &secret)) {
                    let text = format!("{error} {error:?}");
                    proptest::prop_assert!(!text.contains(&secret), "{before_and_after} {text}");
                }
            }
        }
    }

    #[test]
    fn the_query_is_extended() {
        let with = |url: &str| Endpoint::parse(url).unwrap().with_query("x=1");
        assert_eq!(with("http://h/up"), "http://h/up?x=1");
        assert_eq!(with("http://h/up?t=7"), "http://h/up?t=7&x=1");
        assert_eq!(with("http://h"), "http://h/?x=1");
    }
}
