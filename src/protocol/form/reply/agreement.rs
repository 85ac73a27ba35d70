//! The digest that a response agrees to, and the digest of the bytes in it.

use resup_digests::{Algorithm, Digest};
use serde_json::Value;

use super::values::bad;
use crate::error::Error;
use crate::http::limited;

/// Gives the algorithm that a response agrees to, of those in `offer`. Without a name, or with one that is
/// none of a digest, it is `unnamed`: a server of version 1.0 may have a member of its own there.
///
/// # Errors
/// [`Error::DigestUnavailable`] where the only one of `offer` is another one.
pub(super) fn agreed(
    value: &Value,
    offer: &[Algorithm],
    unnamed: Algorithm,
) -> Result<Algorithm, Error> {
    let named = value.as_str().and_then(Algorithm::of_name);
    let agreed = named.unwrap_or(unnamed);
    match offer {
        [only] if *only != agreed => Err(Error::DigestUnavailable {
            wanted: only.label(),
        }),
        _ if offer.contains(&agreed) => Ok(agreed),
        _ => Ok(unnamed),
    }
}

/// Reads the digest of the bytes that the server has, if there is one.
pub(super) fn prefix(value: &Value, algorithm: Algorithm) -> Result<Option<Digest>, Error> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => limited(text),
        other => limited(&other.to_string()),
    };
    let digest = value
        .as_str()
        .and_then(|hex| Digest::of_hex(algorithm, hex));
    digest.map(Some).ok_or_else(|| {
        let kind = match algorithm {
            Algorithm::Md5 => "an MD5",
            Algorithm::Sha256 => "a SHA-256",
            Algorithm::Blake3 => "a BLAKE3 of 256 bits",
        };
        let name = algorithm.name();
        bad(format!("its prefix_{name} \"{text}\" is not {kind}"))
    })
}
