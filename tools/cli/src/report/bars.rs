//! Progress bars on a terminal: one for each upload in progress, one for all.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use resup::{Error, Remote, UploadState, SIZE_UNKNOWN};

use crate::messages::{text, tr};
use crate::report::reporter::Reporter;
use crate::results::{End, Summary};
use crate::tree::Item;
use crate::{stderr, words};

/// The line of an upload.
const BAR: &str = "{prefix:24!} {wide_bar} {msg}";
/// The line of an upload that waits, where the reason needs the space of the bar, and of one whose size is
/// not known.
const WAIT: &str = "{prefix:24!} {wide_msg}";

/// A report with bars. When an upload ends, a line above the bars replaces its bar.
pub struct Bars {
    all: MultiProgress,
    /// The bar for all files, if there are several.
    total: Option<ProgressBar>,
    bars: Mutex<HashMap<PathBuf, ProgressBar>>,
}

impl Bars {
    pub fn new(items: &[Arc<Item>]) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let total = (items.len() > 1).then(|| {
            let style = style(text("{pos} of {len} files ended [{elapsed}]"));
            let bar = all.add(ProgressBar::new(items.len() as u64).with_style(style));
            bar.tick();
            bar
        });
        Bars {
            all,
            total,
            bars: Mutex::default(),
        }
    }

    fn bars(&self) -> MutexGuard<'_, HashMap<PathBuf, ProgressBar>> {
        self.bars.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Writes a line above the bars.
    fn write_line(&self, line: &str) {
        // The uploads continue when the terminal has gone.
        let _ = self.all.println(line);
    }
}

impl Reporter for Bars {
    fn start(&self, item: &Item) {
        let new = ProgressBar::new(item.size).with_style(style(BAR));
        let bar = match &self.total {
            Some(total) => self.all.insert_before(total, new),
            None => self.all.add(new),
        };
        bar.set_prefix(stderr::escape_controls(&item.name));
        bar.tick();
        self.bars().insert(item.path.clone(), bar);
    }

    fn progress(&self, item: &Item, remote: &Remote) {
        if let Some(bar) = self.bars().get(&item.path) {
            let now = remote.snapshot();
            let state = words::state(&now, remote);
            bar.set_length(if item.is_stdin() {
                now.size
            } else {
                now.size.max(item.size)
            });
            bar.set_position(now.position);
            match now.state {
                UploadState::Waiting => {
                    bar.set_style(style(WAIT));
                    bar.set_message(state);
                }
                _ => {
                    let has_bar = now.size != SIZE_UNKNOWN;
                    bar.set_style(style(if has_bar { BAR } else { WAIT }));
                    bar.set_message(format!("{}  {state}", words::progress(&now)));
                }
            }
        }
        if let Some(total) = &self.total {
            total.tick();
        }
    }

    fn end(&self, item: &Item, end: &End) {
        if let Some(bar) = self.bars().remove(&item.path) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        if end.outcome == Err(Error::Cancelled) {
            // The summary says so once for all uploads.
            return;
        }
        if let Some(total) = &self.total {
            total.inc(1);
        }
        match end.outcome {
            Err(_) => self.write_line(&tr!("resup: {text}", text = words::end(item, end))),
            Ok(()) => self.write_line(&words::end(item, end)),
        }
    }

    fn log(&self, line: &str) {
        self.write_line(line);
    }

    fn summary(&self, summary: &Summary) {
        let _ = self.all.clear();
        if let Some(line) = words::summary(summary) {
            stderr::write(&line);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is valid")
        .progress_chars("=> ")
}
