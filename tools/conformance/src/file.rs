//! The files that checks upload: small, and new in each run.

use md5::{Digest, Md5};
use sha2::Sha256;

use crate::form::Fields;

/// A file as a client describes it, and its bytes.
#[derive(Clone, Debug)]
pub struct TestFile {
    pub name: String,
    pub dir: String,
    pub mtime: Option<u64>,
    /// The digest of the whole file for the locate, if it is to have one.
    pub known: Option<String>,
    /// The digest of version 1.1 with which it is located and sent; a client of 1.0 has none.
    pub agreed: Option<&'static str>,
    /// Additional fields for locate and send.
    pub extra: Fields,
    pub content: Vec<u8>,
}

impl TestFile {
    /// Returns the number of bytes.
    pub fn size(&self) -> u64 {
        self.content.len() as u64
    }

    /// Computes the offset at a fraction of the file.
    pub fn at(&self, numerator: u64, denominator: u64) -> u64 {
        self.size() * numerator / denominator
    }

    /// Returns the name of the digest with which it is sent.
    pub fn digest(&self) -> &'static str {
        self.agreed.unwrap_or("md5")
    }

    /// Computes the digest of a range.
    pub fn digest_of(&self, from: u64, to: u64) -> String {
        digest_hex(self.digest(), &self.content[from as usize..to as usize])
    }

    /// Computes the digest of the first bytes.
    pub fn prefix(&self, length: u64) -> String {
        self.digest_of(0, length)
    }

    /// Computes the digest of the whole file.
    pub fn whole(&self) -> String {
        self.prefix(self.size())
    }

    /// Copies the file under another name.
    pub fn with_name(&self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self.clone()
        }
    }

    /// Copies the file to another directory.
    pub fn with_dir(&self, dir: impl Into<String>) -> Self {
        Self {
            dir: dir.into(),
            ..self.clone()
        }
    }

    /// Copies the file with another modification time.
    pub fn with_mtime(&self, mtime: Option<u64>) -> Self {
        Self {
            mtime,
            ..self.clone()
        }
    }

    /// Copies the file, with its digest in the locate.
    pub fn with_known(&self) -> Self {
        Self {
            known: Some(self.whole()),
            ..self.clone()
        }
    }

    /// Copies the file for a client of 1.1 that uses this digest.
    pub fn agreed(&self, digest: &'static str) -> Self {
        Self {
            agreed: Some(digest),
            ..self.clone()
        }
    }

    /// Makes a file with other bytes and the same name, size and time.
    pub fn with_other_content(&self) -> Self {
        let mut other = self.clone();
        other.content.iter_mut().for_each(|byte| *byte ^= 0x55);
        other
    }

    /// Makes the fields that identify the file.
    pub fn fields(&self) -> Fields {
        let mut fields: Fields = vec![
            ("name".into(), self.name.clone()),
            ("size".into(), self.size().to_string()),
        ];
        if let Some(mtime) = self.mtime {
            fields.push(("mtime".into(), mtime.to_string()));
        }
        fields.push(("dir".into(), self.dir.clone()));
        fields
    }
}

/// The names of the digests, the one that a client likes most first.
pub const DIGESTS: [&str; 3] = ["blake3", "sha256", "md5"];

/// Computes the digest of this name, in lower-case hexadecimal.
pub fn digest_hex(name: &str, bytes: &[u8]) -> String {
    match name {
        "blake3" => hex(blake3::hash(bytes).as_bytes()),
        "sha256" => hex(&Sha256::digest(bytes)),
        _ => md5_hex(bytes),
    }
}

/// Computes an MD5, in lower-case hexadecimal.
pub fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// Writes bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
