//! Names with values, in options and in the files that options name.

/// A name and its value.
pub type Pair = (String, String);

/// Parses `NAME=VALUE`.
pub fn pair(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("there is no =; write it as NAME=VALUE".to_owned()),
    }
}

/// Parses `NAME: VALUE`.
pub fn header(text: &str) -> Result<Pair, String> {
    match text.split_once(':') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err("there is no colon; write it as \"NAME: VALUE\"".to_owned()),
    }
}
