//! The MD5 of the file from its start, kept in step with a position that moves back and forth.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

use md5::{Digest as _, Md5};

use super::hasher::Feed;
use super::source::Source;
use crate::error::Error;

/// Distance of two marks, and how many are kept: a server's offset usually lies within what the
/// network holds back, far less than these 64 MiB.
const MARK_EVERY: u64 = 1024 * 1024;
const MARKS: usize = 64;

/// A running MD5 that can go back.
///
/// After a break the server's offset lies somewhere before the last byte sent. Marks, copies of
/// the digest's state, are kept on the way, so that only the bytes from the last mark before
/// that offset have to be read again.
pub(crate) struct Digest {
    now: Mark,
    /// The last offset that the server confirmed. It never goes back behind that, unless it
    /// lost data.
    confirmed: Mark,
    recent: VecDeque<Mark>,
}

#[derive(Clone, Default)]
struct Mark {
    at: u64,
    md5: Md5,
}

impl Digest {
    pub(crate) fn new() -> Self {
        Digest {
            now: Mark::default(),
            confirmed: Mark::default(),
            recent: VecDeque::with_capacity(MARKS),
        }
    }

    /// How many bytes have been digested.
    pub(crate) fn at(&self) -> u64 {
        self.now.at
    }

    /// Takes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let last = self.recent.back().unwrap_or(&self.confirmed).at;
        if self.now.at >= last + MARK_EVERY {
            if self.recent.len() == MARKS {
                self.recent.pop_front();
            }
            self.recent.push_back(self.now.clone());
        }
        self.now.md5.update(bytes);
        self.now.at += bytes.len() as u64;
    }

    /// Goes to the nearest known position at or before `offset`; the bytes from there are due.
    pub(crate) fn rewind(&mut self, offset: u64) {
        if self.now.at <= offset {
            return;
        }
        while self.recent.back().is_some_and(|mark| mark.at > offset) {
            self.recent.pop_back();
        }
        if self.confirmed.at > offset {
            self.confirmed = Mark::default();
            self.recent.clear();
        }
        self.now = self.recent.back().unwrap_or(&self.confirmed).clone();
    }

    /// The server holds everything up to here.
    pub(crate) fn confirm(&mut self) {
        self.confirmed = self.now.clone();
        self.recent.clear();
    }

    /// The digest so far.
    pub(crate) fn md5(&self) -> [u8; 16] {
        self.now.md5.clone().finalize().into()
    }
}

/// A source whose bytes go past a digest.
pub(crate) struct Digesting<'a, 'f> {
    pub source: &'a mut dyn Source,
    pub feed: &'a mut Feed<'f>,
}

impl Digesting<'_, '_> {
    /// Reads some bytes and digests them.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        let n = self.source.read(buf)?;
        self.feed.update(&buf[..n]);
        Ok(n)
    }
}

/// Lower-case hex, as it goes over the wire.
pub(crate) fn hex(md5: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(md5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn direct(bytes: &[u8]) -> [u8; 16] {
        Md5::digest(bytes).into()
    }

    #[test]
    fn known_digests() {
        let mut digest = Digest::new();
        assert_eq!(hex(digest.md5()), "d41d8cd98f00b204e9800998ecf8427e");
        digest.update(b"abc");
        assert_eq!(hex(digest.md5()), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn going_back_costs_at_most_the_distance_of_two_marks() {
        let data: Vec<u8> = (0..10_000_000u32).map(|i| (i * 7) as u8).collect();
        let mut digest = Digest::new();
        for chunk in data.chunks(100_000) {
            digest.update(chunk);
        }
        digest.rewind(7_654_321);
        assert!(digest.at() <= 7_654_321);
        assert!(7_654_321 - digest.at() <= MARK_EVERY + 100_000);
        let at = digest.at() as usize;
        digest.update(&data[at..7_654_321]);
        assert_eq!(digest.md5(), direct(&data[..7_654_321]));
    }

    #[test]
    fn memory_does_not_grow_with_the_file() {
        let mut digest = Digest::new();
        let chunk = vec![1; 1 << 20];
        for _ in 0..300 {
            digest.update(&chunk);
        }
        assert_eq!(digest.recent.len(), MARKS);
        digest.rewind(0);
        assert_eq!(digest.at(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_walk_ends_in_the_right_digest(
            steps in prop::collection::vec((0usize..4_000_000, any::<bool>()), 1..12),
        ) {
            let data: Vec<u8> = (0..4_000_000u32).map(|i| (i ^ (i >> 9)) as u8).collect();
            let mut digest = Digest::new();
            for (target, confirm) in steps {
                digest.rewind(target as u64);
                while digest.at() < target as u64 {
                    let at = digest.at() as usize;
                    let end = (at + 130_000).min(target);
                    digest.update(&data[at..end]);
                }
                prop_assert_eq!(digest.md5(), direct(&data[..target]));
                if confirm {
                    digest.confirm();
                }
            }
        }
    }
}
