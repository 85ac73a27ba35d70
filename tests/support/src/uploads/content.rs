//! Bytes that are held, and their digests.

use crate::digests::State;

/// Bytes, with the states of the digests that somebody asked for.
#[derive(Clone, Default)]
pub(super) struct Content {
    bytes: Vec<u8>,
    states: States,
    /// What the client's digests have proved: this many of the first bytes, and the states after them.
    proved: (usize, States),
}

type States = Vec<(String, State)>;

impl Content {
    /// Makes bytes that are proved or not.
    pub fn new(bytes: Vec<u8>, proved: bool) -> Self {
        let mut content = Self {
            bytes,
            ..Self::default()
        };
        if proved {
            content.prove();
        }
        content
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether all bytes are proved.
    pub fn is_proved(&self) -> bool {
        self.proved.0 == self.bytes.len()
    }

    /// Returns the digest of the bytes in hex. From now on it is kept up to date.
    pub fn hex(&mut self, name: &str) -> String {
        if let Some((_, state)) = self.states.iter().find(|(known, _)| known == name) {
            return state.hex();
        }
        let mut state = State::new(name).expect("a digest of the protocol");
        state.update(&self.bytes);
        let hex = state.hex();
        self.states.push((name.to_owned(), state));
        hex
    }

    pub fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        for (_, state) in &mut self.states {
            state.update(bytes);
        }
    }

    /// Appends bytes that have been held apart.
    pub fn join(&mut self, other: &Content) {
        let proved = self.is_proved() && other.is_proved();
        self.append(&other.bytes);
        if proved {
            self.prove();
        }
    }

    /// Marks all bytes as proved.
    pub fn prove(&mut self) {
        self.proved = (self.bytes.len(), self.states.clone());
    }

    /// Drops the bytes that are not proved.
    pub fn drop_unproved(&mut self) {
        let (length, states) = self.proved.clone();
        self.bytes.truncate(length);
        self.states = states;
    }

    /// Changes the bytes.
    pub fn change<T>(&mut self, change: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let result = change(&mut self.bytes);
        self.states.clear();
        result
    }

    /// Takes no byte for proved any more.
    pub fn forget_proof(&mut self) {
        self.proved = (0, States::new());
    }
}
