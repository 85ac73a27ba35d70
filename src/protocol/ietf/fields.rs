//! Items of structured header fields (RFC 9651). Their parameters mean nothing here.

/// Reads an integer that is not negative.
pub(super) fn integer(value: &str) -> Option<u64> {
    let digits = bare(value);
    let is_one = (1..=15).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    digits.parse().ok().filter(|_| is_one)
}

/// Reads a boolean.
pub(super) fn boolean(value: &str) -> Option<bool> {
    match bare(value) {
        "?1" => Some(true),
        "?0" => Some(false),
        _ => None,
    }
}

/// Gives an item without its parameters.
fn bare(value: &str) -> &str {
    let value = value.trim_matches(' ');
    value.split_once(';').map_or(value, |(item, _)| item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_may_have_parameters() {
        for (value, number) in [
            ("5", Some(5)),
            (" 5;x", Some(5)),
            ("0;a=b;c=\"d;e\"", Some(0)),
            ("007", Some(7)),
            ("999999999999999", Some(999_999_999_999_999)),
            ("1000000000000000", None),
            ("-1", None),
            ("+1", None),
            ("1.0", None),
            ("5 ;x", None),
            ("5, 5", None),
            ("\"5\"", None),
            ("", None),
            (";x", None),
        ] {
            assert_eq!(integer(value), number, "{value}");
        }
        for (value, flag) in [
            ("?1;a=b", Some(true)),
            ("?0", Some(false)),
            ("?2", None),
            ("1", None),
            ("true", None),
            ("", None),
        ] {
            assert_eq!(boolean(value), flag, "{value}");
        }
    }
}
