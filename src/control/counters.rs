//! A run's numbers: counted by the run, read by every thread.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::meter::Meter;

/// The numbers of one run.
#[derive(Debug, Default)]
pub(super) struct Counters {
    size: AtomicU64,
    confirmed: AtomicU64,
    position: AtomicU64,
    /// Bytes of lost parts: so many of the next ones were counted in `position` before.
    lost: AtomicU64,
    sent: AtomicU64,
    skipped: AtomicU64,
    attempts: AtomicU32,
    http_status: AtomicU32,
    meter: Mutex<Meter>,
    /// Whether the outcome is known. After that, an abandoned run changes no number.
    frozen: AtomicBool,
}

impl Counters {
    pub(super) fn set_size(&self, size: u64) {
        if !self.is_frozen() {
            self.size.store(size, Relaxed);
        }
    }

    pub(super) fn count_attempt(&self) {
        if !self.is_frozen() {
            self.attempts.fetch_add(1, Relaxed);
            self.lost.store(0, Relaxed);
            // A rate of before the failure or pause says nothing about the flow after it.
            self.meter().reset();
        }
    }

    pub(super) fn set_http_status(&self, status: u16) {
        if !self.is_frozen() {
            self.http_status.store(status.into(), Relaxed);
        }
    }

    pub(super) fn set_skipped(&self, bytes: u64) {
        if !self.is_frozen() {
            self.skipped.store(bytes, Relaxed);
        }
    }

    /// Notes that the server has `offset` bytes.
    pub(super) fn confirm(&self, offset: u64) {
        if self.is_frozen() {
            return;
        }
        self.confirmed.store(offset, Relaxed);
        // The position goes on waiting for the bytes of lost parts.
        let ahead = self.position().saturating_sub(offset);
        let lost = ahead.min(self.lost.load(Relaxed));
        self.position.store(offset + lost, Relaxed);
        self.lost.store(lost, Relaxed);
        // Bytes that the server has lost since then are not skipped after all.
        self.skipped.fetch_min(offset, Relaxed);
    }

    /// Notes that a part of `bytes` bytes is at the server.
    pub(super) fn confirm_part(&self, bytes: u64) {
        if !self.is_frozen() {
            self.confirmed.fetch_add(bytes, Relaxed);
        }
    }

    /// Notes that `bytes` of a part went to the network, and have to go again. The position waits for
    /// them.
    pub(super) fn lose_part(&self, bytes: u64) {
        if !self.is_frozen() {
            self.lost.fetch_add(bytes, Relaxed);
        }
    }

    /// Notes that `bytes` of a part that seemed lost need not go again.
    pub(super) fn keep_part(&self, bytes: u64) {
        if !self.is_frozen() {
            let less = |lost: u64| Some(lost.saturating_sub(bytes));
            let _ = self.lost.fetch_update(Relaxed, Relaxed, less);
        }
    }

    /// Notes that `bytes` more went to the network. Gives whether they were the last ones.
    pub(super) fn count_sent(&self, bytes: u64) -> bool {
        if self.is_frozen() {
            return false;
        }
        let less = |lost: u64| Some(lost.saturating_sub(bytes));
        let lost = self.lost.fetch_update(Relaxed, Relaxed, less);
        let new = bytes.saturating_sub(lost.unwrap_or_default());
        self.position.fetch_add(new, Relaxed);
        let sent = self.sent.fetch_add(bytes, Relaxed) + bytes;
        self.meter().sample(Instant::now(), sent);
        self.position() >= self.size()
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.frozen.load(Relaxed)
    }

    pub(super) fn freeze(&self) {
        self.frozen.store(true, Relaxed);
    }

    pub(super) fn size(&self) -> u64 {
        self.size.load(Relaxed)
    }

    pub(super) fn confirmed(&self) -> u64 {
        self.confirmed.load(Relaxed)
    }

    pub(super) fn position(&self) -> u64 {
        self.position.load(Relaxed)
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    pub(super) fn skipped(&self) -> u64 {
        self.skipped.load(Relaxed)
    }

    pub(super) fn attempts(&self) -> u32 {
        self.attempts.load(Relaxed)
    }

    /// Gives the status of the server's last response; `None` before the first.
    pub(super) fn http_status(&self) -> Option<u16> {
        match self.http_status.load(Relaxed) {
            0 => None,
            status => u16::try_from(status).ok(),
        }
    }

    /// Gives the bytes per second over the last seconds.
    pub(super) fn rate(&self) -> u64 {
        self.meter().rate(Instant::now(), self.sent())
    }

    fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
