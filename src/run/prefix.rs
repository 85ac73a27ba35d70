//! The digest of a source's beginning, to be compared and gone on from.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::driver::Engine;
use crate::control::snapshot::UploadState;
use crate::digest::alongside;
use crate::digest::{Digest, Digesting};
use crate::error::Error;
use crate::http::Wire;
use crate::protocol::Answer;

/// The prefix of a file is read in steps of this size for the digest.
const HASH_STEP: usize = 128 * 1024;

/// Smaller files are read in less time than an answer takes.
const WORTH_HASTE: u64 = 8 * 1024 * 1024;
/// No more is digested before the server's answer: it may have nothing of the file.
const MOST_AHEAD: u64 = 256 * 1024 * 1024;

impl Engine<'_> {
    /// Asks the server what it has. Meanwhile the beginning of a large file is digested, as far
    /// as that gets: it is needed if the server has it.
    pub(super) fn locate(
        &mut self,
        wire: &dyn Wire,
        digest: &mut Digest,
        first: bool,
    ) -> Result<Answer, Error> {
        let fresh = first && digest.is_hashing() && digest.at() < MOST_AHEAD;
        if !fresh || digest.was_loaded() || self.job.size < WORTH_HASTE {
            return self.protocol.locate(wire, &self.job);
        }
        let answered = AtomicBool::new(false);
        let (source, control) = (&mut *self.source, self.control);
        let most = self.job.size.min(MOST_AHEAD);
        let ahead = || {
            let mut buf = vec![0; HASH_STEP];
            source.seek(digest.at())?;
            while !answered.load(Ordering::Relaxed) && digest.at() < most {
                control.check()?;
                let left = usize::try_from(most - digest.at()).unwrap_or(usize::MAX);
                let due = left.min(buf.len());
                let n = source.read(&mut buf[..due])?;
                digest.update(&buf[..n]);
            }
            Ok::<_, Error>(())
        };
        thread::scope(|scope| {
            let builder = thread::Builder::new().name("resup-ahead".to_owned());
            // Whatever goes wrong there goes wrong again where the bytes are needed.
            let _ = builder.spawn_scoped(scope, ahead);
            let _answered = Raise(&answered);
            self.protocol.locate(wire, &self.job)
        })
    }

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

/// Raises a flag when it goes, also by a panic.
struct Raise<'a>(&'a AtomicBool);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
