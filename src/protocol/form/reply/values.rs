//! What all parts of a response are read with.

use serde_json::Value;

use crate::error::Error;
use crate::http::limited;

/// The largest whole number up to which every number of a JSON reader is exact.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a number of bytes, if there is one: also one in quotes, or with an empty fraction, where
/// it is exact. Any other value is given back as text.
pub(super) fn whole_number(value: &Value) -> Result<Option<u64>, String> {
    let exact = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            let is_exact = float.fract() == 0.0 && (0.0..LARGEST_EXACT).contains(&float);
            is_exact.then_some(float as u64)
        }),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    exact.map(Some).ok_or_else(|| limited(&value.to_string()))
}

pub(super) fn bad(why: String) -> Error {
    Error::bad_response(why)
}

pub(super) fn bad_offset(why: String) -> Error {
    Error::BadOffset { why }
}
