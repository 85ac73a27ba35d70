//! Sizes and times as text. The units of options are in the crate `resup-units`.

use std::time::Duration;

use crate::messages::{sentence, tr};
use resup::SegmentSize;
pub use resup_units::bytes;
use resup_units::size;

/// Parses a segment size: a size or `auto`.
pub fn segment(text: &str) -> Result<SegmentSize, String> {
    match text {
        "auto" => Ok(SegmentSize::Automatic),
        text => size(text)
            .map(SegmentSize::Fixed)
            .map_err(|why| tr!("{why}, or as auto", why = sentence(why))),
    }
}

/// Parses a number of uploads at once.
pub fn jobs(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(jobs @ 1..=64) => Ok(jobs),
        _ => Err(tr!("not a number from 1 to 64")),
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

/// Writes the time that something took: `12 ms`, `7 s`, `1:05`.
pub fn taken(taken: Duration) -> String {
    match taken.as_millis() {
        millis @ 0..1000 => format!("{} ms", millis.max(1)),
        _ => time(Duration::from_secs_f64(taken.as_secs_f64().round())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_time_that_something_took_is_in_milliseconds() {
        for (micros, text) in [
            (0, "1 ms"),
            (900, "1 ms"),
            (12_400, "12 ms"),
            (999_999, "999 ms"),
            (1_000_000, "1 s"),
            (1_499_000, "1 s"),
            (1_500_000, "2 s"),
            (65_400_000, "1:05"),
        ] {
            assert_eq!(taken(Duration::from_micros(micros)), text);
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
