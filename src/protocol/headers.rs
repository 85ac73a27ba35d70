//! Header fields of requests and responses, for protocols in which they carry what matters.

use crate::error::Error;
use crate::http::secret::Secret;
use crate::http::{limited, Response};

/// Header fields of a request.
pub(super) type Headers = Vec<(String, Secret)>;

/// Makes a header field.
pub(super) fn header(name: &str, value: impl ToString) -> (String, Secret) {
    (name.to_owned(), Secret::new(value.to_string()))
}

/// Reads a number from a header field; `None` where the response does not have it.
pub(super) fn number(response: &Response, name: &str) -> Result<Option<u64>, Error> {
    number_by(response, name, |value| {
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        value.parse().ok().filter(|_| is_number)
    })
}

/// Reads a number from a header field, as `read` reads its value.
pub(super) fn number_by(
    response: &Response,
    name: &str,
    read: impl Fn(&str) -> Option<u64>,
) -> Result<Option<u64>, Error> {
    let mut values = response.values(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let is_single = values.all(|other| other == value);
    match read(&value) {
        Some(number) if is_single => Ok(Some(number)),
        _ => Err(Error::bad_response(format!(
            "its {name} \"{}\" is not one whole number",
            limited(&value)
        ))),
    }
}
