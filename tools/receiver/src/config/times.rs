//! Times as texts: those of RFC 3339, as `2026-05-31T12:00:00Z`.

use time::format_description::well_known::Rfc3339;
use time::OffsetDateTime;

/// Writes a time, in milliseconds since 1970.
pub fn text(milliseconds: i64) -> String {
    let nanoseconds = i128::from(milliseconds) * 1_000_000;
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok();
    let text = time.and_then(|time| time.format(&Rfc3339).ok());
    // Only what no clock of this time shows.
    text.unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

/// Reads a time, or a day, which begins at midnight in UTC. Returns milliseconds since 1970.
pub fn parse(text: &str) -> Result<i64, String> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    let time = OffsetDateTime::parse(&whole, &Rfc3339);
    let time = time.map_err(|_| "not a day or time such as 2026-05-31 or 2026-05-31T12:00:00Z")?;
    Ok((time.unix_timestamp_nanos() / 1_000_000) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (milliseconds, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_780_228_800_120, "2026-05-31T12:00:00.12Z"),
        ] {
            assert_eq!(text(milliseconds), written);
            assert_eq!(parse(written), Ok(milliseconds));
        }
        assert_eq!(parse("2026-05-31"), Ok(1_780_185_600_000));
        assert_eq!(parse("2026-05-31T14:00:00+02:00"), Ok(1_780_228_800_000));
        for wrong in [
            "",
            "yesterday",
            "2026-5-31",
            "2026-02-30",
            "2026-05-31 12:00",
            "1780228800000",
        ] {
            assert!(parse(wrong).unwrap_err().contains("2026-05-31"), "{wrong}");
        }
    }
}
