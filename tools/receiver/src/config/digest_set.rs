//! The value of --digests: a set of digest algorithms.

use std::fmt;
use std::ops::BitOr;

use resup_digests::Algorithm;

/// A set of algorithms.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct DigestSet([bool; Algorithm::ALL.len()]);

impl DigestSet {
    /// Whether an algorithm is in the set.
    pub fn has(self, algorithm: Algorithm) -> bool {
        self.iter().any(|member| member == algorithm)
    }

    /// Lists the algorithms.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        let members = Algorithm::ALL.into_iter().zip(self.0);
        members.filter(|(_, is_in)| *is_in).map(|(it, _)| it)
    }

    /// Reads the names of algorithms, separated by commas, or `none`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::default());
        }
        text.split(',')
            .map(|name| {
                Algorithm::of_name(name.trim())
                    .ok_or_else(|| "not md5, sha256, blake3, several by commas, or none".to_owned())
            })
            .collect()
    }
}

impl fmt::Debug for DigestSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

impl BitOr<Algorithm> for DigestSet {
    type Output = Self;

    fn bitor(self, algorithm: Algorithm) -> Self {
        self.iter().chain([algorithm]).collect()
    }
}

impl FromIterator<Algorithm> for DigestSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        let mut set = Self::default();
        for algorithm in algorithms {
            let members = Algorithm::ALL.iter().zip(&mut set.0);
            members.for_each(|(it, is_in)| *is_in |= *it == algorithm);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_set_are_read_in_any_order() {
        let set = DigestSet::parse("blake3, md5").unwrap();
        let members: Vec<_> = set.iter().collect();
        assert_eq!(members, [Algorithm::Blake3, Algorithm::Md5]);
        assert_eq!(DigestSet::parse("none").unwrap(), DigestSet::default());
        for bad in ["", "sha1", "md5,", "none,md5", "MD5"] {
            assert!(DigestSet::parse(bad).is_err(), "{bad}");
        }
    }
}
