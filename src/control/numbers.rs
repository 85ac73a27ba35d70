//! How far a run is: counted by the engine, read by everybody.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::{lock, Control};
use crate::control::snapshot::{Snapshot, UploadState};

impl Control {
    pub(crate) fn begin(&self, size: u64) {
        self.size.store(size, Relaxed);
    }

    pub(crate) fn attempt(&self) {
        self.attempts.fetch_add(1, Relaxed);
    }

    pub(crate) fn answered(&self, http_status: u16) {
        self.http_status.store(http_status.into(), Relaxed);
    }

    /// The server holds `offset` bytes.
    pub(crate) fn confirmed(&self, offset: u64) {
        if self.over.load(Relaxed) {
            return;
        }
        self.confirmed.store(offset, Relaxed);
        self.position.store(offset, Relaxed);
        // What it has lost since has to be sent after all.
        self.skipped.fetch_min(offset, Relaxed);
    }

    pub(crate) fn skipped(&self, bytes: u64) {
        self.skipped.store(bytes, Relaxed);
    }

    /// `bytes` more have gone to the network.
    pub(crate) fn handed_over(&self, bytes: u64) {
        if self.over.load(Relaxed) {
            return;
        }
        self.position.fetch_add(bytes, Relaxed);
        let sent = self.sent.fetch_add(bytes, Relaxed) + bytes;
        if self.position.load(Relaxed) >= self.size.load(Relaxed) {
            self.enter(UploadState::Verifying);
        }
        lock(&self.meter).sample(Instant::now(), sent);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mail = lock(&self.mail);
        let sent = self.sent.load(Relaxed);
        let rate = match mail.state {
            Some(UploadState::Sending | UploadState::Verifying) => {
                lock(&self.meter).rate(Instant::now(), sent)
            }
            _ => 0,
        };
        let (size, position) = (self.size.load(Relaxed), self.position.load(Relaxed));
        let left = size.saturating_sub(position) as f64;
        Snapshot {
            time_left: match rate {
                0 => None,
                rate => Duration::try_from_secs_f64(left / rate as f64).ok(),
            },
            state: mail.state.unwrap_or(UploadState::Ready),
            size,
            offset: self.confirmed.load(Relaxed),
            position,
            bytes_sent: sent,
            bytes_skipped: self.skipped.load(Relaxed),
            rate,
            attempts: self.attempts.load(Relaxed),
            http_status: match self.http_status.load(Relaxed) {
                0 => None,
                status => u16::try_from(status).ok(),
            },
            retry_in: mail
                .retry_at
                .map(|at| at.saturating_duration_since(Instant::now())),
        }
    }
}
