//! The program's callbacks for one upload.

use crate::control::flow::Flow;
use crate::control::log::{LogLevel, Logger};
use crate::control::snapshot::{Snapshot, UploadState};
use crate::error::Error;

type OnProgress = dyn FnMut(&Snapshot) -> Flow + Send;
type OnState = dyn FnMut(UploadState) -> Flow + Send;
type OnComplete = dyn FnMut(&Result<(), Error>) + Send;

/// The callbacks that are set; the others are `None`.
#[derive(Default)]
pub(super) struct Callbacks {
    /// The client's logger in this run.
    logger: Option<Logger>,
    /// The logger of the run before, until it can be dropped.
    old_logger: Option<Logger>,
    pub progress: Option<Box<OnProgress>>,
    pub state: Option<Box<OnState>>,
    pub complete: Option<Box<OnComplete>>,
}

impl Callbacks {
    /// Sets the logger of the next run; gives its level.
    pub(super) fn set_logger(&mut self, logger: Option<Logger>) -> Option<LogLevel> {
        let level = logger.as_ref().map(|logger| logger.level);
        self.old_logger = std::mem::replace(&mut self.logger, logger);
        level
    }

    /// Drops a logger that was replaced.
    pub(super) fn release(&mut self) {
        self.old_logger = None;
    }

    pub(super) fn log(&self, level: LogLevel, line: &str) -> Flow {
        match &self.logger {
            Some(logger) => (logger.callback)(level, line),
            None => Flow::Continue,
        }
    }

    pub(super) fn progress(&mut self, snapshot: &Snapshot) -> Flow {
        match &mut self.progress {
            Some(callback) => callback(snapshot),
            None => Flow::Continue,
        }
    }

    pub(super) fn state(&mut self, state: UploadState) -> Flow {
        match &mut self.state {
            Some(callback) => callback(state),
            None => Flow::Continue,
        }
    }

    pub(super) fn complete(&mut self, outcome: &Result<(), Error>) {
        if let Some(callback) = &mut self.complete {
            callback(outcome);
        }
    }
}
