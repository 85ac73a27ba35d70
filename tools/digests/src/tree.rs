//! The state of BLAKE3, which the `blake3` crate's own hasher does not give away.
//!
//! BLAKE3 is a binary tree over chunks of 1 KiB. This state has the values of the complete subtrees to the left, largest
//! first, as the set bits of the number of blocks say, and the bytes behind them.

use blake3::hazmat::{
    merge_subtrees_non_root, merge_subtrees_root, ChainingValue, HasherExt as _, Mode,
};
use blake3::{Hasher, CHUNK_LEN, OUT_LEN};

/// Bytes in a block: so many are collected before they are digested.
const BLOCK: usize = 16 * CHUNK_LEN;
/// Chunks in the largest subtree that is digested at once.
const MOST_CHUNKS: u64 = 256;

/// The state after some bytes.
#[derive(Clone, Default)]
pub struct Tree {
    /// How many bytes the subtrees have, a multiple of the chunk.
    at: u64,
    /// The values of the complete subtrees, the largest first.
    subtrees: Vec<ChainingValue>,
    /// The bytes behind them: never none after the first byte, so that there is always something to the right of a
    /// complete subtree, and only the digest itself is the root.
    tail: Vec<u8>,
}

impl Tree {
    /// Adds the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        let room = BLOCK - self.at as usize % BLOCK;
        if !self.tail.is_empty() {
            let (head, rest) = bytes.split_at(bytes.len().min(room - self.tail.len()));
            self.tail.extend_from_slice(head);
            bytes = rest;
            if bytes.is_empty() {
                return;
            }
            let tail = std::mem::take(&mut self.tail);
            self.push_chunks(&tail);
        }
        if bytes.len() > BLOCK {
            let (chunks, rest) = bytes.split_at((bytes.len() - 1) / BLOCK * BLOCK);
            self.push_chunks(chunks);
            bytes = rest;
        }
        self.tail.extend_from_slice(bytes);
    }

    /// Digests whole chunks, in subtrees as large as their place in the tree allows.
    fn push_chunks(&mut self, mut bytes: &[u8]) {
        while let Some(most) = (bytes.len() / CHUNK_LEN).checked_ilog2() {
            let aligned = ((self.at / CHUNK_LEN as u64) | MOST_CHUNKS).trailing_zeros();
            let (subtree, rest) = bytes.split_at(CHUNK_LEN << aligned.min(most));
            self.push_subtree(subtree);
            bytes = rest;
        }
    }

    /// Digests a complete subtree, and joins it with those to its left that are as large.
    fn push_subtree(&mut self, bytes: &[u8]) {
        let mut value = subtree(self.at, bytes);
        let mut size = bytes.len() as u64;
        self.at += size;
        while self.at.is_multiple_of(2 * size) {
            let left = self.subtrees.pop().expect("the left half is complete");
            value = merge_subtrees_non_root(&left, &value, Mode::Hash);
            size *= 2;
        }
        self.subtrees.push(value);
    }

    /// Gives the digest of the bytes so far.
    pub fn digest(&self) -> [u8; 32] {
        if self.subtrees.is_empty() {
            return blake3::hash(&self.tail).into();
        }
        // The subtrees to the left have the sizes that the tree has only if the tail is within one chunk.
        let state = self.compact();
        let (first, others) = state.subtrees.split_first().expect("there is one");
        let last = subtree(state.at, &state.tail);
        let join = |right, left| merge_subtrees_non_root(left, &right, Mode::Hash);
        let right = others.iter().rev().fold(last, join);
        merge_subtrees_root(first, &right, Mode::Hash).into()
    }

    /// Gives the same state with a tail of at most a chunk.
    fn compact(&self) -> Self {
        let mut state = self.clone();
        let tail = std::mem::take(&mut state.tail);
        let (chunks, rest) = tail.split_at(tail.len().saturating_sub(1) / CHUNK_LEN * CHUNK_LEN);
        state.push_chunks(chunks);
        state.tail.extend_from_slice(rest);
        state
    }

    /// Writes the state: the number of bytes in the subtrees, their values, and the tail.
    pub fn save(&self) -> Vec<u8> {
        let state = self.compact();
        let mut saved = state.at.to_le_bytes().to_vec();
        saved.extend(state.subtrees.iter().flatten());
        saved.extend(state.tail);
        saved
    }

    /// Continues from what [`save`](Self::save) wrote.
    pub fn restore(saved: &[u8]) -> Option<Self> {
        let (at, rest) = saved.split_first_chunk()?;
        let at = u64::from_le_bytes(*at);
        let chunks = at / CHUNK_LEN as u64;
        let (values, tail) = rest.split_at_checked(chunks.count_ones() as usize * OUT_LEN)?;
        let is_valid = at.is_multiple_of(CHUNK_LEN as u64)
            && tail.len() <= CHUNK_LEN
            && (at == 0 || !tail.is_empty());
        let values = values.chunks_exact(OUT_LEN).map(ChainingValue::try_from);
        is_valid.then_some(Tree {
            at,
            subtrees: values.collect::<Result<_, _>>().ok()?,
            tail: tail.to_vec(),
        })
    }
}

/// Digests a subtree that is not the root. `at` is its offset in the file.
fn subtree(at: u64, bytes: &[u8]) -> ChainingValue {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(at).update(bytes);
    hasher.finalize_non_root()
}
