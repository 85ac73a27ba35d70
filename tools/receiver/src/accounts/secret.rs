//! Random secrets, and what is kept of them.

use sha2::{Digest, Sha256};

/// 256 random bits in hex.
pub fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// What the database keeps of a random secret: it is too long to be guessed, so a fast hash does.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
