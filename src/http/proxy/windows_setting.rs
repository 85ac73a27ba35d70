//! The proxy setting of a Windows user, which the control panel stores in the registry.

use super::Proxy;
use crate::error::Error;
use crate::http::endpoint::{bracketed, Origin};

/// The proxy setting of a Windows user.
#[derive(Debug, Clone, Default)]
pub(crate) struct WindowsSetting {
    /// `host:port`, or `http=host:port;https=host:port;socks=host:port`.
    pub server: String,
    /// Patterns of hosts that are reached without a proxy, separated by semicolons.
    pub exceptions: String,
}

impl WindowsSetting {
    /// Reads the setting from the registry; `None` if it is switched off. (PAC scripts are not
    /// read.)
    #[cfg(windows)]
    pub(crate) fn read() -> Option<Self> {
        const KEY: &str = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings";
        let root = winreg::RegKey::predef(winreg::enums::HKEY_CURRENT_USER);
        let key = root.open_subkey(KEY).ok()?;
        let enabled: u32 = key.get_value("ProxyEnable").ok()?;
        if enabled == 0 {
            return None;
        }
        Some(WindowsSetting {
            server: key.get_value("ProxyServer").ok()?,
            exceptions: key.get_value("ProxyOverride").unwrap_or_default(),
        })
    }

    /// Gives `None`: other systems have no such setting.
    #[cfg(not(windows))]
    pub(crate) fn read() -> Option<Self> {
        None
    }

    /// Gives the proxy for `origin`, if the setting has one for its scheme.
    pub(super) fn proxy(&self, origin: &Origin) -> Result<Option<Proxy>, Error> {
        let scheme = if origin.https { "https" } else { "http" };
        let entries = || entries(&self.server);
        let of = |wanted: &str| {
            entries().find_map(|entry| {
                let (scheme, server) = entry.split_once('=')?;
                let counts = scheme.eq_ignore_ascii_case(wanted) && !server.is_empty();
                counts.then(|| server.to_owned())
            })
        };
        let for_all = || {
            let entry = entries().find(|entry| !entry.contains('='));
            entry.map(str::to_owned)
        };
        let socks = || {
            of("socks").map(|server| match server.contains("://") {
                true => server,
                false => format!("socks4://{server}"),
            })
        };
        let Some(url) = of(scheme).or_else(for_all).or_else(socks) else {
            return Ok(None);
        };
        Proxy::parse(&url).map(Some).map_err(|why| {
            let what = "proxy of the Windows user";
            let why = format!("(Internet Settings, ProxyServer) {why}");
            Error::InvalidArgument { what, why }
        })
    }

    /// Whether `origin` is reached without a proxy.
    pub(super) fn excepts(&self, origin: &Origin) -> bool {
        entries(&self.exceptions).any(|entry| excepts(&entry.to_ascii_lowercase(), origin))
    }
}

/// Gives the entries of a list; semicolons, commas or blanks separate them.
fn entries(list: &str) -> impl Iterator<Item = &str> {
    let separates = |c: char| c.is_whitespace() || ";,".contains(c);
    list.split(separates).filter(|entry| !entry.is_empty())
}

/// Whether one entry of the exceptions fits `origin`.
fn excepts(entry: &str, origin: &Origin) -> bool {
    if entry == "<local>" {
        return !origin.host.contains(['.', ':']);
    }
    let pattern = match entry.split_once("://") {
        Some((scheme, _)) if (scheme == "https") != origin.https => return false,
        Some((_, pattern)) => pattern,
        None => entry,
    };
    let host = bracketed(&origin.host);
    matches(pattern, &host) || matches(pattern, &format!("{host}:{}", origin.port))
}

/// Whether the whole text matches the pattern, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (between, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut left) = text
        .strip_prefix(start)
        .and_then(|text| text.strip_suffix(end))
    else {
        return false;
    };
    // Each part is taken where it comes first, so that most is left for the parts after it.
    between.split('*').all(|part| {
        let found = left.split_once(part);
        left = found.map_or("", |(_, rest)| rest);
        found.is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::endpoint::Endpoint;

    fn origin(url: &str) -> Origin {
        Endpoint::parse(url).unwrap().origin()
    }

    #[test]
    fn the_server_is_one_for_all_or_one_for_each_scheme() {
        for (server, url, wanted) in [
            ("proxy:8080", "http://h/", Some("Http proxy:8080")),
            ("proxy:8080", "https://h/", Some("Http proxy:8080")),
            ("http=a:1;https=b:2", "http://h/", Some("Http a:1")),
            ("http=a:1;HTTPS=b:2", "https://h/", Some("Http b:2")),
            ("http=a:1", "https://h/", None),
            ("ftp=a:1;socks=s:9", "https://h/", Some("Socks4 s:9")),
            ("http=http://a:1/", "http://h/", Some("Http a:1")),
            (
                "http=a:1;https=b:2;socks=c:3",
                "http://h/",
                Some("Http a:1"),
            ),
            (
                "http=a:1;https=b:2;socks=c:3",
                "https://h/",
                Some("Http b:2"),
            ),
            ("ftp=a:1\thttps=b:2", "https://h/", Some("Http b:2")),
            ("a:1;https=b:2", "http://h/", Some("Http a:1")),
            ("http=;socks=c", "http://h/", Some("Socks4 c:1080")),
            ("socks=socks5://c:3", "https://h/", Some("Socks5 c:3")),
            ("a:1;socks=c:3", "https://h/", Some("Http a:1")),
            ("", "http://h/", None),
        ] {
            let setting = WindowsSetting {
                server: server.to_owned(),
                ..WindowsSetting::default()
            };
            let proxy = setting.proxy(&origin(url)).unwrap();
            let shown = proxy.map(|proxy| format!("{:?} {}", proxy.kind, proxy.authority()));
            assert_eq!(shown.as_deref(), wanted, "{server} {url}");
        }
    }

    #[test]
    fn an_invalid_server_is_an_error_that_names_the_setting() {
        let setting = WindowsSetting {
            server: "http=joe:hunter2@a:0".to_owned(),
            ..WindowsSetting::default()
        };
        let error = setting.proxy(&origin("http://h/")).unwrap_err().to_string();
        assert!(
            error.contains("ProxyServer") && error.contains("port"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn exceptions_are_patterns() {
        for (exceptions, url, excepted) in [
            ("*.example.org;<local>", "http://up.example.org/", true),
            ("*.example.org;<local>", "http://example.org/", false),
            ("*.Example.org", "https://up.example.org/", true),
            ("<local>", "http://intranet/", true),
            ("<local>", "http://intra.net/", false),
            ("<local>", "http://[fd00::1]/", false),
            ("10.*", "http://10.1.2.3/", true),
            ("10.*", "http://110.1.2.3/", false),
            ("https://h", "http://h/", false),
            ("https://h", "https://h/", true),
            ("h:8080", "http://h:8080/", true),
            ("h:8080", "http://h/", false),
            ("[fd00::1]", "http://[fd00::1]/", true),
            ("*", "http://h/", true),
            ("a*b*c", "http://axbyc/", true),
            ("a*b*c", "http://axcyb/", false),
            ("a*ab", "http://ab/", false),
            ("*ab*b", "http://aabb/", true),
            ("one two,three", "http://two/", true),
            ("one two,three", "http://three/", true),
            ("<-loopback>;h", "http://h/", true),
            (" ; ;", "http://h/", false),
        ] {
            let setting = WindowsSetting {
                exceptions: exceptions.to_owned(),
                ..WindowsSetting::default()
            };
            assert_eq!(
                setting.excepts(&origin(url)),
                excepted,
                "{exceptions} {url}"
            );
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let name = "a".repeat(200);
        for (last, excepted) in [("b", false), ("", true)] {
            let setting = WindowsSetting {
                exceptions: "a*".repeat(60) + last,
                ..WindowsSetting::default()
            };
            assert_eq!(
                setting.excepts(&origin(&format!("http://{name}/"))),
                excepted
            );
        }
    }

    /// Gives the meaning of a pattern by its definition, however slow.
    fn means(pattern: &str, text: &str) -> bool {
        match pattern.split_at_checked(1) {
            None => text.is_empty(),
            Some(("*", rest)) => {
                means(rest, text) || !text.is_empty() && means(pattern, &text[1..])
            }
            Some((letter, rest)) => text
                .strip_prefix(letter)
                .is_some_and(|text| means(rest, text)),
        }
    }

    proptest::proptest! {
        #[test]
        fn patterns_match_what_they_mean(pattern in "[ab*]{0,8}", text in "[ab]{0,8}") {
            proptest::prop_assert_eq!(matches(&pattern, &text), means(&pattern, &text));
        }
    }
}
