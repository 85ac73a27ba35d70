//! The files that checks upload: small, and new in each run.

use md5::{Digest, Md5};

use crate::form::Fields;

/// A file as a client describes it, and its bytes.
#[derive(Clone, Debug)]
pub struct TestFile {
    pub name: String,
    pub dir: String,
    pub mtime: Option<u64>,
    /// The digest for the locate, if it is to have one.
    pub md5: Option<String>,
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

    /// Computes the MD5 of the first bytes.
    pub fn prefix_md5(&self, length: u64) -> String {
        md5_hex(&self.content[..length as usize])
    }

    /// Computes the MD5 of the whole file.
    pub fn whole_md5(&self) -> String {
        md5_hex(&self.content)
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
    pub fn with_md5(&self) -> Self {
        Self {
            md5: Some(self.whole_md5()),
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

/// Computes an MD5, in lower-case hexadecimal.
pub fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// Writes bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
