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

/// How all of them ended.
#[derive(Debug)]
pub struct Summary<'a> {
    pub exit: Exit,
    pub files: usize,
    pub done: usize,
    /// Those that were cancelled or never begun are not among them.
    pub failed: usize,
    pub bytes_sent: u64,
    pub bytes_skipped: u64,
    pub time: Duration,
    /// The first in the order of the command line.
    pub first_failed: Option<(&'a Item, &'a End)>,
}

impl<'a> Summary<'a> {
    /// Sums up. `asked` is what the program ends with if it was asked to end.
    pub fn new(
        items: &'a [Arc<Item>],
        ends: &'a [Option<End>],
        asked: Option<Exit>,
        time: Duration,
    ) -> Self {
        let ended = || {
            items
                .iter()
                .map(|i| &**i)
                .zip(ends)
                .filter_map(|(i, e)| Some((i, e.as_ref()?)))
        };
        let failed =
            || ended().filter(|(_, end)| !matches!(end.outcome, Ok(()) | Err(Error::Cancelled)));
        let sum = |number: fn(&Snapshot) -> u64| {
            let numbers = ended().map(|(_, end)| number(&end.remote.snapshot()));
            numbers.sum()
        };
        let done = ended().filter(|(_, end)| end.outcome.is_ok()).count();
        let first_failed = failed().next();
        let exit = match (&first_failed, asked) {
            (None, _) if done == items.len() => Exit::Done,
            (_, Some(asked)) => asked,
            (
                Some((
                    _,
                    End {
                        outcome: Err(error),
                        ..
                    },
                )),
                None,
            ) => Exit::of(error),
            _ => Exit::Other,
        };
        Summary {
            exit,
            files: items.len(),
            done,
            failed: failed().count(),
            bytes_sent: sum(|now| now.bytes_sent),
            bytes_skipped: sum(|now| now.bytes_skipped),
            time,
            first_failed,
        }
    }
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
