//! The digests of a file's first bytes: those that an upload needs. They can be saved and continued later.

use std::panic::resume_unwind;
use std::thread;

use resup_digests::{Algorithm, Digest, State};

use crate::config::digest_set::DigestSet;

/// The algorithms, in the order in which their states are saved.
const ORDER: [Algorithm; 3] = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Blake3];

/// The number of bytes whose digest takes much longer than the start of a thread.
const WORTH_A_THREAD: usize = 128 * 1024;

/// The digests of all bytes so far, at least one.
#[derive(Clone)]
pub struct Digests {
    /// The states, each of another algorithm.
    states: Vec<State>,
}

impl Default for Digests {
    fn default() -> Self {
        Self::new(DigestSet::default())
    }
}

impl Digests {
    /// Begins the digests of a set; MD5 where it is empty.
    pub fn new(set: DigestSet) -> Self {
        let states: Vec<_> = set.iter().map(State::new).collect();
        match states.is_empty() {
            true => Self::new(set | Algorithm::Md5),
            false => Self { states },
        }
    }

    /// Begins the digests of the same set.
    pub fn none_yet(&self) -> Self {
        let begun = |state: &State| State::new(state.algorithm());
        Self {
            states: self.states.iter().map(begun).collect(),
        }
    }

    /// Returns these after the bytes of others; `None` if one of them is not among the others.
    pub fn after(&self, others: &Self) -> Option<Self> {
        let same = |state: &State| {
            let mut states = others.states.iter();
            states
                .find(|it| it.algorithm() == state.algorithm())
                .cloned()
        };
        let states: Option<Vec<_>> = self.states.iter().map(same).collect();
        states.map(|states| Self { states })
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for state in &mut self.states {
            state.update(bytes);
        }
    }

    /// Adds the next bytes, and does `work`: on a thread of its own, where that is worth it, while the slowest digest is
    /// computed.
    pub fn update_beside<R: Send>(
        &mut self,
        bytes: &[u8],
        mut work: impl FnMut() -> R + Send,
    ) -> R {
        let slow = self.states.split_first_mut().filter(|(first, _)| {
            bytes.len() >= WORTH_A_THREAD && first.algorithm() != Algorithm::Blake3
        });
        let Some((slow, others)) = slow else {
            self.update(bytes);
            return work();
        };
        let mut beside = || {
            others.iter_mut().for_each(|state| state.update(bytes));
            work()
        };
        let result = thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, &mut beside);
            slow.update(bytes);
            thread.ok().map(|thread| thread.join())
        });
        match result {
            Some(Ok(result)) => result,
            Some(Err(panic)) => resume_unwind(panic),
            None => beside(),
        }
    }

    /// Adds the state of another algorithm after the same bytes.
    pub fn add(&mut self, state: State) {
        self.states.push(state);
    }

    /// Whether these and others are of the same bytes, as far as they have algorithms in common.
    pub fn agree(&self, others: &Self) -> bool {
        let differs = |state: &State| {
            let other = others.get(state.algorithm());
            other.is_some_and(|other| other != state.digest())
        };
        !self.states.iter().any(differs)
    }

    /// Computes a digest so far; `None` when it is not one of the set.
    pub fn get(&self, algorithm: Algorithm) -> Option<Digest> {
        let state = self.states.iter().find(|it| it.algorithm() == algorithm);
        state.map(State::digest)
    }

    /// Whether none of these is another one than that of the same kind here.
    pub fn match_known(&self, expected: &[Digest]) -> bool {
        expected.iter().all(|expected| {
            let actual = self.get(expected.algorithm());
            actual.is_none_or(|actual| actual == *expected)
        })
    }

    /// Computes a digest so far, in hexadecimal; `None` when it is not one of the set.
    pub fn hex(&self, algorithm: Algorithm) -> Option<String> {
        self.get(algorithm).map(|digest| digest.hex())
    }

    /// Writes the inner states as text, for the database: those of MD5, SHA-256 and BLAKE3, each empty if it is not
    /// one of the set, up to the last one that is.
    pub fn save(&self) -> String {
        let state = |algorithm| self.states.iter().find(|it| it.algorithm() == algorithm);
        let states = ORDER.map(|it| state(it).map_or(String::new(), State::save));
        states.join(":").trim_end_matches(':').to_owned()
    }

    /// Continues from what [`save`](Self::save) wrote; `None` when the text is not such a state.
    pub fn restore(text: &str) -> Option<Self> {
        let texts: Vec<_> = text.split(':').collect();
        if texts.len() > ORDER.len() {
            return None;
        }
        let texts = ORDER.into_iter().zip(texts);
        let states: Option<Vec<_>> = texts
            .filter(|(_, text)| !text.is_empty())
            .map(|(algorithm, text)| State::restore(algorithm, text))
            .collect();
        states
            .filter(|it| !it.is_empty())
            .map(|states| Self { states })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets() -> impl Iterator<Item = DigestSet> {
        let is_in = |bits: usize, n: usize| bits >> n & 1 == 1;
        let members = move |bits| (0..3).filter(move |n| is_in(bits, *n));
        (1..8).map(move |bits| members(bits).map(|n| ORDER[n]).collect())
    }

    fn all(digests: &Digests) -> Vec<Digest> {
        ORDER.iter().filter_map(|it| digests.get(*it)).collect()
    }

    #[test]
    fn a_restored_state_continues_correctly() {
        let bytes: Vec<u8> = (0..3000u32).map(|n| n as u8).collect();
        for set in sets() {
            let mut whole = Digests::new(set);
            whole.update(&bytes);
            assert_eq!(all(&whole).len(), set.iter().count());
            let none = all(&whole.none_yet());
            assert_eq!(none, all(&Digests::new(set)));
            for cut in [0, 1, 63, 64, 65, 127, 128, 1023, 1024, 1025, 2999, 3000] {
                let mut start = Digests::new(set);
                start.update(&bytes[..cut]);
                let mut rest = Digests::restore(&start.save()).unwrap();
                rest.update(&bytes[cut..]);
                assert_eq!(all(&rest), all(&whole), "{set:?} {cut}");
            }
        }
    }

    #[test]
    fn digests_are_the_same_with_work_beside_them() {
        let bytes: Vec<u8> = (0..2 * WORTH_A_THREAD).map(|n| n as u8).collect();
        for set in sets() {
            let (mut alone, mut beside) = (Digests::new(set), Digests::new(set));
            for length in [bytes.len(), 1, WORTH_A_THREAD] {
                alone.update(&bytes[..length]);
                let mut count = 0;
                let done = beside.update_beside(&bytes[..length], || {
                    count += 1;
                    count
                });
                assert_eq!(done, 1);
            }
            assert_eq!(all(&beside), all(&alone), "{set:?}");
        }
    }

    #[test]
    fn an_invalid_state_is_refused() {
        let good = Digests::new(sets().last().unwrap()).save();
        let more = good.clone() + ":";
        for bad in [
            "",
            ":",
            "::",
            "00:00",
            &good[1..],
            &good.replace(':', ""),
            &more,
        ] {
            assert!(Digests::restore(bad).is_none(), "{bad}");
        }
    }
}
