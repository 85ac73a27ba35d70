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
    /// How long it took.
    pub time: Duration,
}

/// The sums of the uploads that have ended.
#[derive(Debug, Default)]
pub struct Tally {
    /// The number of all files.
    pub files: usize,
    pub done: usize,
    /// Without those that were cancelled or never started.
    pub failed: usize,
    pub bytes_sent: u64,
    pub bytes_skipped: u64,
    /// The first failure in the order of the command line, with its place there.
    first_failed: Option<(usize, Arc<Item>, End)>,
}

impl Tally {
    /// Begins with `files` uploads, of which none has ended.
    pub fn of(files: usize) -> Self {
        Tally {
            files,
            ..Tally::default()
        }
    }

    /// Adds an upload that has ended.
    pub fn add(&mut self, place: usize, item: &Arc<Item>, end: End) {
        let now = end.remote.snapshot();
        self.bytes_sent += now.bytes_sent;
        self.bytes_skipped += now.bytes_skipped;
        match end.outcome {
            Ok(()) => self.done += 1,
            Err(Error::Cancelled) => {}
            Err(_) => {
                self.failed += 1;
                let first = self.first_failed.as_ref();
                if first.is_none_or(|(first, ..)| place < *first) {
                    self.first_failed = Some((place, item.clone(), end));
                }
            }
        }
    }

    /// The first failure in the order of the command line.
    pub fn first_failed(&self) -> Option<(&Item, &End)> {
        let (_, item, end) = self.first_failed.as_ref()?;
        Some((item, end))
    }

    /// Finds the program's exit code. `signal` is the one for a signal, if there was one.
    pub fn exit(&self, signal: Option<Exit>) -> Exit {
        match (self.first_failed(), signal) {
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
    pub tally: Tally,
    pub time: Duration,
}
