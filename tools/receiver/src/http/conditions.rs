//! Conditional requests (RFC 9110, 13): is what the client has, or expects, still what is here?

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

/// What tells the versions of a resource apart.
pub struct Validators {
    /// A strong entity tag, with its quotes.
    pub tag: HeaderValue,
    /// The time of the last change, in whole seconds; `None` when it is not known.
    pub changed: Option<SystemTime>,
}

impl Validators {
    /// Makes the validators of something that was changed at a time in milliseconds since 1970. Its version has no comma.
    pub fn new(version: &str, changed: i64) -> Self {
        let seconds = Duration::from_secs(u64::try_from(changed / 1000).unwrap_or(0));
        // A clock that was set back must not make a time that is still to come.
        let changed = (UNIX_EPOCH + seconds).min(whole_seconds(SystemTime::now()));
        Self {
            changed: Some(changed),
            ..Self::of_version(version)
        }
    }

    /// Makes the validators of something without a time.
    pub fn of_version(version: &str) -> Self {
        let tag = format!("\"{version}\"");
        Self {
            tag: HeaderValue::try_from(tag).expect("a version is ASCII"),
            changed: None,
        }
    }

    /// Writes the headers ETag and Last-Modified.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(header::ETAG, self.tag.clone());
        if let Some(changed) = self.changed {
            let date = HeaderValue::try_from(httpdate::fmt_http_date(changed));
            headers.insert(header::LAST_MODIFIED, date.expect("a date is ASCII"));
        }
    }

    /// Returns 304 or 412 when a condition of the request does not hold. The order is that of RFC 9110, 13.2.2.
    pub fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), StatusCode> {
        let (failed, same) = (StatusCode::PRECONDITION_FAILED, StatusCode::NOT_MODIFIED);
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if headers.contains_key(header::IF_MATCH) {
            if !self.is_listed(headers, header::IF_MATCH, false) {
                return Err(failed);
            }
        } else if self.is_after(headers, header::IF_UNMODIFIED_SINCE) == Some(true) {
            return Err(failed);
        }
        if headers.contains_key(header::IF_NONE_MATCH) {
            if self.is_listed(headers, header::IF_NONE_MATCH, true) {
                return Err(if reads { same } else { failed });
            }
        } else if reads && self.is_after(headers, header::IF_MODIFIED_SINCE) == Some(false) {
            return Err(same);
        }
        Ok(())
    }

    /// Whether a Range counts: without If-Range, or when that names exactly what is here (RFC 9110, 13.1.5).
    pub fn allows_range(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(header::IF_RANGE) else {
            return true;
        };
        if value == self.tag {
            return true;
        }
        // In the second of the change, a time does not tell two versions apart.
        let is_old = |time: &SystemTime| {
            let age = SystemTime::now().duration_since(*time);
            age.is_ok_and(|age| age >= Duration::from_secs(2))
        };
        let theirs = value.to_str().ok().and_then(parse_date);
        theirs.is_some() && theirs == self.changed.filter(is_old)
    }

    /// Whether a header has `*` or this tag in its list. Weakly compared, `W/` before a tag is ignored.
    fn is_listed(&self, headers: &HeaderMap, name: HeaderName, weakly: bool) -> bool {
        let own = self.tag.to_str().unwrap_or("");
        let is_own = |theirs: &str| {
            let weak = theirs.strip_prefix("W/").filter(|_| weakly);
            theirs == "*" || weak.unwrap_or(theirs) == own
        };
        // A comma inside another tag makes parts of it, none of which is this tag: it has no comma.
        let lines = headers.get_all(name);
        let texts = lines.iter().filter_map(|line| line.to_str().ok());
        texts
            .flat_map(|text| text.split(','))
            .any(|theirs| is_own(theirs.trim()))
    }

    /// Whether the last change was after the header's time; `None` when one of the two is not there or not a time.
    fn is_after(&self, headers: &HeaderMap, name: HeaderName) -> Option<bool> {
        let mut lines = headers.get_all(name).iter();
        let (line, None) = (lines.next()?, lines.next()) else {
            return None;
        };
        Some(self.changed? > parse_date(line.to_str().ok()?)?)
    }
}

fn parse_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06 08:49:37, in milliseconds.
    const CHANGED: i64 = 784_111_777_123;
    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn conditions_are_checked_in_their_order() {
        let own = Validators::new("abc", CHANGED);
        let get = |lines: &[_]| match own.check(&Method::GET, &headers(lines)) {
            Ok(()) => 200,
            Err(status) => status.as_u16(),
        };
        for (lines, status) in [
            (&[][..], 200),
            (&[("if-none-match", "\"abc\"")], 304),
            (&[("if-none-match", "\"x,y\", W/\"abc\"")], 304),
            (&[("if-none-match", "\"x\""), ("if-none-match", "*")], 304),
            (
                &[("if-none-match", "\"x\""), ("if-modified-since", THEN)],
                200,
            ),
            (&[("if-none-match", "abc")], 200),
            (&[("if-modified-since", THEN)], 304),
            (
                &[("if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT")],
                304,
            ),
            (&[("if-modified-since", BEFORE)], 200),
            (&[("if-modified-since", "yesterday")], 200),
            (&[("if-match", "\"abc\"")], 200),
            (&[("if-match", "*"), ("if-unmodified-since", BEFORE)], 200),
            (&[("if-match", "W/\"abc\"")], 412),
            (&[("if-match", "\"x\""), ("if-none-match", "\"abc\"")], 412),
            (
                &[("if-match", "\"abc\""), ("if-none-match", "\"abc\"")],
                304,
            ),
            (&[("if-unmodified-since", THEN)], 200),
            (&[("if-unmodified-since", BEFORE)], 412),
        ] {
            assert_eq!(get(lines), status, "{lines:?}");
        }
        let none = headers(&[("if-none-match", "*"), ("if-modified-since", THEN)]);
        let refused = own.check(&Method::DELETE, &none);
        assert_eq!(refused, Err(StatusCode::PRECONDITION_FAILED));
        let no_time = Validators::of_version("abc");
        assert_eq!(
            no_time.check(&Method::GET, &headers(&[("if-modified-since", THEN)])),
            Ok(())
        );
    }

    #[test]
    fn a_range_needs_the_very_same_version() {
        let allows = |validators: &Validators, value| {
            validators.allows_range(&headers(&[("if-range", value)]))
        };
        let own = Validators::new("abc", CHANGED);
        assert!(own.allows_range(&HeaderMap::new()));
        for (value, allowed) in [
            ("\"abc\"", true),
            (THEN, true),
            ("W/\"abc\"", false),
            ("\"x\"", false),
            (BEFORE, false),
            ("Sun, 06 Nov 1994 08:49:38 GMT", false),
        ] {
            assert_eq!(allows(&own, value), allowed, "{value}");
        }
        let mut fresh = Validators::new("abc", i64::MAX);
        assert!(fresh.changed <= Some(SystemTime::now()));
        let now = httpdate::fmt_http_date(fresh.changed.unwrap());
        assert!(!allows(&fresh, Box::leak(now.into_boxed_str())));
        fresh.changed = None;
        assert!(!allows(&fresh, THEN));
    }
}
