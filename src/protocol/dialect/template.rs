//! Texts with places for what a request is about, such as `{number}`.

use percent_encoding::{utf8_percent_encode, AsciiSet, CONTROLS};

use crate::protocol::Job;

/// The characters of names that a header field does not take. Servers decode them.
const NO_HEADER: &AsciiSet = &CONTROLS.add(b'"').add(b'\\').add(b'%');

/// The longest template.
const LONGEST: usize = 1000;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Number,
    Index,
    Offset,
    End,
    Length,
    ChunkSize,
    Size,
    Chunks,
    Identifier,
    Uuid,
    Id,
    Name,
    Dir,
    Path,
    Type,
    Mtime,
    User,
}

/// The places, by their names.
const PLACES: [(&str, Place); 17] = [
    ("number", Place::Number),
    ("index", Place::Index),
    ("offset", Place::Offset),
    ("end", Place::End),
    ("length", Place::Length),
    ("chunk_size", Place::ChunkSize),
    ("size", Place::Size),
    ("chunks", Place::Chunks),
    ("identifier", Place::Identifier),
    ("uuid", Place::Uuid),
    ("id", Place::Id),
    ("name", Place::Name),
    ("dir", Place::Dir),
    ("path", Place::Path),
    ("type", Place::Type),
    ("mtime", Place::Mtime),
    ("user", Place::User),
];

/// What a request is about.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub job: &'a Job,
    /// The client's name of the upload: 32 hexadecimal digits.
    pub identifier: &'a str,
    /// The server's name of the upload; the file's, before the server has told one.
    pub id: &'a str,
    pub chunk_size: u64,
    /// The number of chunks in the file.
    pub chunks: u64,
    /// The first byte of the chunk, and how many there are.
    pub offset: u64,
    pub length: u64,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Place(Place),
}

/// A text with places.
#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Piece>);

impl Template {
    /// Reads a template. The error says what it may be.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST || text.contains(['\r', '\n', '\0']) {
            return Err(format!("one line of at most {LONGEST} bytes"));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let known = after.split_once('}').and_then(|(name, after)| {
                let place = PLACES.iter().find(|(known, _)| *known == name)?;
                Some((place.1, after))
            });
            let Some((place, after)) = known else {
                let names: Vec<_> = PLACES.iter().map(|(name, _)| *name).collect();
                return Err(format!(
                    "a text in which these names may be in braces: {}",
                    names.join(", ")
                ));
            };
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Place(place));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Template(pieces))
    }

    /// Whether the text has one of these places.
    pub(super) fn has(&self, places: &[Place]) -> bool {
        let is_one = |piece: &Piece| matches!(piece, Piece::Place(place) if places.contains(place));
        self.0.iter().any(is_one)
    }

    /// Writes the text.
    pub(super) fn fill(&self, values: &Values<'_>) -> String {
        self.write(|place| values.get(place))
    }

    /// Writes the text as a header field has it.
    pub(super) fn fill_header(&self, values: &Values<'_>) -> String {
        let encode = |text: String| utf8_percent_encode(&text, NO_HEADER).to_string();
        self.write(|place| encode(values.get(place)))
    }

    fn write(&self, get: impl Fn(Place) -> String) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Place(place) => get(*place),
        });
        pieces.collect()
    }
}

impl Values<'_> {
    fn get(&self, place: Place) -> String {
        let job = self.job;
        let index = self.offset / self.chunk_size.max(1);
        let number = match place {
            Place::Number => index + 1,
            Place::Index => index,
            Place::Offset => self.offset,
            Place::End => (self.offset + self.length).saturating_sub(1),
            Place::Length => self.length,
            Place::ChunkSize => self.chunk_size,
            Place::Size => job.size,
            Place::Chunks => self.chunks,
            Place::Identifier => return self.identifier.to_owned(),
            Place::Uuid => return uuid(self.identifier),
            Place::Id => return self.id.to_owned(),
            Place::Name => return job.name.clone(),
            Place::Dir => return job.dir.clone(),
            Place::Path if job.dir.is_empty() => return job.name.clone(),
            Place::Path => return format!("{}/{}", job.dir, job.name),
            Place::Type => return job.content_type.clone(),
            Place::Mtime => {
                return job.mtime.map_or(String::new(), |mtime| mtime.to_string());
            }
            Place::User => return job.user.clone().unwrap_or_default(),
        };
        number.to_string()
    }
}

/// Writes 32 hexadecimal digits as a UUID.
fn uuid(digits: &str) -> String {
    let ends = [0, 8, 12, 16, 20, 32];
    let groups = ends.windows(2);
    let groups = groups.map(|at| digits.get(at[0]..at[1]).unwrap_or_default());
    groups.collect::<Vec<_>>().join("-")
}
