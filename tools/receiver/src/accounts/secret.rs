//! Random secrets, and the hashes that the database has of them.

use sha2::{Digest, Sha256};

/// Makes 256 random bits, in hexadecimal.
pub fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// Hashes a random secret for the database. A fast hash is enough, since the secret is too long to be guessed.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
