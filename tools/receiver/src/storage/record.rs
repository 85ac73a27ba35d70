//! One upload as the database has it.

use resup_digests::{Algorithm, Digest};
use serde::Serialize;

use crate::config::digest_set::DigestSet;
use crate::storage::digests::Digests;
use crate::storage::object::Object;
use crate::storage::ranges::Ranges;

/// The end of the name, in `partial`, of bytes whose record is about to be deleted or added.
pub const WITHDRAWN: &str = ".withdrawn";

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// The digest that tells files of the same name apart: the hex MD5 of the whole file; where no MD5 was given,
    /// another one behind its name and a colon; empty when none was given. In that of an upload that is
    /// [only known by its id](Self::be_known_by) an `@` and the id follow.
    pub key: String,
    /// The hex SHA-256 of the whole file; empty when not given.
    pub sha256: String,
    /// The hex BLAKE3 of the whole file; empty when not given.
    pub blake3: String,
}

impl Identity {
    /// Adds the digests of the whole file that a client gives, where they are not known yet. Returns whether there
    /// were any.
    pub fn learn(&mut self, digests: &[Digest]) -> bool {
        let mut learned = false;
        let mut set = |value: &mut String, new: String| {
            let is_new = value.is_empty();
            if is_new {
                *value = new;
            }
            learned |= is_new;
        };
        // The MD5 is the best key, since older clients know no other one.
        let with_rank = |digest: &&Digest| digest.algorithm();
        if let Some(first) = digests.iter().min_by_key(with_rank) {
            set(&mut self.key, key(first));
        }
        for digest in digests {
            match digest.algorithm() {
                Algorithm::Md5 => {}
                Algorithm::Sha256 => set(&mut self.sha256, digest.hex()),
                Algorithm::Blake3 => set(&mut self.blake3, digest.hex()),
            }
        }
        learned
    }

    /// Makes the upload one that no other request for the same file finds, but only who knows its id, until it is
    /// finished.
    pub fn be_known_by(&mut self, id: &str) {
        self.key.push('@');
        self.key.push_str(id);
    }

    /// Whether only who knows the upload's id finds it.
    pub fn is_known_by_id(&self) -> bool {
        self.key.contains('@')
    }

    /// The hex MD5 of the whole file; empty when not given.
    pub fn md5(&self) -> &str {
        let digest = self.key.split('@').next().unwrap_or("");
        match digest.contains(':') {
            true => "",
            false => digest,
        }
    }

    /// The digests of the whole file that clients gave.
    pub fn digests(&self) -> Vec<Digest> {
        let md5 = Digest::of_hex(Algorithm::Md5, self.md5());
        let sha256 = Digest::of_hex(Algorithm::Sha256, &self.sha256);
        let blake3 = Digest::of_hex(Algorithm::Blake3, &self.blake3);
        [md5, sha256, blake3].into_iter().flatten().collect()
    }
}

/// Writes a digest as the key of a file.
fn key(digest: &Digest) -> String {
    match digest.algorithm() {
        Algorithm::Md5 => digest.hex(),
        other => format!("{}:{}", other.name(), digest.hex()),
    }
}

/// What an upload is in a concatenation of tus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Concat {
    /// An upload of a file, as most are.
    #[default]
    None,
    /// A piece of a file. It is never finished by itself.
    Partial,
    /// A file that was joined from pieces, with the value of the header that named them.
    Final(String),
}

impl Concat {
    const PARTIAL: &str = "partial";
    const FINAL: &str = "final;";

    /// The text for this in the database and in the header; empty where there is nothing to say.
    pub fn text(&self) -> &str {
        match self {
            Self::None => "",
            Self::Partial => Self::PARTIAL,
            Self::Final(text) => text,
        }
    }

    /// Reads such a text.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::None),
            Self::PARTIAL => Some(Self::Partial),
            text => text
                .starts_with(Self::FINAL)
                .then(|| Self::Final(text.to_owned())),
        }
    }

    /// Returns the URLs of the pieces.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        let urls = self.text().strip_prefix(Self::FINAL).unwrap_or("");
        urls.split_ascii_whitespace()
    }
}

/// Where a hook wants a file, in place of where the client does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// The directory.
    pub dir: String,
    /// The name.
    pub name: String,
}

/// The first bytes of a file.
#[derive(Clone, Default)]
pub struct Prefix {
    /// How many they are.
    pub offset: u64,
    /// Their digests.
    pub digests: Digests,
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
    /// What is durable behind them; nothing when the upload is complete.
    pub ranges: Ranges,
    /// What an object store has of an unfinished upload; `None` where the bytes are in the directory.
    pub object: Option<Object>,
    /// The bytes that a digest of the client has proven: none, some or all of them.
    pub proven: Prefix,
    /// Whether the client has not said yet how many bytes the file has; its size is then the room taken for it so far.
    pub is_open: bool,
    /// What it is in a concatenation.
    pub concat: Concat,
    /// The number in the name of its file in `partial`; 0 if it has none.
    pub epoch: i64,
    /// The number of the lease under which this record was read, and may be changed; 0 where there are no other receivers.
    pub lease: i64,
    /// Where a hook wants the file; `None` where it is stored as the client wants it.
    pub renamed: Option<Renamed>,
    /// The time of the first locate, in milliseconds since 1970.
    pub created: i64,
    /// The time of the last progress, when this record was read.
    pub changed: i64,
    /// The time at which the file of a finished upload was found to be gone, when this record was read; 0 if it was not.
    pub gone: i64,
}

impl Record {
    /// Makes a record for a file that has none. Its digests are those of the set.
    pub fn new(identity: Identity, digests: DigestSet) -> Result<Self, getrandom::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let id = hex::encode(id);
        Ok(Self {
            place: id.clone(),
            id,
            identity,
            state: State::New,
            offset: 0,
            digests: Digests::new(digests),
            ranges: Ranges::default(),
            object: None,
            proven: Prefix::default(),
            is_open: false,
            concat: Concat::None,
            epoch: 0,
            lease: 0,
            renamed: None,
            created: 0,
            changed: 0,
            gone: 0,
        })
    }

    /// The name of its file in `partial`.
    pub fn file_name(&self) -> String {
        match self.epoch {
            0 => self.id.clone(),
            epoch => format!("{}.{epoch}", self.id),
        }
    }

    /// Gives it another name, which no former request knows, where there are other receivers.
    pub fn renew_name(&mut self) {
        if self.lease != 0 {
            self.epoch = self.lease;
        }
    }

    /// The name of that file while the record is about to be deleted or added.
    pub fn withdrawn_name(&self) -> String {
        self.file_name() + WITHDRAWN
    }

    /// The name under which the file is stored.
    pub fn name(&self) -> &str {
        self.renamed
            .as_ref()
            .map_or(&self.identity.name, |to| &to.name)
    }

    /// The directory in which the file is stored.
    pub fn dir(&self) -> &str {
        self.renamed
            .as_ref()
            .map_or(&self.identity.dir, |to| &to.dir)
    }

    /// Returns all bytes that are durable.
    pub fn prefix(&self) -> Prefix {
        Prefix {
            offset: self.offset,
            digests: self.digests.clone(),
        }
    }

    /// Returns the bytes to go back to when there are wrong ones: those that are proven, or none where that would be
    /// all.
    pub fn safe_prefix(&self) -> Prefix {
        match self.proven.offset < self.offset {
            true => self.proven.clone(),
            false => Prefix::default(),
        }
    }

    /// Drops the bytes behind a prefix, and the ranges. Where an object store does not have the prefix by itself, all bytes.
    pub fn go_back(&mut self, mut to: Prefix) {
        if let Some(object) = &mut self.object {
            if !object.go_back(to.offset) {
                to = Prefix::default();
                object.go_back(0);
            }
        }
        if self.proven.offset > to.offset {
            self.proven = Prefix::default();
        }
        self.state = State::Partial;
        self.ranges = Ranges::default();
        self.offset = to.offset;
        self.digests = match to.offset {
            0 => self.digests.none_yet(),
            _ => to.digests,
        };
    }

    /// Whether all bytes are there, but not yet a finished file.
    pub fn awaits_finish(&self) -> bool {
        self.state != State::Complete && self.ends_at(self.offset)
    }

    /// Whether a file ends where so many bytes are there. A piece of a file is none.
    pub fn ends_at(&self, offset: u64) -> bool {
        self.concat != Concat::Partial && !self.is_open && offset == self.identity.size
    }

    /// Whether no byte of the file has been kept yet.
    pub fn is_empty(&self) -> bool {
        self.state != State::Complete && self.offset == 0 && self.ranges.is_empty()
    }

    /// What tells the versions of the finished file apart, whatever digests it has. It is short and ASCII.
    pub fn version(&self) -> String {
        format!("{:x}", self.changed)
    }

    /// The URL path of the finished file.
    pub fn location(&self) -> String {
        format!("/uploads/{}/file", self.id)
    }
}
