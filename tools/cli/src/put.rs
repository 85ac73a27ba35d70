//! `resup put`: uploads the files, or takes them back, a few at a time, until all are done or the program
//! has to end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use resup::{Client, Error, Flow, LogLevel, Remote, Upload};

use crate::exit::{Exit, Fault};
use crate::messages::{sentence, text, tr};
use crate::options::Put;
use crate::report;
use crate::report::reporter::Reporter;
use crate::results::{End, Summary, Tally};
use crate::state::StateFiles;
use crate::stop::Stop;
use crate::tree::{self, Item};
use crate::{setup, stderr};

/// The interval at which signals and progress are checked.
const TICK: Duration = Duration::from_millis(100);

/// Uploads the files of the command line.
pub fn put(options: &Put) -> Result<Exit, Fault> {
    let client = setup::client(options)?;
    let items: Vec<_> = tree::items(options)?.into_iter().map(Arc::new).collect();
    // After all checks, since it may ask for a password.
    let unchecked = options.transfer.without_checks();
    options.identity.set(&client, unchecked)?;
    let stop = Stop::listen()
        .map_err(|e| Fault::other(tr!("no signal handler: {why}", why = sentence(e))))?;
    let report = report::choose(&options.output, &items);
    log(options, &client, &report);
    let states = StateFiles::find(options.transfer.protocol);
    states.delete_old();
    if !options.output.quiet && !options.output.json {
        states
            .warning()
            .iter()
            .for_each(|line| report.log(text(line)));
    }
    let uploads = Uploads {
        options,
        client,
        states,
        stop,
        report,
        next: AtomicUsize::new(0),
        tally: Mutex::new(Tally::new(items.len())),
        items,
    };
    Ok(uploads.run())
}

/// Passes the library's log to the report, except errors, which the report describes itself.
fn log(options: &Put, client: &Client, report: &Arc<dyn Reporter>) {
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
            report.log(&stderr::escape_controls(&logged(level, line)));
        }
        Flow::Continue
    });
}

/// Translates a warning, which is for everybody; the other lines are for those who look for a fault, and stay as they are.
fn logged(level: LogLevel, line: &str) -> String {
    match level {
        LogLevel::Warn => sentence(line),
        _ => line.to_owned(),
    }
}

/// The files and their results.
struct Uploads<'a> {
    options: &'a Put,
    client: Client,
    states: StateFiles,
    stop: Stop,
    report: Arc<dyn Reporter>,
    items: Vec<Arc<Item>>,
    /// The position of the next file to upload.
    next: AtomicUsize,
    tally: Mutex<Tally>,
}

impl Uploads<'_> {
    /// Uploads all files, in several threads, and reports the results.
    fn run(self) -> Exit {
        let start = Instant::now();
        let workers = self.items.len().min(self.options.transfer.jobs.into());
        thread::scope(|scope| {
            // The last worker is this thread.
            for _ in 1..workers {
                scope.spawn(|| self.upload_all());
            }
            self.upload_all();
        });
        let tally = self.tally.into_inner().unwrap_or_else(|e| e.into_inner());
        let summary = Summary {
            exit: tally.exit(self.stop.exit()),
            is_stream: self.items.iter().any(|item| item.is_stdin()),
            tally,
            discards: self.options.transfer.discard,
            time: start.elapsed(),
        };
        self.report.summary(&summary);
        summary.exit
    }

    /// Uploads one file after the other until none is left.
    fn upload_all(&self) {
        while self.stop.exit().is_none() {
            let position = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = self.items.get(position) else {
                return;
            };
            self.report.start(item);
            let end = self.upload(item);
            self.report.end(item, &end);
            let mut tally = self.tally.lock().unwrap_or_else(|e| e.into_inner());
            tally.add(position, item, end);
        }
    }

    fn upload(&self, item: &Arc<Item>) -> End {
        let start = Instant::now();
        let (options, states) = (self.options, &self.states);
        let upload = setup::upload(options, &self.client, item, states, &self.stop);
        let (remote, outcome) = match upload {
            Ok(mut upload) => (upload.remote(), self.run_upload(&mut upload, item)),
            Err(error) => (Remote::default(), Err(error)),
        };
        End {
            outcome,
            remote,
            discards: self.options.transfer.discard,
            time: start.elapsed(),
        }
    }

    /// Runs an upload, or takes it back, reports its progress, and cancels it when the program has to end.
    fn run_upload(&self, upload: &mut Upload, item: &Arc<Item>) -> Result<(), Error> {
        let remote = upload.remote();
        let (report, handle, file) = (self.report.clone(), remote.clone(), item.clone());
        upload.on_state(move |state| {
            report.state(&file, state, &handle);
            Flow::Continue
        });
        match self.options.transfer.discard {
            true => upload.start_discard()?,
            false => upload.start()?,
        }
        loop {
            if let Some(outcome) = upload.wait(TICK) {
                // A signal ends the read of standard input, too.
                let is_ended = item.is_stdin() && self.stop.exit().is_some();
                return outcome.map_err(|error| if is_ended { Error::Cancelled } else { error });
            }
            match self.stop.exit() {
                Some(_) => remote.cancel(),
                None => self.report.progress(item, &remote),
            }
        }
    }
}
