//! An upload: one file's job, run on a thread of its own, its events told on the host's.
#![forbid(unsafe_code)]

mod settings;

use std::io::{Read, Seek};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::api::client::Client;
use crate::api::remote::Remote;
use crate::control::flow::Flow;
use crate::control::log::Logger;
use crate::control::snapshot::{Snapshot, UploadState};
use crate::control::{Control, Event};
use crate::error::Error;
use crate::options::SegmentSize;
use crate::options::{check_file_name, DigestMode};
use crate::run::{work, Spec};
use crate::source::stream::{HostReader, Seat};
use crate::source::Origin;

type OnProgress = Box<dyn FnMut(&Snapshot) -> Flow + Send>;
type OnState = Box<dyn FnMut(UploadState) -> Flow + Send>;
type OnComplete = Box<dyn FnMut(&Result<(), Error>) + Send>;

/// The uploading of one file.
///
/// [`run`](Self::run) blocks until the end. [`start`](Self::start) returns at once, the upload
/// goes on by itself, and [`wait`](Self::wait) fetches what happened. Callbacks are called only
/// from within `run` and `wait`, on the thread that called these.
///
/// After a run has ended, another one may be made: it goes on where the server is.
pub struct Upload {
    client: Client,
    origin: Origin,
    /// What [`Origin::Reader`] stands for.
    reader: Option<Seat>,
    spec: Spec,
    remote: Remote,
    started: bool,
    completion_told: bool,
    /// The client's, of the run.
    logger: Option<Logger>,
    /// The one of the run before, until it can be let go.
    retired: Option<Logger>,
    on_progress: Option<OnProgress>,
    on_state: Option<OnState>,
    on_complete: Option<OnComplete>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("name", &self.spec.name)
            .field("state", &self.remote.snapshot().state)
            .finish_non_exhaustive()
    }
}

impl Upload {
    /// An upload of the file at `path`, under the file's own name.
    ///
    /// # Errors
    /// [`Error::SourceNotFound`], [`Error::SourceDenied`], [`Error::SourceNotAFile`] and
    /// [`Error::SourceIo`]; [`Error::InvalidArgument`] when the file's name is not UTF-8.
    pub fn from_file(client: &Client, path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let name = path.file_name().unwrap_or_default().to_owned();
        let origin = Origin::File(path);
        origin.open(&Control::default())?;
        let name = name.into_string().map_err(|name| Error::InvalidArgument {
            what: "file name",
            why: format!(
                "\"{}\" is not UTF-8; copy the file under another name",
                name.to_string_lossy()
            ),
        })?;
        Self::new(client, origin, &name)
    }

    /// An upload of `bytes` under the file name `name`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the name cannot be one.
    pub fn from_memory(
        client: &Client,
        bytes: impl Into<Vec<u8>>,
        name: &str,
    ) -> Result<Self, Error> {
        Self::new(client, Origin::Memory(Arc::new(bytes.into())), name)
    }

    /// An upload of what `reader` gives, under the file name `name`. Its size is asked for when a
    /// run begins. It is read only on the thread that is inside [`run`](Self::run) or
    /// [`wait`](Self::wait), so after [`start`](Self::start) the upload goes on only while one
    /// waits; and it is read twice, since only its MD5 tells it from another one of its name.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the name cannot be one.
    pub fn from_stream(
        client: &Client,
        reader: impl Read + Seek + Send + 'static,
        name: &str,
    ) -> Result<Self, Error> {
        Self::from_host_reader(client, Box::new(reader), name)
    }

    pub(crate) fn from_host_reader(
        client: &Client,
        reader: Box<dyn HostReader>,
        name: &str,
    ) -> Result<Self, Error> {
        let mut upload = Self::new(client, Origin::Reader, name)?;
        upload.reader = Some(Seat::new(reader));
        Ok(upload)
    }

    fn new(client: &Client, origin: Origin, name: &str) -> Result<Self, Error> {
        Ok(Upload {
            client: client.clone(),
            origin,
            reader: None,
            spec: Spec {
                name: check_file_name(name)?,
                dir: String::new(),
                content_type: None,
                fields: Vec::new(),
                segment_size: SegmentSize::Unlimited,
                digest: DigestMode::OnePass,
                state_file: None,
            },
            remote: Remote::default(),
            logger: None,
            retired: None,
            started: false,
            completion_told: false,
            on_progress: None,
            on_state: None,
            on_complete: None,
        })
    }

    /// The part of this upload that other threads may use.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// Called about ten times a second while the numbers change, and a last time at the end.
    pub fn on_progress(&mut self, callback: impl FnMut(&Snapshot) -> Flow + Send + 'static) {
        self.on_progress = Some(Box::new(callback));
    }

    /// Called with each new state.
    pub fn on_state(&mut self, callback: impl FnMut(UploadState) -> Flow + Send + 'static) {
        self.on_state = Some(Box::new(callback));
    }

    /// Called once at the end of every run, whatever its outcome, last.
    pub fn on_complete(&mut self, callback: impl FnMut(&Result<(), Error>) + Send + 'static) {
        self.on_complete = Some(Box::new(callback));
    }

    /// Uploads and returns at the end.
    ///
    /// # Errors
    /// Any of [`Error`]; the upload may be run again, and goes on where the server is.
    pub fn run(&mut self) -> Result<(), Error> {
        self.start()?;
        loop {
            if let Some(outcome) = self.wait(Duration::MAX) {
                return outcome;
            }
        }
    }

    /// Starts the upload and returns at once; it goes on whether or not `wait` is called.
    ///
    /// # Errors
    /// [`Error::WrongState`] when it runs already; [`Error::System`] when there is no thread to
    /// be had.
    pub fn start(&mut self) -> Result<(), Error> {
        if self.started {
            return Err(Error::WrongState("the upload is under way already"));
        }
        // Before the first run the fresh control may hold the wish for a pause or an end.
        let control = match self.completion_told {
            true => self.remote.renew(),
            false => self.remote.current(),
        };
        self.completion_told = true;
        let (origin, spec) = (self.origin.clone(), self.spec.clone());
        let settings = self.client.settings();
        let engine = control.clone();
        let (live, rate) = (self.client.live(), self.remote.rate.clone());
        self.retired = std::mem::replace(&mut self.logger, self.client.logger());
        if let Some(logger) = &self.logger {
            control.want_log(logger.level);
        }
        thread::Builder::new()
            .name("resup-upload".to_owned())
            .spawn(move || {
                let limits = (&*rate, &*live);
                let work = AssertUnwindSafe(|| work(&engine, &origin, spec, settings, limits));
                engine.finish(
                    catch_unwind(work).unwrap_or_else(|panic| Err(Error::from_panic(&*panic))),
                );
            })
            .map_err(|e| {
                let why = format!("no thread for the upload: {e}");
                control.finish(Err(Error::System { why: why.clone() }));
                Error::System { why }
            })?;
        self.started = true;
        self.completion_told = false;
        Ok(())
    }

    /// Lets go of a log callback that was replaced.
    pub(crate) fn let_go(&mut self) {
        self.retired = None;
    }

    /// Calls the callbacks for what happened, for up to `timeout`; returns the outcome at the
    /// end of the run, and again until the next run; `None` while it goes on.
    ///
    /// # Errors
    /// The run's outcome; [`Error::WrongState`] before the first `start`.
    pub fn wait(&mut self, timeout: Duration) -> Option<Result<(), Error>> {
        if !self.started && !self.completion_told {
            return Some(Err(Error::WrongState("the upload has not been started")));
        }
        let control = self.remote.current();
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let flow = match control.next(deadline)? {
                Event::Log(level, line) => match &self.logger {
                    Some(logger) => (logger.callback)(level, &line),
                    None => Flow::Continue,
                },
                Event::Ask(number, ask) => {
                    let reader = self.reader.as_mut().expect("only a reader is asked");
                    control.tell(number, reader.answer(&ask));
                    Flow::Continue
                }
                Event::State(state) => call(&mut self.on_state, |f| f(state)),
                Event::Progress => {
                    let snapshot = control.snapshot();
                    let flow = call(&mut self.on_progress, |f| f(&snapshot));
                    control.progress_told();
                    flow
                }
                Event::Finished(outcome) => {
                    self.started = false;
                    if !std::mem::replace(&mut self.completion_told, true) {
                        if let Some(callback) = &mut self.on_complete {
                            callback(&outcome);
                        }
                    }
                    return Some(outcome);
                }
            };
            if flow == Flow::Cancel {
                control.cancel();
            }
        }
    }
}

impl Drop for Upload {
    /// Cancels a run that is still under way.
    fn drop(&mut self) {
        self.remote.cancel();
    }
}

fn call<F: ?Sized>(callback: &mut Option<Box<F>>, call: impl FnOnce(&mut F) -> Flow) -> Flow {
    match callback {
        Some(callback) => call(callback),
        None => Flow::Continue,
    }
}
