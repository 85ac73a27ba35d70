//! Reading a `Set-Cookie` line (RFC 6265, 5.2).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A cookie as a server's line has it.
#[derive(Debug, Default)]
pub(super) struct Cookie<'a> {
    pub name: &'a str,
    pub value: &'a str,
    /// The domain, without the dot that old servers write before it.
    pub domain: Option<&'a str>,
    pub path: Option<&'a str>,
    pub is_secure: bool,
    max_age: Option<Duration>,
    expires: Option<SystemTime>,
}

impl<'a> Cookie<'a> {
    /// Reads a line; `None` where it has no name. Attributes that are unknown or cannot be read count
    /// as absent.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let mut parts = line.split(';').map(|part| match part.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (part.trim(), None),
        });
        let (name, value) = parts.next().filter(|(name, _)| !name.is_empty())?;
        let mut cookie = Cookie {
            name,
            value: value?,
            ..Cookie::default()
        };
        for (name, value) in parts {
            cookie.set(&name.to_ascii_lowercase(), value.unwrap_or_default());
        }
        Some(cookie)
    }

    fn set(&mut self, attribute: &str, value: &'a str) {
        match attribute {
            "secure" => self.is_secure = true,
            "path" => self.path = Some(value),
            "domain" if !value.is_empty() => {
                self.domain = Some(value.strip_prefix('.').unwrap_or(value));
            }
            "max-age" => self.max_age = age(value).or(self.max_age),
            "expires" => self.expires = date(value).or(self.expires),
            _ => {}
        }
    }

    /// Gives the time when it expires; `None` for never.
    pub(super) fn expiry(&self, now: SystemTime) -> Option<SystemTime> {
        match self.max_age {
            // A time past the range of the clock counts as never.
            Some(age) => now.checked_add(age),
            None => self.expires,
        }
    }
}

/// Reads a number of seconds. One below 0 counts as 0.
fn age(text: &str) -> Option<Duration> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    number(digits)?;
    match digits.len() == text.len() {
        true => Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX))),
        false => Some(Duration::ZERO),
    }
}

/// Reads a date (RFC 6265, 5.1.1): its parts may have any order, and anything between them. One
/// before 1970 counts as 1970.
fn date(text: &str) -> Option<SystemTime> {
    let (mut clock, mut day, mut month, mut year) = (None, None, None, None);
    for part in text.split(|c: char| !c.is_alphanumeric() && c != ':') {
        match number(part) {
            Some(number) if day.is_none() && part.len() <= 2 => day = Some(number),
            Some(number) if year.is_none() && (2..=4).contains(&part.len()) => year = Some(number),
            Some(_) => {}
            None if clock.is_none() && part.contains(':') => clock = Some(seconds(part)?),
            None => month = month.or(month_of(part)),
        }
    }
    let (day, month) = (day.filter(|day| (1..=31).contains(day))?, month?);
    let year = match year? {
        year @ 0..=69 => 2000 + year,
        year @ 70..=99 => 1900 + year,
        year => year,
    };
    let seconds = i64::from(days(year, month, day)) * 86_400 + i64::from(clock?);
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds.try_into().unwrap_or(0)))
}

/// Gives the number that a text of digits is. One that is too long is the largest there is.
fn number(text: &str) -> Option<i32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(i32::MAX))
}

/// Gives the seconds since midnight of a time such as 08:49:37.
fn seconds(text: &str) -> Option<i32> {
    let mut parts = text.split(':').map(number);
    let mut next = |most| parts.next()?.filter(|number| *number <= most);
    let (hours, minutes, seconds) = (next(23)?, next(59)?, next(59)?);
    Some((hours * 60 + minutes) * 60 + seconds)
}

/// Gives the number of a month, from 1 on, by the first letters of its English name.
fn month_of(text: &str) -> Option<i32> {
    const MONTHS: &str = "janfebmaraprmayjunjulaugsepoctnovdec";
    let start = text.get(..3)?.to_ascii_lowercase();
    let place = (0..12).find(|place| MONTHS[place * 3..][..3] == start)?;
    Some(place as i32 + 1)
}

/// Gives the days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i32, month: i32, day: i32) -> i32 {
    // The year begins in March, so that a leap day is its last one.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_all_usual_forms() {
        for (text, wanted) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("Sun, 06-Nov-1994 08:49:37 GMT", Some(784_111_777)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("6 november 1994 8:49:37", Some(784_111_777)),
            ("Thu, 01-Jan-1970 00:00:00 GMT", Some(0)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Mon, 01-Jan-01 00:00:00 GMT", Some(978_307_200)),
            ("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199)),
            ("Fri, 01 Mar 2024 00:00:00 GMT", Some(1_709_251_200)),
            ("Sat, 01 Mar 2200 00:00:00 GMT", Some(7_263_216_000)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            ("Wed, 31 Dec 1969 23:59:59 GMT", Some(0)),
            ("Mon, 01 Jan 0000 00:00:00 GMT", Some(946_684_800)),
            ("Sun, 06 Nov 1994 24:00:00 GMT", None),
            ("Sun, 06 Nov 1994 08:60:00 GMT", None),
            ("Sun, 06 Nov 1994 08:49 GMT", None),
            ("Sun, 32 Nov 1994 08:49:37 GMT", None),
            ("Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 08:49:37 GMT", None),
            ("Sun, 06 1994 08:49:37 GMT", None),
            ("Sun, 06 Növ 1994 08:49:37 GMT", None),
            ("6 Nov 19940 08:49:37", None),
            ("99999999999999 Nov 1994 ::", None),
            ("never", None),
            ("", None),
        ] {
            let wanted = wanted.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(date(text), wanted, "{text}");
        }
    }

    #[test]
    fn ages_are_whole_seconds() {
        for (text, wanted) in [
            ("60", Some(60)),
            ("0", Some(0)),
            ("-5", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("", None),
            ("-", None),
            ("+5", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(age(text), wanted.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_line_is_a_name_a_value_and_attributes() {
        let line = " s = a=b\"c ; PATH = /x; Domain=.h; Secure; HttpOnly=; Path=/y; Domain=; X; max-age=no";
        let cookie = Cookie::parse(line).unwrap();
        assert_eq!((cookie.name, cookie.value), ("s", "a=b\"c"));
        assert_eq!((cookie.path, cookie.domain), (Some("/y"), Some("h")));
        assert!(cookie.is_secure && cookie.expiry(UNIX_EPOCH).is_none());
        for line in ["", "nothing", "=x", ";;", "; s=1"] {
            assert!(Cookie::parse(line).is_none(), "{line}");
        }
    }
}
