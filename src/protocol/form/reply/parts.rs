//! What a response says about stores and parts.

use resup_digests::{Algorithm, Digest};
use serde_json::Value;

use super::values::{bad, bad_offset, whole_number};
use crate::error::Error;
use crate::http::limited;
use crate::protocol::{Range, State};

/// The most ranges that an answer has.
const MOST_RANGES: usize = 1000;

/// Reads a whole number, if there is one.
pub(super) fn number(value: &Value, name: &str) -> Result<Option<u64>, Error> {
    whole_number(value).map_err(|value| bad(format!("its {name} {value} is not a whole number")))
}

/// Reads the ranges that the server holds behind `offset` of a file of `size` bytes. Those without a
/// digest prove nothing, and are left out.
pub(super) fn ranges(
    ranges: &Value,
    state: State,
    (offset, size): (u64, u64),
    algorithm: Algorithm,
) -> Result<Vec<Range>, Error> {
    let list = match ranges {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list,
        other => {
            let value = limited(&other.to_string());
            return Err(bad(format!("its ranges {value} are not a list")));
        }
    };
    if list.len() > MOST_RANGES {
        let count = list.len();
        return Err(bad(format!(
            "it has {count} ranges, and {MOST_RANGES} is the most that there may be"
        )));
    }
    if state == State::Complete {
        return Ok(Vec::new());
    }
    let mut ranges = Vec::new();
    let mut end = offset;
    for value in list {
        let from = bound(value, "from")?;
        let to = bound(value, "to")?;
        let wrong = match () {
            () if from >= to => Some("has no byte".to_owned()),
            () if to > size => Some(format!("goes past the file's size {size}")),
            () if from < offset => Some(format!("begins before the offset {offset}")),
            () if from < end => Some("overlaps the one before it, or goes backwards".to_owned()),
            () => None,
        };
        if let Some(wrong) = wrong {
            return Err(bad_offset(format!("its range from {from} to {to} {wrong}")));
        }
        end = to;
        let digest = match &value[algorithm.name()] {
            Value::Null => continue,
            Value::String(hex) => Digest::of_hex(algorithm, hex),
            _ => None,
        };
        let Some(digest) = digest else {
            let label = algorithm.label();
            return Err(bad(format!(
                "the digest of its range from {from} to {to} is no {label}"
            )));
        };
        ranges.push(Range { from, to, digest });
    }
    Ok(ranges)
}

fn bound(range: &Value, name: &str) -> Result<u64, Error> {
    match whole_number(&range[name]) {
        Ok(Some(bound)) => Ok(bound),
        Ok(None) => {
            let range = limited(&range.to_string());
            Err(bad(format!("its range {range} has no \"{name}\"")))
        }
        Err(value) => Err(bad(format!(
            "\"{name}\" of a range is {value}, which is not a whole number"
        ))),
    }
}
