//! Telling what happens: as bars on a terminal, as lines elsewhere, as JSON for programs.
#![forbid(unsafe_code)]

mod bars;
mod json;
mod lines;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use resup::{Error, Remote, Snapshot, UploadState};

use crate::exit::Exit;
use crate::options::Output;
use crate::tree::Item;

/// One who tells. Called by several threads at once.
pub trait Report: Send + Sync {
    /// An upload begins.
    fn started(&self, item: &Item);
    /// An upload has come to another state.
    fn state(&self, _item: &Item, _state: UploadState, _now: &Snapshot) {}
    /// The numbers of an upload that is under way, about ten times a second.
    fn moved(&self, item: &Item, now: &Snapshot);
    /// An upload has ended, in whatever way.
    fn ended(&self, item: &Item, end: &End);
    /// A line of the log.
    fn say(&self, line: &str);
    /// All have ended.
    fn summary(&self, summary: &Summary);
}

/// How an upload ended.
#[derive(Debug)]
pub struct End {
    pub outcome: Result<(), Error>,
    pub remote: Remote,
    /// How long it took.
    pub time: Duration,
}

/// What became of the uploads so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// All that there are.
    pub files: usize,
    pub done: usize,
    /// Those that were cancelled or never begun are not among them.
    pub failed: usize,
    pub bytes_sent: u64,
    pub bytes_skipped: u64,
    /// The first in the order of the command line, with its place there.
    first_failed: Option<(usize, Arc<Item>, End)>,
}

impl Tally {
    /// None has ended of so many.
    pub fn of(files: usize) -> Self {
        Tally {
            files,
            ..Tally::default()
        }
    }

    /// One has ended.
    pub fn add(&mut self, place: usize, item: &Arc<Item>, end: End) {
        let now = end.remote.snapshot();
        self.bytes_sent += now.bytes_sent;
        self.bytes_skipped += now.bytes_skipped;
        match end.outcome {
            Ok(()) => self.done += 1,
            Err(Error::Cancelled) => {}
            Err(_) => {
                self.failed += 1;
                let known = self.first_failed.as_ref();
                if known.is_none_or(|(first, ..)| place < *first) {
                    self.first_failed = Some((place, item.clone(), end));
                }
            }
        }
    }

    /// The first in the order of the command line.
    pub fn first_failed(&self) -> Option<(&Item, &End)> {
        let (_, item, end) = self.first_failed.as_ref()?;
        Some((item, end))
    }

    /// How the program ends; `asked` is what it ends with if it was asked to end.
    pub fn exit(&self, asked: Option<Exit>) -> Exit {
        match (self.first_failed(), asked) {
            _ if self.done == self.files => Exit::Done,
            (_, Some(asked)) => asked,
            (Some((_, end)), None) => end.outcome.as_ref().map_or_else(Exit::of, |()| Exit::Done),
            (None, None) => Exit::Other,
        }
    }
}

/// What became of all.
#[derive(Debug)]
pub struct Summary {
    pub exit: Exit,
    pub tally: Tally,
    pub time: Duration,
}

/// The one that fits the command line and the terminal.
pub fn choose(output: &Output, items: &[Arc<Item>]) -> Arc<dyn Report> {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if output.json {
        Arc::new(json::Json::default())
    } else if output.quiet || dumb || !io::stderr().is_terminal() {
        Arc::new(lines::Lines::new(output.quiet))
    } else {
        Arc::new(bars::Bars::new(items))
    }
}
