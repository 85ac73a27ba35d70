//! The slow hash of passwords.

use anyhow::{anyhow, Context};
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// The room for the memory of a check, in blocks of 1 KiB. Of this size, 33 MiB, an allocator takes memory from the
/// system and gives it back at once. The C library of Linux would keep less for each thread that ever made a check.
/// Only what the hash needs of it is used.
const BLOCKS: usize = 33 * 1024;

/// Hashes a password for the database, which is slow on purpose. The default parameters are those that OWASP
/// recommends: 19 MiB, two passes, one lane.
pub fn hash(password: &str) -> anyhow::Result<String> {
    let result = Argon2::default().hash_password(password.as_bytes());
    let hash = result.map_err(|error| anyhow!("cannot hash a password: {error}"))?;
    Ok(hash.to_string())
}

/// Whether `stored` is a hash of this password. It takes as long as a hash.
pub fn matches(password: &str, stored: &str) -> anyhow::Result<bool> {
    let compare = || -> argon2::password_hash::Result<bool> {
        let stored = PasswordHash::new(stored)?;
        let (Some(salt), Some(wanted)) = (&stored.salt, &stored.hash) else {
            return Ok(false);
        };
        let algorithm = Algorithm::try_from(stored.algorithm.as_str())?;
        let version = stored.version.map(Version::try_from).transpose()?;
        let argon2 = Argon2::new(
            algorithm,
            version.unwrap_or_default(),
            Params::try_from(&stored)?,
        );
        let count = argon2.params().block_count();
        let mut memory = Vec::with_capacity(count.max(BLOCKS));
        memory.resize(count, Block::new());
        let mut found = vec![0; wanted.len()];
        let bytes = password.as_bytes();
        argon2.hash_password_into_with_memory(bytes, salt, &mut found, &mut memory)?;
        // This takes the same time wherever they differ.
        Ok(Output::new(&found)? == *wanted)
    };
    compare()
        .map_err(|error| anyhow!("{error}"))
        .context("cannot use a stored hash of a password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_matches_its_password_only() {
        let stored = hash("correct horse").unwrap();
        assert!(matches("correct horse", &stored).unwrap());
        assert!(!matches("wrong horse", &stored).unwrap());
        assert!(matches("correct horse", "no hash").is_err());
    }
}
