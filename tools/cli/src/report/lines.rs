//! Lines on standard error, for logs and pipes: no bars, no escape codes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use resup::{Error, Remote, UploadState};

use crate::exit::Exit;
use crate::messages::tr;
use crate::report::reporter::Reporter;
use crate::results::{End, Summary};
use crate::tree::Item;
use crate::units::bytes;
use crate::{stderr, words};

/// The time between two lines about an upload's progress.
const INTERVAL: Duration = Duration::from_secs(5);

/// A report as plain lines.
pub struct Lines {
    /// Whether only failures are written.
    quiet: bool,
    /// The time of each active upload's last line.
    last_lines: Mutex<HashMap<PathBuf, Instant>>,
}

impl Lines {
    pub fn new(quiet: bool) -> Self {
        Lines {
            quiet,
            last_lines: Mutex::default(),
        }
    }

    fn last_lines(&self) -> MutexGuard<'_, HashMap<PathBuf, Instant>> {
        self.last_lines.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Reporter for Lines {
    fn start(&self, item: &Item) {
        self.last_lines().insert(item.path.clone(), Instant::now());
        if !self.quiet {
            let size = match item.is_stdin() {
                true => tr!("standard input"),
                false => bytes(item.size),
            };
            stderr::write(&tr!("{file}: {size}", file = item.label(), size));
        }
    }

    fn progress(&self, item: &Item, remote: &Remote) {
        let now = remote.snapshot();
        let mut lines = self.last_lines();
        let due = lines
            .get(&item.path)
            .is_none_or(|last| last.elapsed() >= INTERVAL);
        // The log says why an upload waits, and for how long.
        if due && !self.quiet && now.state != UploadState::Waiting {
            lines.insert(item.path.clone(), Instant::now());
            stderr::write(&tr!(
                "{file}: {progress}, {state}",
                file = item.label(),
                progress = words::progress(&now),
                state = words::state(&now, remote)
            ));
        }
    }

    fn end(&self, item: &Item, end: &End) {
        self.last_lines().remove(&item.path);
        match end.outcome {
            Ok(()) if self.quiet => {}
            Ok(()) => stderr::write(&words::end(item, end)),
            // The summary says so once for all uploads.
            Err(Error::Cancelled) => {}
            Err(_) => stderr::error(&words::end(item, end)),
        }
    }

    fn log(&self, line: &str) {
        stderr::write(line);
    }

    fn summary(&self, summary: &Summary) {
        let failed = summary.exit != Exit::Done;
        if let Some(line) = words::summary(summary).filter(|_| failed || !self.quiet) {
            stderr::write(&line);
        }
    }
}
