//! The cookies that a server set (RFC 6265), for one origin only.

use std::time::SystemTime;

use http::Uri;

use super::cookie::Cookie;
use crate::http::secret::Secret;

/// The most cookies that are stored; past that, the oldest are dropped.
const MOST: usize = 50;
/// The longest cookie that is stored: its name and value, in bytes.
const LONGEST: usize = 4096;

/// The cookies of one origin, by name, domain and path.
#[derive(Debug, Default, Clone)]
pub(super) struct Jar(Vec<StoredCookie>);

#[derive(Debug, Clone)]
struct StoredCookie {
    name: String,
    value: Secret,
    /// The server's name, or a parent domain of it.
    domain: String,
    path: String,
    /// When it expires; `None` for a cookie of the session.
    expires: Option<SystemTime>,
}

impl Jar {
    /// Stores the cookies of a response to a request for `uri`; `lines` are its `Set-Cookie` lines.
    pub(super) fn store(&mut self, uri: &Uri, lines: &[String]) {
        let now = SystemTime::now();
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        self.0
            .retain(|stored| stored.expires.is_none_or(|at| at > now));
        for line in lines {
            let Some(cookie) = Cookie::parse(line) else {
                continue;
            };
            let (name, value) = (cookie.name, cookie.value);
            let is_invalid = name.len() + value.len() > LONGEST
                || name.chars().chain(value.chars()).any(char::is_control);
            let domain = cookie
                .domain
                .filter(|domain| !domain.is_empty())
                .unwrap_or(&host)
                .to_ascii_lowercase();
            if is_invalid
                || !is_within(&host, &domain)
                || cookie.is_secure && uri.scheme_str() != Some("https")
            {
                continue;
            }
            let path = cookie
                .path
                .filter(|path| path.starts_with('/'))
                .unwrap_or_else(|| directory(uri.path()))
                .to_owned();
            let key = (name, &*domain, &*path);
            self.0
                .retain(|stored| (&*stored.name, &*stored.domain, &*stored.path) != key);
            let expires = cookie.expiry(now);
            if expires.is_some_and(|at| at <= now) {
                continue;
            }
            if self.0.len() == MOST {
                self.0.remove(0);
            }
            self.0.push(StoredCookie {
                name: name.to_owned(),
                value: Secret::new(value),
                domain,
                path,
                expires,
            });
        }
    }

    /// Gives the `Cookie` header of a request for `uri`: the program's own cookies, and then
    /// the stored ones, those with longer paths first.
    pub(super) fn header(&self, own: &[(String, Secret)], uri: &Uri) -> Option<Secret> {
        let now = SystemTime::now();
        let is_valid = |stored: &&StoredCookie| stored.expires.is_none_or(|at| at > now);
        let fits = |stored: &&StoredCookie| covers(&stored.path, uri.path());
        let mut stored: Vec<_> = self.0.iter().filter(is_valid).filter(fits).collect();
        stored.sort_by_key(|stored| std::cmp::Reverse(stored.path.len()));
        let own_pairs = own.iter().map(|(name, value)| (name, value));
        let pairs = own_pairs.chain(stored.iter().map(|stored| (&stored.name, &stored.value)));
        // The header never grows, so no copy of a secret stays behind in freed memory.
        let length = pairs.clone().map(|(n, v)| n.len() + v.bytes().len() + 3);
        let mut header = Vec::with_capacity(length.sum());
        for (name, value) in pairs {
            let separator: &[u8] = if header.is_empty() { b"" } else { b"; " };
            for part in [separator, name.as_bytes(), b"=", value.bytes()] {
                header.extend_from_slice(part);
            }
        }
        (!header.is_empty()).then(|| Secret::new(header))
    }
}

/// Gives a cookie's path when it names none (RFC 6265, 5.1.4).
fn directory(path: &str) -> &str {
    match path.rfind('/') {
        Some(at @ 1..) => &path[..at],
        _ => "/",
    }
}

/// Whether a host is in a domain (RFC 6265, 5.1.3).
fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a cookie of `path` goes to `target` (RFC 6265, 5.1.4).
fn covers(path: &str, target: &str) -> bool {
    let Some(rest) = target.strip_prefix(path) else {
        return false;
    };
    rest.is_empty() || path.ends_with('/') || rest.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    /// Gives the header for `target` after a response to `from` has set `lines`.
    fn header(from: &str, lines: &[&str], target: &str) -> Option<String> {
        let mut jar = Jar::default();
        let lines: Vec<_> = lines.iter().map(|line| line.to_string()).collect();
        jar.store(&uri(from), &lines);
        let header = jar.header(&[], &uri(target))?;
        Some(header.text().to_owned())
    }

    #[test]
    fn cookies_are_given_back_where_their_path_covers() {
        let from = "http://h/app/login";
        for (line, target, given) in [
            ("s=1", "http://h/app/upload", true),
            ("s=1", "http://h/app", true),
            ("s=1", "http://h/", false),
            ("s=1", "http://h/apple", false),
            ("s=1; Path=/", "http://h/upload", true),
            ("s=1; Path=/up", "http://h/up/load", true),
            ("s=1; Path=/up", "http://h/upload", false),
            ("s=1; Path=nonsense", "http://h/app/x", true),
            ("s=1; HttpOnly; SameSite=Strict; Path=/", "http://h/x", true),
        ] {
            let expected = given.then(|| "s=1".to_owned());
            assert_eq!(header(from, &[line], target), expected, "{line} {target}");
        }
    }

    #[test]
    fn cookies_expire() {
        let from = "http://h/";
        for line in [
            "s=; Max-Age=0",
            "s=1; Max-Age=-5",
            "s=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "s=1; expires=Thu, 01-Jan-1970 00:00:00 GMT",
            "s=1; Expires=Sun, 06 Nov 2094 08:49:37 GMT; max-age=0",
            "s=1; Max-Age=0; Expires=Sun, 06 Nov 2094 08:49:37 GMT",
        ] {
            assert_eq!(header(from, &["s=1", line], from), None, "{line}");
        }
        for line in [
            "s=2; Max-Age=60",
            "s=2; Max-Age=99999999999999999999999",
            "s=2; Max-Age=soon; Expires=never",
            "s=2; Expires=Sat, 06 Nov 2094 08:49:37 GMT",
            "s=2",
        ] {
            assert_eq!(
                header(from, &["s=1", line], from).as_deref(),
                Some("s=2"),
                "{line}"
            );
        }
    }

    #[test]
    fn a_secure_cookie_is_not_stored_without_tls() {
        assert_eq!(header("http://h/", &["s=1; Secure"], "http://h/"), None);
        let given = header("https://h/", &["s=1; Secure"], "https://h/");
        assert_eq!(given.as_deref(), Some("s=1"));
    }

    #[test]
    fn invalid_cookies_are_ignored_and_the_jar_has_a_limit() {
        assert_eq!(
            header("http://h/", &["", "=x", "nothing", ";;"], "http://h/"),
            None
        );
        let long = format!("a={}", "x".repeat(LONGEST));
        assert_eq!(header("http://h/", &[&long], "http://h/"), None);
        let lines: Vec<_> = (0..80).map(|i| format!("c{i}=1")).collect();
        let many: Vec<_> = lines.iter().map(String::as_str).collect();
        let header = header("http://h/", &many, "http://h/").unwrap();
        assert_eq!(header.matches("=1").count(), MOST);
        assert!(header.contains("c79=1") && !header.contains("c0=1;"));
    }

    #[test]
    fn a_cookie_of_another_domain_is_not_stored() {
        let at = |domain: &str| {
            let line = format!("s=1; Path=/; Domain={domain}");
            header("http://Up.Example.org/", &[&line], "http://up.example.org/").is_some()
        };
        for domain in ["up.example.org", "example.org", ".EXAMPLE.ORG", "", "."] {
            assert!(at(domain), "{domain}");
        }
        for domain in ["h", "ample.org", "a.up.example.org", "other.org"] {
            assert!(!at(domain), "{domain}");
        }
    }

    #[test]
    fn cookies_of_a_host_and_of_its_parent_domain_are_distinct() {
        let (from, domain) = ("http://up.h/", "; Domain=h");
        let (wide, end) = (format!("s=2{domain}"), format!("s=; Max-Age=0{domain}"));
        assert_eq!(header(from, &["s=1", &wide], from).unwrap(), "s=1; s=2");
        assert_eq!(header(from, &["s=1", &wide, &end], from).unwrap(), "s=1");
        // A cookie without a domain has the host's name as its domain.
        let own = "s=3; Domain=up.h";
        assert_eq!(header(from, &["s=1", own], from).unwrap(), "s=3");
    }

    #[test]
    fn long_attributes_do_not_make_a_cookie_too_long() {
        let value = "x".repeat(LONGEST - 1);
        let line = format!("s={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600");
        let given = header("http://h/", &[&line], "http://h/");
        assert_eq!(given, Some(format!("s={value}")));
        let longer = format!("s={value}x");
        assert_eq!(header("http://h/", &[&longer], "http://h/"), None);
    }

    #[test]
    fn expired_cookies_are_dropped_before_others() {
        let mut jar = Jar::default();
        let lines = |from: usize, attribute: &str| {
            let line = |i| format!("c{i}=1{attribute}");
            (from..from + MOST - 1).map(line).collect::<Vec<_>>()
        };
        let uri = uri("http://h/");
        jar.store(&uri, &["s=1".to_owned()]);
        jar.store(&uri, &lines(0, "; Max-Age=60"));
        // A minute later.
        for stored in &mut jar.0[1..] {
            stored.expires = Some(SystemTime::now());
        }
        jar.store(&uri, &lines(100, ""));
        let header = jar.header(&[], &uri).unwrap();
        assert!(header.text().contains("s=1"), "{}", header.text());
    }

    #[test]
    fn own_cookies_come_first_and_special_paths_before_general_ones() {
        let mut jar = Jar::default();
        let lines = ["a=1; Path=/".to_owned(), "b=2; Path=/up".to_owned()];
        jar.store(&uri("http://h/up/x"), &lines);
        let own = [("me".to_owned(), Secret::new("0"))];
        let header = jar.header(&own, &uri("http://h/up/y")).unwrap();
        assert_eq!(header.text(), "me=0; b=2; a=1");
    }
}
