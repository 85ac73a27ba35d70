//! Digests of whole files, as runs tell them.

use resup::{DigestAlgorithm, Remote};
use resup_digests::{Algorithm, Digest};

/// Gives the digest of the file that an upload tells at its end, by the algorithm that it tells.
fn told(remote: &Remote) -> Option<Digest> {
    let algorithm = match remote.digest_algorithm()? {
        DigestAlgorithm::Automatic => panic!("no algorithm was used"),
        DigestAlgorithm::Blake3 => Algorithm::Blake3,
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
        DigestAlgorithm::Md5 => Algorithm::Md5,
    };
    Digest::of_hex(algorithm, &remote.digest()?)
}

/// Checks that an upload tells the digest of `content`.
pub fn assert_told(remote: &Remote, content: &[u8], case: &str) {
    let told = told(remote).unwrap_or_else(|| panic!("{case}: no digest"));
    assert_eq!(told, Digest::of(told.algorithm(), content), "{case}");
}
