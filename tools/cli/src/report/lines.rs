//! Lines on standard error, for logs and pipes: no bars, no escape codes.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use resup::{Error, Snapshot, UploadState};

use super::{End, Report, Summary};
use crate::exit::Exit;
use crate::tree::Item;
use crate::units::bytes;
use crate::words;

/// How often an upload's progress is told.
const PERIOD: Duration = Duration::from_secs(5);

/// Writes lines.
pub struct Lines {
    /// Only failures.
    quiet: bool,
    /// When something was last told of the uploads that are under way.
    told: Mutex<HashMap<PathBuf, Instant>>,
}

impl Lines {
    pub fn new(quiet: bool) -> Self {
        Lines {
            quiet,
            told: Mutex::default(),
        }
    }

    fn told(&self) -> MutexGuard<'_, HashMap<PathBuf, Instant>> {
        self.told.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Report for Lines {
    fn started(&self, item: &Item) {
        self.told().insert(item.path.clone(), Instant::now());
        if !self.quiet {
            words::write(&format!("{}: {}", item.label(), bytes(item.size)));
        }
    }

    fn moved(&self, item: &Item, now: &Snapshot) {
        let mut told = self.told();
        let due = told
            .get(&item.path)
            .is_none_or(|last| last.elapsed() >= PERIOD);
        // That it waits, and for how long, is told by the log.
        if due && !self.quiet && now.state != UploadState::Waiting {
            told.insert(item.path.clone(), Instant::now());
            words::write(&format!(
                "{}: {} of {}, {}",
                item.label(),
                bytes(now.position),
                bytes(now.size),
                words::state(now)
            ));
        }
    }

    fn ended(&self, item: &Item, end: &End) {
        self.told().remove(&item.path);
        match end.outcome {
            Ok(()) if self.quiet => {}
            Ok(()) => words::write(&words::end(item, end)),
            // It is told once, of all.
            Err(Error::Cancelled) => {}
            Err(_) => words::complain(&words::end(item, end)),
        }
    }

    fn say(&self, line: &str) {
        words::write(line);
    }

    fn summary(&self, summary: &Summary) {
        let failed = summary.exit != Exit::Done;
        if let Some(line) = words::summary(summary).filter(|_| failed || !self.quiet) {
            words::write(&line);
        }
    }
}
