//! The digest of a source's beginning, to be compared and gone on from.
#![forbid(unsafe_code)]

use super::Engine;
use crate::body::digest::{Digest, Digesting};
use crate::body::hasher::alongside;
use crate::error::Error;
use crate::snapshot::UploadState;

/// The prefix of a file is read in steps of this size for the digest.
const HASH_STEP: usize = 128 * 1024;

impl Engine<'_> {
    /// Whether the first `length` bytes of the source have this digest.
    pub(super) fn has_prefix(
        &mut self,
        digest: &mut Digest,
        length: u64,
        theirs: [u8; 16],
    ) -> Result<bool, Error> {
        self.hash_up_to(digest, length)?;
        if theirs == digest.md5() {
            return Ok(true);
        }
        if !digest.distrust() {
            return Ok(false);
        }
        // What the state file had may be wrong, in spite of its own check.
        self.hash_up_to(digest, length)?;
        Ok(theirs == digest.md5())
    }

    /// Reads the source until the digest covers its first `offset` bytes.
    pub(super) fn hash_up_to(&mut self, digest: &mut Digest, offset: u64) -> Result<(), Error> {
        digest.rewind(offset);
        if digest.at() == offset {
            return Ok(());
        }
        self.control.enter(UploadState::Hashing);
        self.source.seek(digest.at())?;
        let mut left = offset - digest.at();
        let mut buf = vec![0; HASH_STEP];
        alongside(digest, left, |feed| {
            let source = &mut *self.source;
            let mut digesting = Digesting { source, feed };
            while left > 0 {
                self.control.check()?;
                let most = usize::try_from(left).unwrap_or(usize::MAX);
                let most = most.min(buf.len());
                left -= digesting.read(&mut buf[..most])? as u64;
            }
            Ok(())
        })
    }
}
