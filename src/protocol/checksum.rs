//! The checksum of the bytes of one send, for protocols in which it goes before them.

use resup_digests::{Algorithm, State};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};

/// The algorithm of a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChecksumAlgorithm {
    Sha256,
    Sha512,
    Sha1,
    Md5,
}

/// A checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub algorithm: ChecksumAlgorithm,
    pub bytes: Vec<u8>,
}

impl ChecksumAlgorithm {
    /// All algorithms, the best one first.
    pub(crate) const ALL: [Self; 4] = [Self::Sha256, Self::Sha512, Self::Sha1, Self::Md5];

    /// Gives the name that tus servers use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
        }
    }
}

/// A checksum under way.
pub(crate) struct ChecksumState {
    algorithm: ChecksumAlgorithm,
    inner: Inner,
}

enum Inner {
    Sha(Context),
    Md5(State),
}

impl ChecksumState {
    pub(crate) fn new(algorithm: ChecksumAlgorithm) -> Self {
        let sha = |algorithm| Inner::Sha(Context::new(algorithm));
        let inner = match algorithm {
            ChecksumAlgorithm::Sha256 => sha(&SHA256),
            ChecksumAlgorithm::Sha512 => sha(&SHA512),
            ChecksumAlgorithm::Sha1 => sha(&SHA1_FOR_LEGACY_USE_ONLY),
            ChecksumAlgorithm::Md5 => Inner::Md5(State::new(Algorithm::Md5)),
        };
        ChecksumState { algorithm, inner }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.inner {
            Inner::Sha(context) => context.update(bytes),
            Inner::Md5(state) => state.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Checksum {
        let bytes = match self.inner {
            Inner::Sha(context) => context.finish().as_ref().to_vec(),
            Inner::Md5(state) => state.digest().bytes().to_vec(),
        };
        Checksum {
            algorithm: self.algorithm,
            bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_are_those_of_the_standards() {
        for (algorithm, begin) in ChecksumAlgorithm::ALL.into_iter().zip([
            "ba7816bf8f01cfea",
            "ddaf35a193617aba",
            "a9993e364706816a",
            "900150983cd24fb0",
        ]) {
            let mut state = ChecksumState::new(algorithm);
            state.update(b"a");
            state.update(b"bc");
            let checksum = state.finish();
            let hex: String = checksum
                .bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert!(hex.starts_with(begin), "{} {hex}", algorithm.name());
        }
    }
}
