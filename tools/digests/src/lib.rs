//! Digests of a file's first bytes, which both ends of an upload compute.
//!
//! A [`State`] takes the bytes in order. It can be saved, and continued by another process without the bytes before
//! it. `tree` has the state of BLAKE3.

mod tree;

use md5::digest::common::hazmat::{SerializableState, SerializedState};
use md5::{Digest as _, Md5};
use sha2::Sha256;

use tree::Tree;

/// A digest algorithm of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5, 128 bits: against accidents only.
    Md5,
    /// SHA-256.
    Sha256,
    /// BLAKE3 with 256 bits, the fastest.
    Blake3,
}

impl Algorithm {
    /// All of them, the best one first.
    pub const ALL: [Algorithm; 3] = [Algorithm::Blake3, Algorithm::Sha256, Algorithm::Md5];

    /// Gives the name that the protocol has for it.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "md5",
            Algorithm::Sha256 => "sha256",
            Algorithm::Blake3 => "blake3",
        }
    }

    /// Gives the name that people know it by.
    pub fn label(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Blake3 => "BLAKE3",
        }
    }

    /// Finds the algorithm with this name of the protocol.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Gives the number of bytes in a digest.
    pub fn length(self) -> usize {
        match self {
            Algorithm::Md5 => 16,
            Algorithm::Sha256 | Algorithm::Blake3 => 32,
        }
    }
}

/// A digest: the algorithm, and its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    /// The result; zeros follow where it is shorter.
    bytes: [u8; 32],
}

impl Digest {
    /// Makes a digest of its bytes; `None` where there are too many or too few.
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        let mut digest = Digest {
            algorithm,
            bytes: [0; 32],
        };
        if bytes.len() != algorithm.length() {
            return None;
        }
        digest.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(digest)
    }

    /// Reads a digest in hexadecimal, in upper or lower case.
    pub fn of_hex(algorithm: Algorithm, text: &str) -> Option<Self> {
        Digest::new(algorithm, &from_hex(text)?)
    }

    /// Digests bytes that are all there.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut state = State::new(algorithm);
        state.update(bytes);
        state.digest()
    }

    /// Gives the algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Gives the result.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.length()]
    }

    /// Gives the result in lower-case hexadecimal.
    pub fn hex(&self) -> String {
        to_hex(self.bytes())
    }
}

/// The state of a digest after some bytes.
#[derive(Clone)]
pub struct State(Inner);

#[derive(Clone)]
enum Inner {
    Md5(Md5),
    Sha256(Sha256),
    Blake3(Box<Tree>),
}

impl State {
    /// Makes the state after no byte.
    pub fn new(algorithm: Algorithm) -> Self {
        State(match algorithm {
            Algorithm::Md5 => Inner::Md5(Md5::new()),
            Algorithm::Sha256 => Inner::Sha256(Sha256::new()),
            Algorithm::Blake3 => Inner::Blake3(Box::default()),
        })
    }

    /// Gives the algorithm.
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Inner::Md5(_) => Algorithm::Md5,
            Inner::Sha256(_) => Algorithm::Sha256,
            Inner::Blake3(_) => Algorithm::Blake3,
        }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Inner::Md5(md5) => md5.update(bytes),
            Inner::Sha256(sha256) => sha256.update(bytes),
            Inner::Blake3(tree) => tree.update(bytes),
        }
    }

    /// Gives the digest of the bytes so far.
    pub fn digest(&self) -> Digest {
        match &self.0 {
            Inner::Md5(md5) => Digest::new(Algorithm::Md5, &md5.clone().finalize()),
            Inner::Sha256(sha256) => Digest::new(Algorithm::Sha256, &sha256.clone().finalize()),
            Inner::Blake3(tree) => Digest::new(Algorithm::Blake3, &tree.digest()),
        }
        .expect("an algorithm gives its number of bytes")
    }

    /// Writes the state in hexadecimal: some 200 digits for MD5 and SHA-256, at most
    /// 4 200 for BLAKE3 (up to 2^40 bytes).
    pub fn save(&self) -> String {
        match &self.0 {
            Inner::Md5(md5) => to_hex(&md5.serialize()),
            Inner::Sha256(sha256) => to_hex(&sha256.serialize()),
            Inner::Blake3(tree) => to_hex(&tree.save()),
        }
    }

    /// Continues from what [`save`](Self::save) wrote; `None` when the text is not such a state.
    pub fn restore(algorithm: Algorithm, text: &str) -> Option<Self> {
        let bytes = from_hex(text)?;
        Some(State(match algorithm {
            Algorithm::Md5 => Inner::Md5(deserialize(&bytes)?),
            Algorithm::Sha256 => Inner::Sha256(deserialize(&bytes)?),
            Algorithm::Blake3 => Inner::Blake3(Box::new(Tree::restore(&bytes)?)),
        }))
    }
}

fn deserialize<D: SerializableState>(bytes: &[u8]) -> Option<D> {
    let mut state = SerializedState::<D>::default();
    if bytes.len() != state.len() {
        return None;
    }
    state.copy_from_slice(bytes);
    D::deserialize(&state).ok()
}

fn to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match *pair {
            [high, low] => Some((digit(high)? * 16 + digit(low)?) as u8),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(length: usize) -> Vec<u8> {
        (0..length as u32)
            .map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8)
            .collect()
    }

    #[test]
    fn the_digests_are_those_of_the_standards() {
        let of = |algorithm| Digest::of(algorithm, b"abc").hex();
        assert_eq!(of(Algorithm::Md5), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(
            of(Algorithm::Sha256),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            of(Algorithm::Blake3),
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
        );
    }

    #[test]
    fn the_tree_has_the_digest_of_the_crate_at_every_boundary() {
        let data = bytes(600_000);
        let block = 16 * 1024;
        let around = |n: usize| [n.saturating_sub(1), n, n + 1];
        let lengths = [
            0,
            1024,
            2048,
            block,
            2 * block,
            3 * block,
            4 * block,
            32 * block,
        ];
        for length in lengths.into_iter().flat_map(around) {
            let digest = Digest::of(Algorithm::Blake3, &data[..length]);
            assert_eq!(
                digest.bytes(),
                blake3::hash(&data[..length]).as_bytes(),
                "{length}"
            );
        }
    }

    #[test]
    fn what_is_no_state_is_refused() {
        for algorithm in Algorithm::ALL {
            let mut state = State::new(algorithm);
            state.update(&bytes(100_000));
            let good = state.save();
            assert!(State::restore(algorithm, &good).is_some());
            for bad in ["", "0", "xy", &good[2..], &format!("{good}0")] {
                assert!(
                    State::restore(algorithm, bad).is_none(),
                    "{algorithm:?} {bad}"
                );
            }
        }
    }

    #[test]
    fn a_saved_state_stays_short() {
        let mut state = State::new(Algorithm::Blake3);
        for _ in 0..64 {
            state.update(&bytes(1 << 20));
        }
        state.update(&bytes(16 * 1024 - 1));
        assert!(state.save().len() <= 4200, "{}", state.save().len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_digest_does_not_depend_on_how_the_bytes_come(
            lengths in prop::collection::vec(0usize..200_000, 1..8),
            saved in any::<bool>(),
        ) {
            let data = bytes(lengths.iter().sum());
            for algorithm in Algorithm::ALL {
                let mut state = State::new(algorithm);
                let mut rest = &data[..];
                for length in &lengths {
                    let (next, others) = rest.split_at(*length);
                    state.update(next);
                    rest = others;
                    if saved {
                        state = State::restore(algorithm, &state.save()).unwrap();
                    }
                    let so_far = &data[..data.len() - rest.len()];
                    prop_assert_eq!(state.digest(), Digest::of(algorithm, so_far));
                }
                if algorithm == Algorithm::Blake3 {
                    let whole = Digest::new(algorithm, blake3::hash(&data).as_bytes());
                    prop_assert_eq!(Some(state.digest()), whole);
                }
            }
        }
    }
}
