//! Sizes and times as text.

use std::time::Duration;

use resup::SegmentSize;

/// The units of sizes, and their numbers of bytes.
const UNITS: [(&str, u64); 9] = [
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

/// Parses a number of bytes such as `500k`, `1.5M` or `64Mi`; a `B` may follow.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || "not a size; write it as 800000, 500k, 1.5M or 64Mi".to_owned();
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(number_end.unwrap_or(text.len()));
    let unit = unit.trim_start().to_ascii_lowercase();
    let prefix = unit.strip_suffix('b').unwrap_or(&unit);
    let (_, factor) = UNITS
        .iter()
        .find(|(name, _)| *name == prefix)
        .ok_or_else(wrong)?;
    let bytes = number.parse::<f64>().map_err(|_| wrong())? * *factor as f64;
    match bytes >= 1.0 && bytes < u64::MAX as f64 {
        true => Ok(bytes as u64),
        false => Err(wrong()),
    }
}

/// Parses a segment size: a size or `auto`.
pub fn segment(text: &str) -> Result<SegmentSize, String> {
    match text {
        "auto" => Ok(SegmentSize::Automatic),
        text => size(text)
            .map(SegmentSize::Fixed)
            .map_err(|why| why + ", or as auto"),
    }
}

/// Parses a number of seconds such as `30` or `0.5`.
pub fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .ok_or_else(|| "not a number of seconds; write it as 30 or 0.5".to_owned())
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

/// Writes a time in seconds, or with minutes and hours: `7 s`, `1:05`, `2:03:10`. Rounds up, so
/// that a countdown ends with 1.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes}:{:02}", seconds % 60),
        _ => format!("{hours}:{:02}:{:02}", minutes % 60, seconds % 60),
    }
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
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "-1", "1X", "k", "1.2.3M", "99999999T", "1e3", "∞"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["", "-1", "5s", "NaN", "1e300"] {
            assert!(seconds(text).is_err(), "{text}");
        }
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

    #[test]
    fn times_are_written_as_on_a_clock() {
        for (millis, text) in [
            (0, "0 s"),
            (2_001, "3 s"),
            (59_500, "1:00"),
            (65_000, "1:05"),
            (7_390_000, "2:03:10"),
        ] {
            assert_eq!(time(Duration::from_millis(millis)), text);
        }
    }
}
