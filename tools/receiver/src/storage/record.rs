//! One upload as the database knows it.

use serde::Serialize;

use crate::storage::digests::Digests;

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Known by name, no byte has come.
    New,
    /// Some bytes are held, or all of them but not yet judged.
    Partial,
    /// All bytes are held and their digests agreed.
    Complete,
}

impl State {
    /// The word for it in the database.
    pub fn word(self) -> &'static str {
        match self {
            State::New => "new",
            State::Partial => "partial",
            State::Complete => "complete",
        }
    }

    /// The state that a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        [State::New, State::Partial, State::Complete]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// What makes a file the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who uploads.
    pub owner: String,
    /// Where to, as the client wrote it.
    pub dir: String,
    /// What it is called.
    pub name: String,
    /// How many bytes it has.
    pub size: u64,
    /// Its last modification; empty when not given.
    pub mtime: String,
    /// The MD5 of the whole file; empty when not given.
    pub md5: String,
}

/// An upload.
#[derive(Clone)]
pub struct Record {
    /// The receiver's own key.
    pub id: String,
    /// The file, as the client describes it.
    pub identity: Identity,
    /// How far it is.
    pub state: State,
    /// Where the finished file lies; the id until then.
    pub place: String,
    /// Bytes that are durable, from the start, without a gap.
    pub held: u64,
    /// The digests of those bytes.
    pub digests: Digests,
    /// When it was first asked about, in milliseconds since 1970.
    pub created: i64,
    /// When it last got on, as this record was read.
    pub changed: i64,
}

impl Record {
    /// A record for a file that has not been seen before.
    pub fn new(identity: Identity) -> Result<Self, getrandom::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let id = hex::encode(id);
        Ok(Self {
            place: id.clone(),
            id,
            identity,
            state: State::New,
            held: 0,
            digests: Digests::default(),
            created: 0,
            changed: 0,
        })
    }

    /// Where its owner finds the finished file.
    pub fn location(&self) -> String {
        format!("/uploads/{}/file", self.id)
    }
}
