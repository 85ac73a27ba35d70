//! The program's commands to a run.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::abort::AbortHandle;

/// How long a cancelled run may take to end before it is abandoned.
pub(super) const CANCEL_GRACE: Duration = Duration::from_millis(50);

/// The program's last command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Command {
    /// Go on. Every run begins with this command.
    #[default]
    Run,
    /// Pause until the next command.
    Pause,
    /// End. Later commands are ignored.
    Cancel,
}

/// The number of an exchange whose handle is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AbortKey(u64);

/// The current command, and the handles that carry it out at once.
#[derive(Debug, Default)]
pub(super) struct Commands {
    command: Command,
    cancelled_at: Option<Instant>,
    /// The handles of the exchanges that are under way.
    aborts: Vec<(AbortKey, AbortHandle)>,
    /// Counts the exchanges.
    exchanges: u64,
}

impl Commands {
    pub(super) fn current(&self) -> Command {
        self.command
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.command == Command::Cancel
    }

    /// Whether the run has had its time to end since it was cancelled.
    pub(super) fn is_grace_over(&self, now: Instant) -> bool {
        self.cancelled_at.is_some_and(|at| now >= at + CANCEL_GRACE)
    }

    /// Sets the command; gives the handles that end the exchanges, if the command needs that.
    pub(super) fn set(&mut self, command: Command) -> Vec<(AbortKey, AbortHandle)> {
        self.command = command;
        if command == Command::Cancel {
            self.cancelled_at = Some(Instant::now());
        }
        match command {
            Command::Run => Vec::new(),
            Command::Pause | Command::Cancel => self.take_aborts(),
        }
    }

    /// Adds the handle of an exchange.
    pub(super) fn add_abort(&mut self, handle: AbortHandle) -> AbortKey {
        self.exchanges += 1;
        let key = AbortKey(self.exchanges);
        self.aborts.push((key, handle));
        key
    }

    /// Drops the handle of an exchange. Gives whether it was still there, so that nothing was aborted.
    pub(super) fn drop_abort(&mut self, key: AbortKey) -> bool {
        let before = self.aborts.len();
        self.aborts.retain(|(other, _)| *other != key);
        self.aborts.len() < before
    }

    pub(super) fn take_aborts(&mut self) -> Vec<(AbortKey, AbortHandle)> {
        mem::take(&mut self.aborts)
    }
}

/// The command as the run's inner loops see it, without a lock.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// Whether the command is to pause or to end.
    interrupted: AtomicBool,
    /// Whether it was, at some time since the run last asked for the command.
    was_interrupted: AtomicBool,
}

impl Signals {
    pub(super) fn set(&self, command: Command) {
        let interrupted = command != Command::Run;
        self.interrupted.store(interrupted, Relaxed);
        if interrupted {
            self.was_interrupted.store(true, Relaxed);
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Relaxed)
    }

    pub(super) fn was_interrupted(&self) -> bool {
        self.was_interrupted.load(Relaxed)
    }

    /// Clears past interruptions: the run has asked for the command.
    pub(super) fn acknowledge(&self) {
        self.was_interrupted.store(false, Relaxed);
    }
}
