//! Durations in messages, as people read them.

use std::time::Duration;

/// Writes a duration in milliseconds, in seconds with one decimal, or in whole seconds.
pub(crate) fn rounded(duration: Duration) -> String {
    let milliseconds = duration.as_nanos().div_ceil(1_000_000);
    let tenths = (milliseconds + 50) / 100;
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..9950 if tenths.is_multiple_of(10) => format!("{} s", tenths / 10),
        1000..9950 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => format!("{} s", (milliseconds + 500) / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_as_many_digits_as_people_read() {
        for (nanoseconds, text) in [
            (0, "0 ms"),
            (1, "1 ms"),
            (300_000_000, "300 ms"),
            (999_000_000, "999 ms"),
            (1_000_000_000, "1 s"),
            (1_234_567_000, "1.2 s"),
            (1_960_000_000, "2 s"),
            (9_949_000_000, "9.9 s"),
            (9_950_000_000, "10 s"),
            (26_923_712_109, "27 s"),
            (120_000_000_000, "120 s"),
        ] {
            assert_eq!(rounded(Duration::from_nanos(nanoseconds)), text);
        }
    }
}
