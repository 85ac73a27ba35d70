//! A digest that can go back to an earlier offset.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use resup_digests::{Algorithm, Digest};

use super::checkpoint::Checkpoint;
use super::state_file::{StateFile, Unusable};

/// The distance of two recent checkpoints.
const RECENT_DISTANCE: u64 = 1024 * 1024;
/// How many recent checkpoints there are: together 64 MiB. A server's offset is behind by the bytes
/// that the network still holds, and these are far fewer.
const MAX_RECENT: usize = 64;

/// The distance of two sparse checkpoints, which go into the state file.
const SPARSE_DISTANCE: u64 = 64 * 1024 * 1024;
/// How many sparse checkpoints there are.
const MAX_SPARSE: usize = 16;
/// After this time, a confirmed offset goes into the state file.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// After so many more bytes, a confirmed offset goes into the state file before that time.
const SAVE_BYTES: u64 = 8 * 1024 * 1024;

/// The digest of a file from its start, which can go back to an earlier offset.
///
/// After a lost connection the server's offset is somewhere before the last byte sent. Then only
/// the bytes from the last checkpoint before that offset have to be read again.
pub(crate) struct RollingDigest {
    /// The algorithm; `None` where no digest is computed, and only the position counts.
    algorithm: Option<Algorithm>,
    current: Checkpoint,
    /// The checkpoint at the last offset that the server confirmed. The server never falls back
    /// behind it, unless it loses data.
    confirmed: Checkpoint,
    recent: VecDeque<Checkpoint>,
    /// Checkpoints far apart, for the state file and from it.
    sparse: VecDeque<Checkpoint>,
    file: Option<StateFile>,
    /// When the file was written, and the confirmed offset at that time.
    saved: Option<(Instant, u64)>,
    /// Whether some checkpoints are from the state file, and were not computed in this run.
    loaded: bool,
}

impl RollingDigest {
    /// Makes a digest, or only a position without an algorithm; `file` is where its checkpoints are saved.
    pub(crate) fn new(algorithm: Option<Algorithm>, file: Option<StateFile>) -> Self {
        let start = Checkpoint::start(algorithm.unwrap_or(Algorithm::Md5));
        RollingDigest {
            algorithm,
            current: start.clone(),
            confirmed: start,
            recent: VecDeque::with_capacity(MAX_RECENT),
            sparse: VecDeque::new(),
            file,
            saved: None,
            loaded: false,
        }
    }

    /// Takes the checkpoints of the state file, or gives the reason why there are none. From then on
    /// the algorithm is theirs, if it is one of `offer`. A file that is not a state file is not touched
    /// from then on.
    pub(crate) fn load(&mut self, offer: &[Algorithm]) -> Result<(), String> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        match file.load() {
            Ok(mut checkpoints) => {
                checkpoints.sort_by_key(|checkpoint| checkpoint.at);
                let algorithm = |it: &Checkpoint| it.state.algorithm();
                let last = checkpoints
                    .iter()
                    .map(algorithm)
                    .rfind(|it| offer.contains(it));
                let Some(last) = last else {
                    return Ok(());
                };
                checkpoints.retain(|it| algorithm(it) == last);
                *self = RollingDigest {
                    sparse: checkpoints.into(),
                    loaded: true,
                    ..RollingDigest::new(Some(last), self.file.take())
                };
                Ok(())
            }
            Err(Unusable::Stale(why)) => Err(why),
            Err(Unusable::NotOurs(why)) => {
                file.leave(&why);
                Err(why)
            }
        }
    }

    /// Gives the algorithm, if a digest is computed at all.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// Gives the checkpoint before the first byte.
    fn start(&self) -> Checkpoint {
        Checkpoint::start(self.current.state.algorithm())
    }

    /// Whether checkpoints came from the state file.
    pub(crate) fn was_loaded(&self) -> bool {
        self.loaded
    }

    /// Whether there is a state file.
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// Gives how many bytes have been digested.
    pub(crate) fn at(&self) -> u64 {
        self.current.at
    }

    /// Digests the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if self.algorithm.is_some() {
            self.keep_checkpoints();
            self.current.state.update(bytes);
        }
        self.current.at += bytes.len() as u64;
    }

    fn keep_checkpoints(&mut self) {
        let last_recent = self.recent.back().unwrap_or(&self.confirmed).at;
        if self.current.at < last_recent + RECENT_DISTANCE {
            return;
        }
        push(&mut self.recent, MAX_RECENT, &self.current);
        let last_sparse = self.sparse.back().map_or(0, |checkpoint| checkpoint.at);
        if self.file.is_some() && self.current.at >= last_sparse + SPARSE_DISTANCE {
            push(&mut self.sparse, MAX_SPARSE, &self.current);
            self.save();
        }
    }

    fn save(&mut self) {
        if let Some(file) = &self.file {
            let _ = self.write(file);
            self.saved = Some((Instant::now(), self.confirmed.at));
        }
    }

    /// Writes the state file. (A full disk is no reason to end an upload.)
    fn write(&self, file: &StateFile) -> io::Result<()> {
        let is_digest = |it: &&Checkpoint| self.algorithm.is_some() && it.at > 0;
        let confirmed = Some(&self.confirmed).filter(is_digest);
        file.save(self.sparse.iter().chain(confirmed))
    }

    /// Saves the upload's key, for a later run.
    pub(crate) fn remember(&mut self, protocol: &str, key: &str) -> Result<(), String> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        file.set_upload(protocol, key);
        self.write(file).map_err(|e| {
            let path = file.path().display();
            format!(
                "the state file \"{path}\" cannot be written, so another process begins anew: {e}"
            )
        })
    }

    /// Gives a copy of the state file, to save an upload while the digest is elsewhere.
    pub(crate) fn file(&self) -> Option<StateFile> {
        self.file.clone()
    }

    /// Goes to the nearest checkpoint at or before `offset`; the bytes from there have to be read.
    pub(crate) fn rewind(&mut self, offset: u64) {
        if self.algorithm.is_none() {
            self.current.at = offset;
            return;
        }
        let known = |checkpoint: &&Checkpoint| checkpoint.at <= offset;
        let from = [
            self.recent.iter().rfind(known),
            self.sparse.iter().rfind(known),
            Some(&self.confirmed).filter(known),
            Some(&self.current).filter(known),
        ];
        let best = from
            .into_iter()
            .flatten()
            .max_by_key(|checkpoint| checkpoint.at);
        self.current = best.cloned().unwrap_or_else(|| self.start());
        let before = |checkpoint: &Checkpoint| checkpoint.at <= offset;
        self.recent.retain(before);
        self.sparse.retain(before);
        if self.confirmed.at > offset {
            self.confirmed = self.start();
        }
    }

    /// Notes that the server has everything up to here.
    pub(crate) fn confirm(&mut self) {
        self.confirmed = self.current.clone();
        self.recent.clear();
        self.save_confirmed();
    }

    /// Notes that the server has everything up to `offset`, where the digest may be further.
    pub(crate) fn confirm_up_to(&mut self, offset: u64) {
        if self.current.at <= offset {
            return self.confirm();
        }
        let known = self.recent.iter().rfind(|it| it.at <= offset).cloned();
        if let Some(known) = known.filter(|it| it.at > self.confirmed.at) {
            self.recent.retain(|it| it.at > known.at);
            self.confirmed = known;
            self.save_confirmed();
        }
    }

    /// Saves the confirmed offset, if that is due.
    fn save_confirmed(&mut self) {
        let at = self.confirmed.at;
        let due = self.saved.is_none_or(|(then, saved)| {
            then.elapsed() >= SAVE_INTERVAL || at >= saved + SAVE_BYTES
        });
        if due && at > 0 && self.algorithm.is_some() {
            self.save();
        }
    }

    /// Drops all checkpoints, so that they are made anew from the source. Gives whether some were
    /// from the state file.
    pub(crate) fn invalidate(&mut self) -> bool {
        let loaded = self.loaded;
        *self = RollingDigest::new(self.algorithm, self.file.take());
        loaded
    }

    /// Goes on with another algorithm: from `computed`, if that has it, else from the state file or the
    /// first byte.
    pub(crate) fn change_to(&mut self, algorithm: Algorithm, computed: Option<RollingDigest>) {
        let file = self.file.take();
        if let Some(computed) = computed.filter(|it| it.algorithm == Some(algorithm)) {
            *self = RollingDigest { file, ..computed };
            return;
        }
        *self = RollingDigest::new(Some(algorithm), file);
        // The reason why it cannot be used was told before.
        let _ = self.load(&[algorithm]);
    }

    /// Removes the state file: the upload is complete.
    pub(crate) fn finish(&mut self) {
        if let Some(file) = self.file.take() {
            file.remove();
        }
    }

    /// Gives the digest so far.
    pub(crate) fn digest(&self) -> Digest {
        self.current.state.digest()
    }
}

fn push(queue: &mut VecDeque<Checkpoint>, most: usize, checkpoint: &Checkpoint) {
    while queue.len() >= most {
        queue.pop_front();
    }
    queue.push_back(checkpoint.clone());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn direct(bytes: &[u8]) -> Digest {
        Digest::of(Algorithm::Md5, bytes)
    }

    #[test]
    fn the_digests_are_those_of_the_standard() {
        let mut digest = RollingDigest::new(Some(Algorithm::Md5), None);
        assert_eq!(digest.digest().hex(), "d41d8cd98f00b204e9800998ecf8427e");
        digest.update(b"abc");
        assert_eq!(digest.digest().hex(), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn going_back_costs_at_most_the_distance_of_two_checkpoints() {
        let data: Vec<u8> = (0..10_000_000u32).map(|i| (i * 7) as u8).collect();
        let mut digest = RollingDigest::new(Some(Algorithm::Md5), None);
        for chunk in data.chunks(100_000) {
            digest.update(chunk);
        }
        digest.rewind(7_654_321);
        assert!(digest.at() <= 7_654_321);
        assert!(7_654_321 - digest.at() <= RECENT_DISTANCE + 100_000);
        let at = digest.at() as usize;
        digest.update(&data[at..7_654_321]);
        assert_eq!(digest.digest(), direct(&data[..7_654_321]));
    }

    #[test]
    fn what_the_server_has_goes_into_the_state_file_though_the_digest_is_further() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let file = || StateFile::new(path.clone(), "a 7".to_owned(), "http://h/");
        let mut digest = RollingDigest::new(Some(Algorithm::Blake3), Some(file()));
        let chunk = vec![1; 1 << 20];
        (0..10).for_each(|_| digest.update(&chunk));
        digest.confirm_up_to(chunk.len() as u64 / 2);
        assert!(!path.exists());
        digest.confirm_up_to(5 << 20);
        digest.rewind(5 << 20);
        assert_eq!(digest.at(), 5 << 20);
        let mut saved = RollingDigest::new(Some(Algorithm::Blake3), Some(file()));
        saved.load(&Algorithm::ALL).unwrap();
        saved.rewind(9 << 20);
        assert_eq!((saved.at(), saved.digest()), (5 << 20, digest.digest()));
    }

    #[test]
    fn memory_does_not_grow_with_the_file() {
        let mut digest = RollingDigest::new(Some(Algorithm::Md5), None);
        let chunk = vec![1; 1 << 20];
        for _ in 0..300 {
            digest.update(&chunk);
        }
        assert_eq!(digest.recent.len(), MAX_RECENT);
        digest.rewind(0);
        assert_eq!(digest.at(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_digest_is_right_after_any_moves(
            steps in prop::collection::vec((0usize..4_000_000, 0..4), 1..12),
            algorithm in prop::sample::select(&Algorithm::ALL[..]),
        ) {
            let data: Vec<u8> = (0..4_000_000u32).map(|i| (i ^ (i >> 9)) as u8).collect();
            let mut digest = RollingDigest::new(Some(algorithm), None);
            for (target, confirm) in steps {
                digest.rewind(target as u64);
                while digest.at() < target as u64 {
                    let at = digest.at() as usize;
                    let end = (at + 130_000).min(target);
                    digest.update(&data[at..end]);
                }
                prop_assert_eq!(digest.digest(), Digest::of(algorithm, &data[..target]));
                match confirm {
                    0 => digest.confirm(),
                    1 => digest.confirm_up_to(target as u64 / 2),
                    _ => {}
                }
            }
        }
    }
}
