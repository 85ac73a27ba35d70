//! `resup put`: uploads the files, some at a time, until all are there or the program is to end.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use resup::{Client, Error, Flow, LogLevel, Remote, Upload};

use crate::exit::{Exit, Fault};
use crate::options::Put;
use crate::report::{self, End, Report, Summary, Tally};
use crate::stop::Stop;
use crate::tree::{self, Item};
use crate::{setup, words};

/// How often the numbers are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Uploads what the command line names.
pub fn put(options: &Put) -> Result<Exit, Fault> {
    let client = setup::client(options)?;
    let items: Vec<_> = tree::items(options)?.into_iter().map(Arc::new).collect();
    // Last, since it may ask for a password.
    options.identity.set(&client)?;
    let stop = Stop::listen().map_err(|e| Fault::other(format!("no signal handler: {e}")))?;
    let report = report::choose(&options.output, &items);
    log(options, &client, &report);
    let work = Work {
        options,
        client,
        stop,
        report,
        next: AtomicUsize::new(0),
        tally: Mutex::new(Tally::of(items.len())),
        items,
    };
    Ok(work.run())
}

/// Lets the library's log be told; failures are told apart from it.
fn log(options: &Put, client: &Client, report: &Arc<dyn Report>) {
    let output = &options.output;
    let level = match output.verbose {
        0 if output.quiet || output.json => return,
        0 => LogLevel::Warn,
        1 => LogLevel::Info,
        _ => LogLevel::Debug,
    };
    let report = report.clone();
    client.on_log(level, move |level, line| {
        if level != LogLevel::Error {
            report.say(&words::plain(line));
        }
        Flow::Continue
    });
}

/// The files, and what became of them.
struct Work<'a> {
    options: &'a Put,
    client: Client,
    stop: Stop,
    report: Arc<dyn Report>,
    items: Vec<Arc<Item>>,
    /// The first file that nobody has taken.
    next: AtomicUsize,
    tally: Mutex<Tally>,
}

impl Work<'_> {
    fn run(self) -> Exit {
        let began = Instant::now();
        let workers = self.items.len().min(self.options.transfer.jobs.into());
        thread::scope(|scope| {
            // One of them is this thread.
            for _ in 1..workers {
                scope.spawn(|| self.work());
            }
            self.work();
        });
        let tally = self.tally.into_inner().unwrap_or_else(|e| e.into_inner());
        let summary = Summary {
            exit: tally.exit(self.stop.asked()),
            tally,
            time: began.elapsed(),
        };
        self.report.summary(&summary);
        summary.exit
    }

    /// Uploads one file after the other, until there is none left.
    fn work(&self) {
        while self.stop.asked().is_none() {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = self.items.get(place) else {
                return;
            };
            self.report.started(item);
            let end = self.upload(item);
            self.report.ended(item, &end);
            let mut tally = self.tally.lock().unwrap_or_else(|e| e.into_inner());
            tally.add(place, item, end);
        }
    }

    fn upload(&self, item: &Arc<Item>) -> End {
        let began = Instant::now();
        let (remote, outcome) = match setup::upload(self.options, &self.client, item) {
            Ok(mut upload) => (upload.remote(), self.follow(&mut upload, item)),
            Err(error) => (Remote::default(), Err(error)),
        };
        End {
            outcome,
            remote,
            time: began.elapsed(),
        }
    }

    /// Runs an upload, tells of it, and cancels it when the program is to end.
    fn follow(&self, upload: &mut Upload, item: &Arc<Item>) -> Result<(), Error> {
        let remote = upload.remote();
        let (report, its, of) = (self.report.clone(), remote.clone(), item.clone());
        upload.on_state(move |state| {
            report.state(&of, state, &its.snapshot());
            Flow::Continue
        });
        upload.start()?;
        loop {
            if let Some(outcome) = upload.wait(TICK) {
                return outcome;
            }
            match self.stop.asked() {
                Some(_) => remote.cancel(),
                None => self.report.moved(item, &remote.snapshot()),
            }
        }
    }
}
