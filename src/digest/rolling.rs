//! The MD5 of the file from its start, kept in step with a position that moves back and forth.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use md5::{Digest as _, Md5};

use super::worker::Feed;
use crate::digest::state_file::{StateFile, Unusable};
use crate::error::Error;
use crate::source::Source;

/// Distance of two marks, and how many are kept: a server's offset usually lies within what the
/// network holds back, far less than these 64 MiB.
const MARK_EVERY: u64 = 1024 * 1024;
const MARKS: usize = 64;

/// Distance of two milestones, and how many are kept for a state file.
const MILESTONE_EVERY: u64 = 64 * 1024 * 1024;
const MILESTONES: usize = 16;
/// Between milestones a state file is written when so much time has passed or so many bytes were
/// confirmed since it was.
const SAVE_EVERY: Duration = Duration::from_secs(1);
const SAVE_AFTER: u64 = 8 * 1024 * 1024;

/// A running MD5 that can go back.
///
/// After a break the server's offset lies somewhere before the last byte sent. Marks, copies of
/// the digest's state, are kept on the way, so that only the bytes from the last mark before
/// that offset have to be read again.
pub(crate) struct Digest {
    /// Without it only the position is kept.
    hashing: bool,
    now: Mark,
    /// The last offset that the server confirmed. It never goes back behind that, unless it
    /// lost data.
    confirmed: Mark,
    recent: VecDeque<Mark>,
    /// Far apart, for a state file and from one.
    milestones: VecDeque<Mark>,
    file: Option<StateFile>,
    /// When the file was written, and what was confirmed then.
    saved: Option<(Instant, u64)>,
    /// Some marks are from the file, and not computed in this run.
    loaded: bool,
}

/// The digest's state after so many bytes.
#[derive(Clone, Default)]
pub(crate) struct Mark {
    pub at: u64,
    pub md5: Md5,
}

impl Digest {
    /// A digest; with a state file, one that knows what was saved there.
    pub(crate) fn new(hashing: bool, file: Option<StateFile>) -> Self {
        Digest {
            hashing,
            now: Mark::default(),
            confirmed: Mark::default(),
            recent: VecDeque::with_capacity(MARKS),
            milestones: VecDeque::new(),
            file,
            saved: None,
            loaded: false,
        }
    }

    /// Takes over what the state file has; says why that is nothing. What is no state file is
    /// left alone from then on.
    pub(crate) fn load(&mut self) -> Result<(), String> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        match file.load() {
            Ok(mut marks) => {
                marks.sort_by_key(|mark| mark.at);
                self.loaded = !marks.is_empty();
                self.milestones = marks.into();
                Ok(())
            }
            Err(Unusable::Stale(why)) => Err(why),
            Err(Unusable::NotOurs(why)) => {
                self.file = None;
                Err(why)
            }
        }
    }

    /// Whether there is a digest at all.
    pub(crate) fn is_hashing(&self) -> bool {
        self.hashing
    }

    /// Whether a state file had something.
    pub(crate) fn was_loaded(&self) -> bool {
        self.loaded
    }

    /// How many bytes have been digested.
    pub(crate) fn at(&self) -> u64 {
        self.now.at
    }

    /// Takes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if self.hashing {
            self.mark();
            self.now.md5.update(bytes);
        }
        self.now.at += bytes.len() as u64;
    }

    fn mark(&mut self) {
        let last = self.recent.back().unwrap_or(&self.confirmed).at;
        if self.now.at < last + MARK_EVERY {
            return;
        }
        push(&mut self.recent, MARKS, &self.now);
        let milestone = self.milestones.back().map_or(0, |mark| mark.at);
        if self.file.is_some() && self.now.at >= milestone + MILESTONE_EVERY {
            push(&mut self.milestones, MILESTONES, &self.now);
            self.save();
        }
    }

    fn save(&mut self) {
        if let Some(file) = &self.file {
            let confirmed = Some(&self.confirmed).filter(|mark| mark.at > 0);
            // It is never needed; a disk that is full is no reason to end an upload.
            let _ = file.save(self.milestones.iter().chain(confirmed));
            self.saved = Some((Instant::now(), self.confirmed.at));
        }
    }

    /// Goes to the nearest known position at or before `offset`; the bytes from there are due.
    pub(crate) fn rewind(&mut self, offset: u64) {
        if !self.hashing {
            self.now.at = offset;
            return;
        }
        let known = |mark: &&Mark| mark.at <= offset;
        let from = [
            self.recent.iter().rfind(known),
            self.milestones.iter().rfind(known),
            Some(&self.confirmed).filter(known),
            Some(&self.now).filter(known),
        ];
        let best = from.into_iter().flatten().max_by_key(|mark| mark.at);
        self.now = best.cloned().unwrap_or_default();
        let before = |mark: &Mark| mark.at <= offset;
        self.recent.retain(before);
        self.milestones.retain(before);
        if self.confirmed.at > offset {
            self.confirmed = Mark::default();
        }
    }

    /// The server holds everything up to here.
    pub(crate) fn confirm(&mut self) {
        self.confirmed = self.now.clone();
        self.recent.clear();
        let at = self.now.at;
        let due = self
            .saved
            .is_none_or(|(then, saved)| then.elapsed() >= SAVE_EVERY || at >= saved + SAVE_AFTER);
        if due && self.now.at > 0 {
            self.save();
        }
    }

    /// Drops all marks, to be made anew from the source. Whether some were from the file.
    pub(crate) fn distrust(&mut self) -> bool {
        let loaded = self.loaded;
        *self = Digest::new(self.hashing, self.file.take());
        loaded
    }

    /// The upload is complete: the state file has done its work.
    pub(crate) fn finish(&mut self) {
        if let Some(file) = self.file.take() {
            file.remove();
        }
    }

    /// The digest so far.
    pub(crate) fn md5(&self) -> [u8; 16] {
        self.now.md5.clone().finalize().into()
    }
}

fn push(marks: &mut VecDeque<Mark>, most: usize, mark: &Mark) {
    while marks.len() >= most {
        marks.pop_front();
    }
    marks.push_back(mark.clone());
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
        let mut digest = Digest::new(true, None);
        assert_eq!(hex(digest.md5()), "d41d8cd98f00b204e9800998ecf8427e");
        digest.update(b"abc");
        assert_eq!(hex(digest.md5()), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn going_back_costs_at_most_the_distance_of_two_marks() {
        let data: Vec<u8> = (0..10_000_000u32).map(|i| (i * 7) as u8).collect();
        let mut digest = Digest::new(true, None);
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
        let mut digest = Digest::new(true, None);
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
            let mut digest = Digest::new(true, None);
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
