//! The exchanges of a run: how they are ended, and what several at a time have sent.

use super::abort::AbortHandle;
use super::commands::AbortKey;
use super::stop::Interrupted;
use super::Control;

/// The run's side.
impl Control {
    /// Adds the handle by which the program's commands end a blocked exchange.
    pub(crate) fn add_abort(&self, handle: AbortHandle) -> Result<AbortKey, Interrupted> {
        let mut shared = self.lock();
        self.check()?;
        Ok(shared.commands.add_abort(handle))
    }

    /// Drops a handle. Gives whether it was still there, so that the connection was not aborted.
    pub(crate) fn drop_abort(&self, key: AbortKey) -> bool {
        self.lock().commands.drop_abort(key)
    }

    /// Ends all exchanges of the run.
    pub(crate) fn abort_exchanges(&self) {
        let aborts = self.lock().commands.take_aborts();
        abort_all(aborts);
    }

    /// Notes that a part of `bytes` bytes is at the server.
    pub(crate) fn confirm_part(&self, bytes: u64) {
        self.counters.confirm_part(bytes);
    }

    /// Notes that the server has `bytes` of a part that seemed lost: they need not go again.
    pub(crate) fn keep_part(&self, bytes: u64) {
        self.counters.keep_part(bytes);
    }

    /// Notes that `bytes` of a part went to the network, and have to go again.
    pub(crate) fn lose_part(&self, bytes: u64) {
        self.counters.lose_part(bytes);
    }
}

/// Ends exchanges.
pub(super) fn abort_all(aborts: Vec<(AbortKey, AbortHandle)>) {
    for (_, abort) in aborts {
        abort.abort();
    }
}
