//! The digest of the whole file, while its parts are sent.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, PoisonError};

use super::reading::STEP;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::digest::RollingDigest;
use crate::source::Source;

/// The digest is no further ahead of the server's offset: it can still go back there.
pub(super) const MAX_AHEAD: u64 = 48 << 20;

/// The digest of the file's beginning, which a thread takes further.
pub(super) struct DigestAhead {
    digest: Mutex<RollingDigest>,
    /// How far it may go; `None` when it has to end.
    limit: Mutex<Option<u64>>,
    raised: Condvar,
    /// The server's offset.
    confirmed: AtomicU64,
}

impl DigestAhead {
    pub(super) fn new(digest: RollingDigest) -> Self {
        DigestAhead {
            limit: Mutex::new(Some(digest.at())),
            digest: Mutex::new(digest),
            raised: Condvar::new(),
            confirmed: AtomicU64::new(0),
        }
    }

    /// Gives the digest back.
    pub(super) fn into_digest(self) -> RollingDigest {
        let digest = self.digest.into_inner();
        let mut digest = digest.unwrap_or_else(PoisonError::into_inner);
        digest.confirm_up_to(self.confirmed.into_inner());
        digest
    }

    /// Notes that the server has everything up to an offset.
    pub(super) fn confirm(&self, offset: u64) {
        self.confirmed.store(offset, Relaxed);
    }

    /// Lets the digest go up to an offset.
    pub(super) fn raise(&self, limit: u64) {
        self.set(Some(limit));
    }

    /// Ends the thread.
    pub(super) fn end(&self) {
        self.set(None);
    }

    fn set(&self, limit: Option<u64>) {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = limit;
        self.raised.notify_all();
    }

    /// Waits until the digest may go further than `at`; gives how far, or `None` at the end.
    fn wait(&self, at: u64) -> Option<u64> {
        let limit = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        let is_reached = |limit: &mut Option<u64>| limit.is_some_and(|limit| limit <= at);
        let limit = self.raised.wait_while(limit, is_reached);
        *limit.unwrap_or_else(PoisonError::into_inner)
    }

    /// Digests the source as far as it may, until the end. An error ends it, too; it comes again where
    /// the bytes are needed.
    pub(super) fn run(&self, source: &mut dyn Source, control: &Control) -> Result<(), Stop> {
        let mut digest = self.digest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buf = vec![0; STEP];
        source.seek(digest.at())?;
        while let Some(limit) = self.wait(digest.at()) {
            control.check()?;
            let most = (limit - digest.at()).min(buf.len() as u64) as usize;
            let n = source.read(&mut buf[..most])?;
            digest.update(&buf[..n]);
            digest.confirm_up_to(self.confirmed.load(Relaxed));
        }
        Ok(())
    }
}

/// A guard that ends the thread when it is dropped, also by a panic.
pub(super) struct EndOnDrop<'a>(pub &'a DigestAhead);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
