//! The files that checks upload: small, and new in every run.

use md5::{Digest, Md5};

use crate::form::Fields;

/// A file as a client describes it, and its bytes.
#[derive(Clone, Debug)]
pub struct TestFile {
    pub name: String,
    pub dir: String,
    pub mtime: Option<u64>,
    /// Told in the locate.
    pub md5: Option<String>,
    /// More fields for locate and send.
    pub extra: Fields,
    pub content: Vec<u8>,
}

impl TestFile {
    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.content.len() as u64
    }

    /// The place `numerator / denominator` of the way through it.
    pub fn at(&self, numerator: u64, denominator: u64) -> u64 {
        self.size() * numerator / denominator
    }

    /// The digest of its first bytes.
    pub fn prefix_md5(&self, length: u64) -> String {
        md5_hex(&self.content[..length as usize])
    }

    /// The digest of all of it.
    pub fn whole_md5(&self) -> String {
        md5_hex(&self.content)
    }

    /// The same by another name.
    pub fn named(&self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self.clone()
        }
    }

    /// The same in another directory.
    pub fn in_dir(&self, dir: impl Into<String>) -> Self {
        Self {
            dir: dir.into(),
            ..self.clone()
        }
    }

    /// The same, changed at another time.
    pub fn changed_at(&self, mtime: Option<u64>) -> Self {
        Self {
            mtime,
            ..self.clone()
        }
    }

    /// The same, its digest told in the locate.
    pub fn with_md5(&self) -> Self {
        Self {
            md5: Some(self.whole_md5()),
            ..self.clone()
        }
    }

    /// One of the same description with other bytes.
    pub fn with_other_content(&self) -> Self {
        let mut other = self.clone();
        other.content.iter_mut().for_each(|byte| *byte ^= 0x55);
        other
    }

    /// What identifies it, as fields.
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

/// MD5 in lower-case hex.
pub fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
