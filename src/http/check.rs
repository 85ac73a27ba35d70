//! Checks of text for one line of HTTP.

use crate::error::Error;

/// Checks text for a header or a form field: one line, not empty.
pub(crate) fn check_line(what: &'static str, value: &str) -> Result<String, Error> {
    let wrong = value
        .chars()
        .find(|c| c.is_control() || (what == "user agent" && !c.is_ascii()));
    match wrong {
        Some(c) => Err(Error::InvalidArgument {
            what,
            why: format!("contains the character {c:?}, which is not allowed there"),
        }),
        None if value.is_empty() => Err(Error::InvalidArgument {
            what,
            why: "must not be empty".to_owned(),
        }),
        None => Ok(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_text_is_one_line() {
        assert!(check_line("user agent", "a\r\nX: y").is_err());
        assert!(check_line("user agent", "ü").is_err());
        assert!(check_line("user", "用户").is_ok());
        assert!(check_line("user", "").is_err());
    }
}
