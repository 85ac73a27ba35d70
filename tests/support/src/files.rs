//! Test files: deterministic bytes, comparison, digests.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::OnceLock;

use md5::{Digest, Md5};

use crate::seed::mix;

/// The size of the blocks that a pattern consists of. A block is a piece of one random table, chosen by seed
/// and block number, with a stamp at its beginning: copying is fast even without optimisation, and no two
/// blocks are equal.
const BLOCK: usize = 64 * 1024;
const TABLE: usize = 1024 * 1024;

/// The endless stream of pseudo-random bytes that belongs to a seed, readable at any offset.
pub struct Pattern {
    seed: u64,
}

impl Pattern {
    /// Makes the stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Fills `out` with the bytes from `offset` on.
    pub fn fill(&self, offset: u64, out: &mut [u8]) {
        let table = table();
        let mut done = 0;
        while done < out.len() {
            let at = offset + done as u64;
            let block = at / BLOCK as u64;
            let inside = (at % BLOCK as u64) as usize;
            let take = (BLOCK - inside).min(out.len() - done);
            let stamp = mix(self.seed, block);
            let start = (stamp % (TABLE - BLOCK) as u64) as usize + inside;
            let piece = &mut out[done..done + take];
            piece.copy_from_slice(&table[start..start + take]);
            for (place, byte) in stamp.to_le_bytes().iter().enumerate().skip(inside) {
                if let Some(target) = piece.get_mut(place - inside) {
                    *target = *byte;
                }
            }
            done += take;
        }
    }
}

fn table() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let mut bytes = vec![0; TABLE];
        fastrand::Rng::with_seed(0).fill(&mut bytes);
        bytes
    })
}

/// Returns the first `size` bytes of the stream of `seed`.
pub fn bytes(size: usize, seed: u64) -> Vec<u8> {
    let mut out = vec![0; size];
    Pattern::new(seed).fill(0, &mut out);
    out
}

/// Writes a file of `size` bytes, the same for the same seed. A file in the way is replaced.
pub fn make(path: &Path, size: u64, seed: u64) -> io::Result<()> {
    let pattern = Pattern::new(seed);
    let mut file = File::create(path)?;
    let mut buffer = vec![0; 1 << 20];
    let mut offset = 0;
    while offset < size {
        let take = (size - offset).min(buffer.len() as u64) as usize;
        pattern.fill(offset, &mut buffer[..take]);
        file.write_all(&buffer[..take])?;
        offset += take as u64;
    }
    Ok(())
}

/// Finds where two files first differ: `None` when they are equal, else the offset of the first byte
/// that differs or that only one of them has.
pub fn first_difference(left: &Path, right: &Path) -> io::Result<Option<u64>> {
    let (mut left, mut right) = (File::open(left)?, File::open(right)?);
    let (mut a, mut b) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut offset = 0;
    loop {
        let (m, n) = (
            read_full(&mut left, &mut a)?,
            read_full(&mut right, &mut b)?,
        );
        if a[..m] != b[..n] {
            let same = a[..m].iter().zip(&b[..n]).take_while(|(x, y)| x == y);
            return Ok(Some(offset + same.count() as u64));
        }
        if m == 0 {
            return Ok(None);
        }
        offset += m as u64;
    }
}

/// Fails the test when two files differ, and says where.
///
/// # Panics
///
/// When they differ or one cannot be read.
#[track_caller]
pub fn assert_same(left: &Path, right: &Path) {
    match first_difference(left, right) {
        Ok(None) => {}
        Ok(Some(at)) => panic!(
            "{} and {} differ at byte {at}",
            left.display(),
            right.display()
        ),
        Err(error) => panic!(
            "cannot compare {} with {}: {error}",
            left.display(),
            right.display()
        ),
    }
}

/// Computes the MD5 of a file in lower-case hex.
pub fn md5_hex(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    let mut digest = Md5::new();
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            n => digest.update(&buffer[..n]),
        }
    }
}

/// Computes the MD5 of bytes in lower-case hex.
pub fn md5_hex_of(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads until the buffer is full or the file ends.
fn read_full(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}
