//! The keys of uploads in chunks.

use crate::error::Error;

/// The key of an upload in chunks: what must not change while it is under way.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// Bytes in a chunk.
    pub chunk_size: u64,
    /// The client's name of the upload.
    pub identifier: String,
    /// The server's name of the upload, once it has accepted a chunk.
    pub id: Option<String>,
}

impl Key {
    /// Gives the text of the key.
    pub(super) fn text(&self) -> String {
        let (chunk_size, identifier) = (self.chunk_size, &self.identifier);
        match &self.id {
            Some(id) => format!("{chunk_size}.{identifier}.{id}"),
            None => format!("{chunk_size}.{identifier}"),
        }
    }

    /// Reads the text of a key.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        Some(Key {
            chunk_size: parts.next()?.parse().ok()?,
            identifier: parts.next()?.to_owned(),
            id: parts.next().map(str::to_owned),
        })
    }

    /// Checks that the chunks of an upload that was begun have `chunk_size` bytes.
    pub(super) fn check(self, chunk_size: u64) -> Result<Self, Error> {
        if self.chunk_size == chunk_size {
            return Ok(self);
        }
        Err(Error::InvalidArgument {
            what: "segment size",
            why: format!(
                "is {chunk_size} bytes now, and the upload was begun with chunks of {}, which the server \
                 has; set it to that, or remove the state file to begin anew",
                self.chunk_size
            ),
        })
    }
}
