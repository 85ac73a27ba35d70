//! The server's offsets so far, and the claims that they make plausible.

use resup_digests::Digest;

use super::gain::{is_worth, Gain};

/// The knowledge of the server's bytes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The server's last offset; `None` before its first answer.
    confirmed: Option<u64>,
    /// How many bytes the server held at the last answer, those behind a gap included.
    held: u64,
    /// The most that it held so far: only more is progress.
    best: u64,
    /// The highest offset that can be right without proof: the server's first offset, or the end of
    /// the bytes that were sent since.
    plausible: u64,
    /// The digest of the server's bytes, where they are not the source's. The next send makes the
    /// server drop them.
    restart: Option<Digest>,
    /// The bytes that were sent since the last offset.
    sent: u64,
}

impl Evidence {
    pub(super) fn confirmed(&self) -> Option<u64> {
        self.confirmed
    }

    /// Whether the server has not answered in this run.
    pub(super) fn is_first(&self) -> bool {
        self.confirmed.is_none()
    }

    pub(super) fn plausible(&self) -> u64 {
        self.plausible
    }

    pub(super) fn restart(&self) -> Option<Digest> {
        self.restart
    }

    /// Whether an offset without proof cannot be right.
    pub(super) fn is_implausible(&self, offset: u64) -> bool {
        !self.is_first() && self.restart.is_none() && offset > self.plausible
    }

    /// Whether the server's first `offset` bytes are the source's; `equal` is the result of a
    /// comparison. Bytes that were disproved stay so until they are proved or dropped.
    pub(super) fn is_ours(&self, offset: u64, equal: Option<bool>) -> bool {
        equal.unwrap_or(self.restart.is_none() || offset == 0)
    }

    /// Notes that the source was sent from one offset up to another: all of it may be at the server.
    pub(super) fn sent(&mut self, from: u64, to: u64) {
        self.plausible = self.plausible.max(to);
        self.sent += to.saturating_sub(from);
    }

    /// Notes that the server has bytes of the source up to an offset, as was proved.
    pub(super) fn sent_before(&mut self, to: u64) {
        self.plausible = self.plausible.max(to);
    }

    /// Notes that the server got wrong bytes, and fell back to `offset`.
    pub(super) fn fell_back_to(&mut self, offset: u64) {
        self.plausible = self.plausible.min(offset);
    }

    /// Notes that all of the server's bytes come from the last send.
    pub(super) fn restarted(&mut self) {
        self.restart = None;
    }

    /// Notes whether the server's bytes are the source's; `digest` is their digest, where the server
    /// gave one.
    pub(super) fn judge(&mut self, ours: bool, digest: Option<Digest>) {
        self.restart = match ours {
            true => None,
            false => digest.or(self.restart),
        };
    }

    /// Notes that the server holds so many bytes. Gives the difference to the last time.
    pub(super) fn hold(&mut self, held: u64) -> Gain {
        let sent = std::mem::take(&mut self.sent);
        let before = std::mem::replace(&mut self.held, held);
        let gained = held.saturating_sub(self.best);
        self.best = self.best.max(held);
        match self.is_first() {
            true => Gain::default(),
            false => Gain {
                gained,
                wasted: sent.saturating_sub(gained),
                is_worth: is_worth(held.saturating_sub(before), sent),
            },
        }
    }

    /// Sets the server's offset, and how many bytes it holds in all. Gives the difference to the last
    /// time.
    pub(super) fn settle(&mut self, offset: u64, held: u64, ours: bool) -> Gain {
        let gain = self.hold(held);
        self.plausible = match ours {
            true => self.plausible.max(offset),
            false => 0,
        };
        self.confirmed = Some(offset);
        gain
    }
}
