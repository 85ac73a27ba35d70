//! The URL of a server.

use std::borrow::Cow;
use std::net::IpAddr;

use http::Uri;

use crate::error::Error;

/// The checked URL of a server, for locate and send.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    uri: Uri,
    authority: String,
}

/// The origin of a URL: scheme, host and port (RFC 6454). Credentials are bound to it.
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

/// Writes a host as URLs have it: an IPv6 address in brackets.
pub(crate) fn bracketed(host: &str) -> Cow<'_, str> {
    match host.contains(':') {
        true => format!("[{host}]").into(),
        false => host.into(),
    }
}

/// Whether a text is a URL's scheme (RFC 3986, 3.1).
fn is_scheme(text: &str) -> bool {
    let within = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(within)
}

/// Removes the segments `.` and `..` from a path (RFC 3986, 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
        if matches!(segment, "." | "..") && segments.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

impl Origin {
    /// Whether the host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host.trim_end_matches('.');
        match host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        }
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
            return Err(bad(
                "it contains a user or password; set them as credentials instead",
            ));
        }
        let port_given = authority.as_str().len() > authority.host().len();
        if port_given && !matches!(authority.port_u16(), Some(1..)) {
            return Err(bad("its port is not a number from 1 to 65535"));
        }
        let authority = authority.to_string();
        Ok(Endpoint { uri, authority })
    }

    /// Resolves a reference such as a `Location` (RFC 3986, 5.2.2), without its fragment. Gives
    /// `None` for anything but an http URL.
    pub(crate) fn resolve(&self, reference: &str) -> Option<Self> {
        let reference = reference.split('#').next()?;
        let (hierarchy, query) = match reference.split_once('?') {
            Some((hierarchy, query)) => (hierarchy, Some(query)),
            None => (reference, None),
        };
        let scheme = hierarchy.split_once(':').filter(|(s, _)| is_scheme(s));
        let rest = scheme.map_or(hierarchy, |(_, rest)| rest);
        let base = &self.uri;
        let (authority, path, query) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (authority, path.to_owned(), query)
            }
            None if scheme.is_some() => return None,
            None if rest.is_empty() => {
                let query = query.or(base.query());
                (self.authority(), base.path().to_owned(), query)
            }
            None if rest.starts_with('/') => (self.authority(), rest.to_owned(), query),
            None => {
                let directory = &base.path()[..=base.path().rfind('/')?];
                (self.authority(), format!("{directory}{rest}"), query)
            }
        };
        let scheme = scheme.map_or(base.scheme_str()?, |(scheme, _)| scheme);
        let query = query.map_or(String::new(), |query| format!("?{query}"));
        let path = without_dots(&path);
        Endpoint::parse(&format!("{scheme}://{authority}{path}{query}")).ok()
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Gives the URL's origin.
    pub(crate) fn origin(&self) -> Origin {
        Self::origin_of(&self.uri)
    }

    /// Gives the origin of a URL that was an endpoint's.
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

    /// Gives host and port as the program gave them, for messages.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

/// Makes a URL fit for messages, however malformed and long it is: drops the part before an `@` and
/// the part after a colon, as in `joe:secret`.
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
    // The colons of an IPv6 address hide no password. Others do, and may be percent-encoded.
    let start = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) if address.parse::<IpAddr>().is_ok() => address.len() + 2,
        _ => 0,
    };
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
    fn usual_endpoints_are_accepted() {
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

    /// The examples of RFC 3986, 5.4, without those that are no http URL; fragments are left out.
    #[test]
    fn references_are_resolved_as_the_standard_has_it() {
        let base = Endpoint::parse("http://a/b/c/d;p?q").unwrap();
        for (reference, target) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            ("g?y#s", "http://a/b/c/g?y"),
            (";x", "http://a/b/c/;x"),
            ("g;x", "http://a/b/c/g;x"),
            ("g;x?y#s", "http://a/b/c/g;x?y"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            (".g", "http://a/b/c/.g"),
            ("g..", "http://a/b/c/g.."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/./x", "http://a/b/c/g?y/./x"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("g#s/./x", "http://a/b/c/g"),
            ("g#s/../x", "http://a/b/c/g"),
            // And some more.
            ("g?next=http://b/", "http://a/b/c/g?next=http://b/"),
            ("?next=//b/", "http://a/b/c/d;p?next=//b/"),
            ("./g:h", "http://a/b/c/g:h"),
            ("/g://h", "http://a/g://h"),
            ("//g?y", "http://g/?y"),
            ("HTTPS://G:8/x/../y", "https://G:8/y"),
        ] {
            let resolved = base
                .resolve(reference)
                .map(|endpoint| endpoint.uri().to_string());
            assert_eq!(resolved.as_deref(), Some(target), "{reference}");
        }
        for none in ["g:h", "http:g", "mailto:a@b", "//joe@a/g", "//", "http://"] {
            assert!(base.resolve(none).is_none(), "{none}");
        }
        let base = Endpoint::parse("https://[::1]:8080/up").unwrap();
        let there = base.resolve("there").unwrap().uri().to_string();
        assert_eq!(there, "https://[::1]:8080/there");
    }

    #[test]
    fn unusable_endpoints_are_refused_with_a_reason() {
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
        fn a_possible_password_is_not_shown(secret in "[a-zA-Z0-9][ -~]{7,15}") {
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
}
