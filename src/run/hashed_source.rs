//! The source with the digest of its beginning.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::digest::{in_background, HashingReader, RollingDigest};
use crate::error::Error;
use crate::source::Source;

/// How much is read at a time, only to be digested.
const STEP: usize = 128 * 1024;

/// Smaller sources are read in less time than an answer takes.
const MIN_AHEAD: u64 = 8 * 1024 * 1024;
/// No more is digested before the server's answer: it may have nothing of the file.
const MAX_AHEAD: u64 = 256 * 1024 * 1024;

/// A source, and the digest of its beginning.
pub(super) struct HashedSource<'a> {
    pub source: &'a mut dyn Source,
    pub digest: RollingDigest,
    pub control: &'a Control,
}

impl HashedSource<'_> {
    /// Reads the source until the digest covers its first `offset` bytes.
    pub(super) fn hash_up_to(&mut self, offset: u64) -> Result<(), Stop> {
        self.digest.rewind(offset);
        if self.digest.at() == offset {
            return Ok(());
        }
        self.control.enter(UploadState::Hashing);
        self.source.seek(self.digest.at())?;
        let mut left = offset - self.digest.at();
        let mut buf = vec![0; STEP];
        in_background(&mut self.digest, left, |sink| {
            let source = &mut *self.source;
            let mut reader = HashingReader { source, sink };
            while left > 0 {
                self.control.check()?;
                let most = usize::try_from(left).unwrap_or(usize::MAX);
                let most = most.min(buf.len());
                left -= reader.read(&mut buf[..most])? as u64;
            }
            Ok(())
        })
    }

    /// Digests the whole source anew: from its bytes, and not from what a state file says.
    pub(super) fn hash_whole(&mut self) -> Result<[u8; 16], Stop> {
        self.digest.invalidate();
        self.hash_up_to(self.source.size())?;
        Ok(self.digest.md5())
    }

    /// Whether the first `length` bytes of the source have this digest.
    pub(super) fn has_prefix(&mut self, length: u64, md5: [u8; 16]) -> Result<bool, Stop> {
        self.hash_up_to(length)?;
        if md5 == self.digest.md5() {
            return Ok(true);
        }
        if !self.digest.invalidate() {
            return Ok(false);
        }
        // What the state file had may be wrong, in spite of its own check.
        self.hash_up_to(length)?;
        Ok(md5 == self.digest.md5())
    }

    /// Runs `request`, and digests the beginning of a large source meanwhile, as far as that
    /// gets: it is needed if the server has it.
    pub(super) fn hash_during<T>(
        &mut self,
        request: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let size = self.source.size();
        let begun = self.digest.at() >= MAX_AHEAD || self.digest.was_loaded();
        if begun || !self.digest.is_hashing() || size < MIN_AHEAD {
            return request();
        }
        let answered = AtomicBool::new(false);
        thread::scope(|scope| {
            let builder = thread::Builder::new().name("resup-ahead".to_owned());
            let ahead = || self.hash_until(&answered, size.min(MAX_AHEAD));
            // What fails there fails again where the bytes are needed.
            let _ = builder.spawn_scoped(scope, ahead);
            let _answered = SetOnDrop(&answered);
            request()
        })
    }

    /// Digests the next bytes, up to `end`, until `done` is set.
    fn hash_until(&mut self, done: &AtomicBool, end: u64) -> Result<(), Stop> {
        let mut buf = vec![0; STEP];
        self.source.seek(self.digest.at())?;
        while !done.load(Relaxed) && self.digest.at() < end {
            self.control.check()?;
            let left = usize::try_from(end - self.digest.at()).unwrap_or(usize::MAX);
            let most = left.min(buf.len());
            let n = self.source.read(&mut buf[..most])?;
            self.digest.update(&buf[..n]);
        }
        Ok(())
    }
}

/// Sets a flag when it is dropped, also by a panic.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
