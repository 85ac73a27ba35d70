//! One upload as the database has it.

use serde::Serialize;

use crate::storage::digests::Digests;

/// The state of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The receiver knows the name and has no bytes.
    New,
    /// The receiver has some bytes, or all of them but not yet their digest.
    Partial,
    /// The receiver has all bytes, and their digests match.
    Complete,
}

impl State {
    /// The word for this state in the database.
    pub fn word(self) -> &'static str {
        match self {
            State::New => "new",
            State::Partial => "partial",
            State::Complete => "complete",
        }
    }

    /// Finds the state for a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [State::New, State::Partial, State::Complete]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// The properties by which a file is the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user who uploads it.
    pub owner: String,
    /// The directory, as the client wrote it.
    pub dir: String,
    /// The name.
    pub name: String,
    /// The number of bytes.
    pub size: u64,
    /// The time of the last modification; empty when not given.
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
    /// The state.
    pub state: State,
    /// The path of the finished file below `files`; the id until then.
    pub place: String,
    /// How many bytes are durable, counted from the start without a gap.
    pub offset: u64,
    /// The digests of those bytes.
    pub digests: Digests,
    /// The time of the first locate, in milliseconds since 1970.
    pub created: i64,
    /// The time of the last progress, when this record was read.
    pub changed: i64,
}

impl Record {
    /// Makes a record for a file that has none.
    pub fn new(identity: Identity) -> Result<Self, getrandom::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let id = hex::encode(id);
        Ok(Self {
            place: id.clone(),
            id,
            identity,
            state: State::New,
            offset: 0,
            digests: Digests::default(),
            created: 0,
            changed: 0,
        })
    }

    /// The URL path of the finished file.
    pub fn location(&self) -> String {
        format!("/uploads/{}/file", self.id)
    }
}
