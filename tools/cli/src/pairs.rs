//! Names with values, in options and in the files that options name.

use crate::messages::tr;

/// A name and its value.
pub type Pair = (String, String);

/// Parses `NAME=VALUE`.
pub fn pair(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(tr!("there is no =; write it as NAME=VALUE")),
    }
}

/// Parses `NAME: VALUE`.
pub fn header(text: &str) -> Result<Pair, String> {
    match text.split_once(':') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(tr!("there is no colon; write it as \"NAME: VALUE\"")),
    }
}
