//! Sizes and times with units, as options of resup's programs have them.

use std::time::Duration;

/// The words for sizes in a program's help.
pub const SIZES: &str = "\
SIZE is a number of bytes. k, M, G or T after it stand for powers of 1000; Ki, Mi, Gi or Ti for \
powers of 1024.";

/// The words for times in a program's help.
pub const TIMES: &str = "\
TIME is a number of seconds. ms, s, m, h or d after it stand for milliseconds, seconds, minutes, \
hours or days. It may have a fraction.";

/// The units of sizes, and their numbers of bytes.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("", 1),
    ("k", 1_000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("ki", 1 << 10),
    ("mi", 1 << 20),
    ("gi", 1 << 30),
    ("ti", 1 << 40),
];

/// The units of times, and their seconds.
const TIME_UNITS: [(&str, f64); 6] = [
    ("ms", 0.001),
    ("s", 1.0),
    ("m", 60.0),
    ("min", 60.0),
    ("h", 3600.0),
    ("d", 86400.0),
];

/// Parses a number of bytes such as `500k`, `1.5M` or `64Mi`; a `B` may follow. 0 is none.
///
/// # Errors
/// A text that says how to write a size.
pub fn size(text: &str) -> Result<u64, String> {
    match parse_size(text) {
        Some(bytes) if bytes > 0 => Ok(bytes),
        _ => Err("not a size; write it as 800000, 500k, 1.5M or 64Mi".to_owned()),
    }
}

/// Parses a size as [`size`] does, or 0.
///
/// # Errors
/// As [`size`].
pub fn size_or_zero(text: &str) -> Result<u64, String> {
    match text {
        "0" => Ok(0),
        text => size(text),
    }
}

/// Parses a time such as `30`, `0.5`, `90s` or `12h`. A number alone is in seconds.
///
/// # Errors
/// A text that says how to write a time.
pub fn time(text: &str) -> Result<Duration, String> {
    parse_time(text, 1.0)
        .ok_or_else(|| "not a time; write it as 30, 0.5, 90s, 5m or 12h".to_owned())
}

/// Parses a time as [`time`] does. A number alone is in days.
///
/// # Errors
/// A text that says how to write a time.
pub fn days(text: &str) -> Result<Duration, String> {
    parse_time(text, 86400.0)
        .ok_or_else(|| "not a time; write it as 7 (days), 0.5, 7d or 12h".to_owned())
}

/// Writes a number of bytes with three digits: `999 B`, `1.50 MB`.
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut names = ["B", "kB", "MB", "GB", "TB", "PB"].into_iter();
    let mut name = names.next().expect("the list is not empty");
    for next in names {
        // 999.5 and more would be written as 1000.
        if value < 999.5 {
            break;
        }
        (value, name) = (value / 1000.0, next);
    }
    match value {
        _ if name == "B" => format!("{count} B"),
        v if v < 9.995 => format!("{v:.2} {name}"),
        v if v < 99.95 => format!("{v:.1} {name}"),
        v => format!("{v:.0} {name}"),
    }
}

/// Splits a text into its number and its unit.
fn split(text: &str) -> (&str, String) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    (number, unit.trim_start().to_ascii_lowercase())
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text);
    let prefix = unit.strip_suffix('b').unwrap_or(&unit);
    let (_, factor) = SIZE_UNITS.iter().find(|(name, _)| *name == prefix)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(*factor);
    }
    let bytes = number.parse::<f64>().ok()? * *factor as f64;
    (bytes < u64::MAX as f64).then_some(bytes as u64)
}

/// Parses a time; a number alone is in `seconds`.
fn parse_time(text: &str, seconds: f64) -> Option<Duration> {
    let (number, unit) = split(text);
    let factor = match &unit[..] {
        "" => seconds,
        unit => TIME_UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * factor).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in [
            ("1", 1),
            ("500k", 500_000),
            ("1.5M", 1_500_000),
            ("64Mi", 64 << 20),
            ("2 GB", 2_000_000_000),
            ("1KiB", 1024),
            ("5G", 5_000_000_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
            assert_eq!(size_or_zero(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "0",
            "0.1",
            "-1",
            "1X",
            "k",
            "1.2.3M",
            "99999999T",
            "1e3",
            "∞",
            "1m m",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(size_or_zero("0"), Ok(0));
        assert!(size_or_zero("0.1").is_err());
    }

    #[test]
    fn times_are_read_with_their_units() {
        for (text, milliseconds) in [
            ("0", 0),
            ("0.5", 500),
            ("30", 30_000),
            ("250ms", 250),
            ("5s", 5_000),
            ("1.5 m", 90_000),
            ("2min", 120_000),
            ("12H", 43_200_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(
                time(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in ["", "-1", "5x", "s", "NaN", "1e300", "1:30"] {
            assert!(time(text).is_err() && days(text).is_err(), "{text}");
        }
        assert_eq!(days("0.5"), time("12h"));
        assert_eq!(days("36h"), days("1.5"));
    }

    #[test]
    fn bytes_are_written_short() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9_994_999, "9.99 MB"),
            (9_999_999, "10.0 MB"),
            (999_499_999, "999 MB"),
            (999_999_999, "1.00 GB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }
}
