//! The cookies that a server set (RFC 6265), for one origin only.
#![forbid(unsafe_code)]

use std::time::{Duration, SystemTime};

use http::Uri;

use crate::secret::Secret;

/// No more than this many are kept, the latest, and none that is longer.
const MOST: usize = 50;
const LONGEST: usize = 4096;

/// Cookies by name and path.
#[derive(Debug, Default)]
pub(super) struct Jar(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    name: String,
    value: Secret,
    path: String,
    /// When it is to be forgotten.
    until: Option<SystemTime>,
}

impl Jar {
    /// Takes over what an answer to a request for `uri` sets, `Set-Cookie` lines.
    pub(super) fn learn(&mut self, uri: &Uri, lines: &[String]) {
        let now = SystemTime::now();
        for line in lines.iter().filter(|line| line.len() <= LONGEST) {
            let Some((cookie, secure)) = Kept::parse(line, uri, now) else {
                continue;
            };
            if secure && uri.scheme_str() != Some("https") {
                continue;
            }
            self.0
                .retain(|kept| kept.name != cookie.name || kept.path != cookie.path);
            if cookie.until.is_some_and(|until| until <= now) {
                continue;
            }
            if self.0.len() == MOST {
                self.0.remove(0);
            }
            self.0.push(cookie);
        }
    }

    /// The value of the `Cookie` header of a request for `uri`: the host's own cookies, and then
    /// those that are kept, the more special paths first.
    pub(super) fn header(&self, own: &[(String, Secret)], uri: &Uri) -> Option<Secret> {
        let now = SystemTime::now();
        let lives = |kept: &&Kept| kept.until.is_none_or(|until| until > now);
        let fits = |kept: &&Kept| covers(&kept.path, uri.path());
        let mut kept: Vec<_> = self.0.iter().filter(lives).filter(fits).collect();
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        let kept = kept.into_iter().map(|kept| (&kept.name, &kept.value));
        let own = own.iter().map(|(name, value)| (name, value));
        let pairs = own.chain(kept);
        // Long enough that no part of it is left behind where it grew.
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

impl Kept {
    /// Reads a `Set-Cookie` line as RFC 6265, 5.2 has it, also whether it is for https only.
    fn parse(line: &str, uri: &Uri, now: SystemTime) -> Option<(Self, bool)> {
        let mut parts = line.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() || name.chars().chain(value.chars()).any(char::is_control) {
            return None;
        }
        let mut cookie = Kept {
            name: name.to_owned(),
            value: Secret::new(value),
            path: directory(uri.path()).to_owned(),
            until: None,
        };
        let (mut secure, mut has_age) = (false, false);
        for part in parts {
            let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match attribute.trim().to_ascii_lowercase().as_str() {
                "secure" => secure = true,
                "path" if value.starts_with('/') => cookie.path = value.to_owned(),
                "max-age" => {
                    let negative = value.starts_with('-');
                    let digits = value.trim_start_matches('-');
                    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                        continue;
                    }
                    // Past what clocks can tell is as good as for ever.
                    let age = if negative { Ok(0) } else { digits.parse() };
                    let age = Duration::from_secs(age.unwrap_or(u64::MAX));
                    cookie.until = now.checked_add(age);
                    has_age = true;
                }
                "expires" if !has_age => {
                    // Old servers write 01-Jan-1970.
                    let date = httpdate::parse_http_date(&value.replace('-', " "));
                    cookie.until = date.ok().or(cookie.until);
                }
                _ => {}
            }
        }
        Some((cookie, secure))
    }
}

/// A cookie's path when it names none (RFC 6265, 5.1.4).
fn directory(path: &str) -> &str {
    match path.rfind('/') {
        Some(at @ 1..) => &path[..at],
        _ => "/",
    }
}

/// RFC 6265, 5.1.4: whether a cookie of `path` goes to `target`.
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

    /// The header for `target` after `lines` were set by an answer to `from`.
    fn header(from: &str, lines: &[&str], target: &str) -> Option<String> {
        let mut jar = Jar::default();
        let lines: Vec<_> = lines.iter().map(|line| line.to_string()).collect();
        jar.learn(&uri(from), &lines);
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
    fn cookies_end() {
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
    fn a_secure_cookie_is_not_taken_in_the_clear() {
        assert_eq!(header("http://h/", &["s=1; Secure"], "http://h/"), None);
        let given = header("https://h/", &["s=1; Secure"], "https://h/");
        assert_eq!(given.as_deref(), Some("s=1"));
    }

    #[test]
    fn nonsense_is_passed_over_and_the_jar_does_not_grow_without_bound() {
        assert_eq!(
            header("http://h/", &["", "=x", "nothing", ";;"], "http://h/"),
            None
        );
        let long = format!("a={}", "x".repeat(5000));
        assert_eq!(header("http://h/", &[&long], "http://h/"), None);
        let many: Vec<_> = (0..80).map(|i| format!("c{i}=1")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let header = header("http://h/", &many, "http://h/").unwrap();
        assert_eq!(header.matches("=1").count(), MOST);
        assert!(header.contains("c79=1") && !header.contains("c0=1;"));
    }

    #[test]
    fn own_cookies_come_first_and_special_paths_before_general_ones() {
        let mut jar = Jar::default();
        let lines = ["a=1; Path=/".to_owned(), "b=2; Path=/up".to_owned()];
        jar.learn(&uri("http://h/up/x"), &lines);
        let own = [("me".to_owned(), Secret::new("0"))];
        let header = jar.header(&own, &uri("http://h/up/y")).unwrap();
        assert_eq!(header.text(), "me=0; b=2; a=1");
    }
}
