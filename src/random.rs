//! Random numbers from the operating system.

use crate::error::Error;

/// Makes 128 random bits.
pub(crate) fn u128() -> Result<u128, Error> {
    let mut bytes = [0; 16];
    getrandom::getrandom(&mut bytes).map_err(|e| Error::System {
        why: format!("no random numbers: {e}"),
    })?;
    Ok(u128::from_ne_bytes(bytes))
}
