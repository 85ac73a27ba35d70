//! A source, and the digest of its beginning.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use resup_digests::{Algorithm, Digest};

use super::proof::Proof;
use super::reading::{self, STEP};
use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::digest::{in_background, RollingDigest};
use crate::error::Error;
use crate::protocol::Range;
use crate::source::Source;

/// The smallest source that is digested ahead. Reading less takes less time than the response.
const MIN_AHEAD: u64 = 8 * 1024 * 1024;
/// The most bytes that are digested ahead: the server may have none of the file.
const MAX_AHEAD: u64 = 256 * 1024 * 1024;

/// A source, and the digest of its beginning.
pub(super) struct HashedSource<'a> {
    pub source: &'a mut dyn Source,
    pub digest: RollingDigest,
    /// The digest of another algorithm, until the server says which one it uses.
    pub spare: Option<RollingDigest>,
    pub proof: Proof,
    pub control: &'a Control,
}

impl HashedSource<'_> {
    /// Reads the source until the digest covers its first `offset` bytes.
    pub(super) fn hash_up_to(&mut self, offset: u64) -> Result<(), Stop> {
        self.hash_both_up_to(offset, None)
    }

    fn hash_both_up_to(
        &mut self,
        offset: u64,
        mut other: Option<&mut RollingDigest>,
    ) -> Result<(), Stop> {
        self.digest.rewind(offset);
        if self.digest.at() == offset {
            return Ok(());
        }
        self.control.enter(UploadState::Hashing);
        let from = self.digest.at();
        in_background(&mut self.digest, offset - from, |sink| {
            let source = &mut *self.source;
            let take = |bytes: &[u8]| {
                sink.update(bytes);
                if let Some(other) = &mut other {
                    other.update(bytes);
                }
            };
            reading::read(source, self.control, (from, offset), take)
        })
    }

    /// Digests the whole source anew, without the state file, in the same pass by another algorithm,
    /// too.
    pub(super) fn hash_whole(&mut self, other: Option<Algorithm>) -> Result<Vec<Digest>, Stop> {
        self.digest.invalidate();
        let mut spare = other.map(|other| RollingDigest::new(Some(other), None));
        self.hash_both_up_to(self.source.size(), spare.as_mut())?;
        self.spare = spare;
        let both = [Some(&self.digest), self.spare.as_ref()];
        Ok(both.into_iter().flatten().map(|it| it.digest()).collect())
    }

    /// Goes on with the algorithm that the server uses. Gives whether it is another one than before.
    pub(super) fn agree(&mut self, algorithm: Algorithm) -> bool {
        let spare = self.spare.take();
        let changes = self.digest.algorithm().is_some_and(|it| it != algorithm);
        if changes {
            self.digest.change_to(algorithm, spare);
        }
        changes
    }

    /// Whether the first `length` bytes of the source have this digest.
    pub(super) fn has_prefix(&mut self, length: u64, digest: Digest) -> Result<bool, Stop> {
        self.agree(digest.algorithm());
        self.hash_up_to(length)?;
        if digest == self.digest.digest() {
            return Ok(true);
        }
        if !self.digest.invalidate() {
            return Ok(false);
        }
        // The state file may be wrong, in spite of its own check.
        self.hash_up_to(length)?;
        Ok(digest == self.digest.digest())
    }

    /// Whether a range of the source has the digest that the server says.
    pub(super) fn has_range(&mut self, range: Range) -> Result<bool, Stop> {
        self.control.enter(UploadState::Hashing);
        has_range(self.source, self.control, range)
    }

    /// Checks that the source still has the bytes that were read.
    pub(super) fn prove(&mut self) -> Result<(), Stop> {
        let digest = self.digest.algorithm().map(|_| self.digest.digest());
        let read = self.digest.at();
        self.proof.check(self.source, self.control, read, digest)
    }

    /// Runs `request`, and meanwhile digests the beginning of a large source. The digest is needed
    /// if the server has that beginning.
    pub(super) fn hash_during<T>(
        &mut self,
        request: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let size = self.source.size();
        let has_digest = self.digest.at() >= MAX_AHEAD || self.digest.was_loaded();
        if has_digest || self.digest.algorithm().is_none() || size < MIN_AHEAD {
            return request();
        }
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            let builder = thread::Builder::new().name("resup-ahead".to_owned());
            let ahead = || self.hash_until(&is_done, size.min(MAX_AHEAD));
            // An error there is dropped: it comes again where the bytes are needed.
            let _ = builder.spawn_scoped(scope, ahead);
            let _guard = SetOnDrop(&is_done);
            request()
        })
    }

    /// Digests the next bytes, up to `end`, until `done` is set.
    fn hash_until(&mut self, done: &AtomicBool, end: u64) -> Result<(), Stop> {
        let mut buf = vec![0; STEP];
        self.source.seek(self.digest.at())?;
        while !done.load(Relaxed) && self.digest.at() < end {
            self.control.check()?;
            let most = (end - self.digest.at()).min(buf.len() as u64) as usize;
            let n = self.source.read(&mut buf[..most])?;
            self.digest.update(&buf[..n]);
        }
        Ok(())
    }
}

/// Whether a range of a source has the digest that the server says.
pub(super) fn has_range(
    source: &mut dyn Source,
    control: &Control,
    range: Range,
) -> Result<bool, Stop> {
    let algorithm = range.digest.algorithm();
    let digest = reading::digest(source, control, (range.from, range.to), algorithm)?;
    Ok(digest == range.digest)
}

/// A guard that sets a flag when it is dropped, also by a panic.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
