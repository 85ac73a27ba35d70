//! The results of uploads, and their sums.

use std::sync::Arc;
use std::time::Duration;

use resup::{Error, Remote};

use crate::exit::Exit;
use crate::tree::Item;

/// The end of an upload.
#[derive(Debug)]
pub struct End {
    pub outcome: Result<(), Error>,
    pub remote: Remote,
    /// Whether the upload was taken back.
    pub discards: bool,
    /// The time that it took.
    pub time: Duration,
}

/// The sums of the uploads that have ended.
#[derive(Debug, Default)]
pub struct Tally {
    /// The number of all files.
    pub files: usize,
    /// The number of files that the server has completely.
    pub done: usize,
    /// The number of failures, without the uploads that were cancelled or not begun.
    pub failed: usize,
    pub bytes_sent: u64,
    pub bytes_skipped: u64,
    /// Whether the server has answered about an upload.
    pub reached: bool,
    /// The first failure in the order of the command line, with its position there.
    first_failure: Option<(usize, Arc<Item>, End)>,
}

impl Tally {
    /// Makes the sums of `files` uploads before the first one has ended.
    pub fn new(files: usize) -> Self {
        Tally {
            files,
            ..Tally::default()
        }
    }

    /// Adds an upload that has ended.
    pub fn add(&mut self, position: usize, item: &Arc<Item>, end: End) {
        let now = end.remote.snapshot();
        self.bytes_sent += now.bytes_sent;
        self.bytes_skipped += now.bytes_skipped;
        self.reached |= end.remote.id().is_some();
        match end.outcome {
            Ok(()) => self.done += 1,
            Err(Error::Cancelled) => {}
            Err(_) => {
                self.failed += 1;
                let first = self.first_failure.as_ref();
                if first.is_none_or(|(first, ..)| position < *first) {
                    self.first_failure = Some((position, item.clone(), end));
                }
            }
        }
    }

    /// Returns the first failure in the order of the command line.
    pub fn first_failure(&self) -> Option<(&Item, &End)> {
        let (_, item, end) = self.first_failure.as_ref()?;
        Some((item, end))
    }

    /// Chooses the program's exit code. `signal` is the exit code for the signal that has arrived,
    /// if any.
    pub fn exit(&self, signal: Option<Exit>) -> Exit {
        match (self.first_failure(), signal) {
            _ if self.done == self.files => Exit::Done,
            (_, Some(exit)) => exit,
            (Some((_, end)), None) => end.outcome.as_ref().map_or_else(Exit::of, |()| Exit::Done),
            (None, None) => Exit::Other,
        }
    }
}

/// The results of all uploads.
#[derive(Debug)]
pub struct Summary {
    pub exit: Exit,
    /// Whether standard input was uploaded.
    pub is_stream: bool,
    pub tally: Tally,
    /// Whether the uploads were taken back.
    pub discards: bool,
    pub time: Duration,
}
