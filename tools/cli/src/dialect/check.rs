//! `resup dialect check`: tries a dialect at a server.

use std::time::Duration;

use resup::dialect::{Purpose, Step, Trial};
use resup::{Client, DigestMode, Error, ErrorKind, SegmentSize, Upload};

use super::advice::{self, Finding, Seen};
use super::json::Json;
use super::options::Check;
use super::report::{Plan, Report, Summary};
use super::sample::Sample;
use super::text;
use super::words::Words;
use crate::exit::{Exit, Fault};
use crate::messages::{sentence, tr};
use crate::stop::Stop;

/// The interval at which signals and new steps are looked for.
const TICK: Duration = Duration::from_millis(100);

/// Tries the dialect.
pub fn check(options: &Check) -> Result<Exit, Fault> {
    let dialect = text::read(&options.dialect).map_err(Fault::usage)?;
    let client = Client::new(&options.url).map_err(Fault::usage)?;
    let trial = Trial::begin(&client, &dialect)
        .map_err(|error| Fault::usage(about(&options.dialect, &error)))?;
    set_client(options, &client).map_err(Fault::usage)?;
    let sample = Sample::make(options, &trial)?;
    let run = Run {
        options,
        trial,
        report: match options.json {
            true => Box::new(Json),
            false => Box::new(Words),
        },
        seen: Seen {
            is_new: sample.is_new,
            ..Seen::default()
        },
        sample,
        stop: Stop::listen()
            .map_err(|e| Fault::other(tr!("no signal handler: {why}", why = sentence(e))))?,
        findings: Vec::new(),
        requests: 0,
        location: None,
        client,
    };
    // A wrong option is found before a password is asked for.
    run.make_upload().map_err(Fault::usage)?;
    options.identity.set(&run.client, Some(tr!("a dialect")))?;
    run.run()
}

/// Writes what is wrong with a dialect.
fn about(dialect: &str, error: &Error) -> String {
    tr!("{path}: {why}", path = dialect, why = sentence(error))
}

fn set_client(options: &Check, client: &Client) -> Result<(), Error> {
    if let Some(user) = &options.user {
        client.set_user(user)?;
    }
    client.set_user_agent(concat!("resup-cli/", env!("CARGO_PKG_VERSION")))?;
    // Each failure is to be seen.
    client.set_retry_limit(0);
    options.network.set(client)
}

/// A check.
struct Run<'a> {
    options: &'a Check,
    client: Client,
    trial: Trial,
    sample: Sample,
    report: Box<dyn Report>,
    stop: Stop,
    seen: Seen,
    findings: Vec<Finding>,
    requests: u64,
    location: Option<String>,
}

impl Run<'_> {
    fn run(mut self) -> Result<Exit, Fault> {
        self.report.plan(&Plan {
            dialect: &self.options.dialect,
            // Its query may have a secret in it.
            url: self.options.url.split('?').next().unwrap_or_default(),
            sample: &self.sample,
            can_resume: self.trial.can_resume(),
        });
        let error = self.phases().err();
        let exit = match (&error, self.stop.exit()) {
            (Some(Error::Cancelled), Some(exit)) => exit,
            (Some(error), _) if error.kind() == ErrorKind::InvalidArgument => {
                return Err(Fault::usage(error));
            }
            (Some(error), _) => Exit::of(error),
            (None, _) if self.findings.is_empty() => Exit::Done,
            (None, _) => Exit::BadResponse,
        };
        let name = self.sample.name();
        self.report.summary(&Summary {
            exit,
            error: error.as_ref(),
            findings: &self.findings,
            requests: self.requests,
            left: self.seen.is_sent.then_some(&name),
            location: self.location.as_deref(),
        });
        Ok(exit)
    }

    /// Uploads the file, in two runs where the server can be asked, and then asks about what is there.
    fn phases(&mut self) -> Result<(), Error> {
        let chunks = self.sample.chunks;
        if !self.trial.can_resume() || chunks == 1 {
            self.upload("The upload")?;
            self.report.note(match (self.trial.can_resume(), chunks) {
                (false, _) => {
                    "The dialect has neither \"test\" nor \"state\": another process begins a file anew."
                }
                _ => "The file is a single chunk, so nothing could be resumed.",
            });
        } else {
            self.trial.set_chunks_left(chunks - 1);
            let first = self.upload("The upload, but for its last chunk");
            self.trial.set_chunks_left(u64::MAX);
            match first {
                Err(Error::Cancelled) if self.stop.exit().is_none() => self.resume()?,
                Ok(()) => self.report.note("The server has the whole file already."),
                Err(error) => return Err(error),
            }
        }
        match self.seen.is_tested {
            true => self.ask_again(),
            false => Ok(()),
        }
    }

    /// Goes on as another process would.
    fn resume(&mut self) -> Result<(), Error> {
        self.seen.is_resumed = true;
        let before = self.seen.accepted;
        self.upload("Another process goes on: it has only the state file, and asks the server")?;
        let offset = self.seen.resumed_at.unwrap_or(self.sample.size);
        match offset == before {
            true => self.report.note(&format!(
                "The server has told what it has: the upload went on at byte {offset}."
            )),
            false => self.report.note(&format!(
                "The server has accepted {before} bytes, and the upload went on at byte {offset}."
            )),
        }
        Ok(())
    }

    /// Asks about the file, which the server has, and about one that it cannot have.
    fn ask_again(&mut self) -> Result<(), Error> {
        self.seen.is_complete = true;
        self.trial.set_chunks_left(0);
        let result = self.upload("The whole file again, and a chunk that nobody has sent");
        match result {
            Err(Error::Cancelled) if self.stop.exit().is_none() => self.report.note(
                "The server does not know the chunks of a complete file: uploaded again, it is sent again.",
            ),
            Err(error) => return Err(error),
            Ok(()) if self.seen.has_stranger => self
                .report
                .note("The server knows the file, and does not have what nobody has sent."),
            Ok(()) => self.find(advice::same_question()),
        }
        Ok(())
    }

    fn make_upload(&self) -> Result<Upload, Error> {
        let mut upload = Upload::from_file(&self.client, &self.sample.path)?;
        if let Some(size) = self.options.chunk_size {
            upload.set_segment_size(SegmentSize::Fixed(size))?;
        }
        for (name, value) in &self.options.fields {
            upload.set_field(name, value)?;
        }
        if let Some(directory) = &self.options.directory {
            upload.set_directory(directory)?;
        }
        upload.set_digest(DigestMode::None)?;
        upload.set_state_file(self.sample.state_file())?;
        Ok(upload)
    }

    /// Runs the upload, and tells its steps.
    fn upload(&mut self, phase: &str) -> Result<(), Error> {
        self.report.phase(phase);
        let mut upload = self.make_upload()?;
        let remote = upload.remote();
        upload.start()?;
        let result = loop {
            let result = upload.wait(TICK);
            for step in self.trial.steps() {
                self.tell(&step);
            }
            if self.stop.exit().is_some() {
                remote.cancel();
            }
            if let Some(result) = result {
                break result;
            }
        };
        self.location = remote.location().or(self.location.take());
        result
    }

    fn tell(&mut self, step: &Step) {
        self.requests += 1;
        self.report.step(self.requests, step);
        if let Some(finding) = advice::of(step, &self.seen) {
            self.find(finding);
        }
        if step.purpose == Purpose::Send && self.seen.is_resumed {
            self.seen.resumed_at.get_or_insert(step.bytes.0);
        }
        self.seen.note(step);
    }

    /// Tells which key is wrong, once.
    fn find(&mut self, finding: Finding) {
        if self.findings.iter().all(|known| known.key != finding.key) {
            self.report.finding(&finding);
            self.findings.push(finding);
        }
    }
}
