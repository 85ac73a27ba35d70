//! Log lines for the program.

use std::sync::Arc;

use super::flow::Flow;

/// The importance of a log line; the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// An upload has failed.
    Error,
    /// Something unusual, and the upload goes on: a lost connection, a prefix that differs.
    Warn,
    /// The course of an upload.
    Info,
    /// Every step.
    Debug,
}

/// The program's log function.
type Callback = dyn Fn(LogLevel, &str) -> Flow + Send + Sync;

/// The program's log function, and the least important level that it gets.
#[derive(Clone)]
pub(crate) struct Logger {
    pub level: LogLevel,
    pub callback: Arc<Callback>,
}

impl std::fmt::Debug for Logger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Logger({:?})", self.level)
    }
}
