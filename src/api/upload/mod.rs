//! An upload: runs on a thread of its own, and delivers its events on the program's thread.

mod callbacks;
mod settings;

use std::ffi::OsString;
use std::io::{Read, Seek};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callbacks::Callbacks;

use super::check::check_file_name;
use super::client::Client;
use super::remote::Remote;
use crate::control::flow::Flow;
use crate::control::snapshot::{Snapshot, UploadState};
use crate::control::stop::Stop;
use crate::control::{Control, Event};
use crate::error::Error;
use crate::run::{run_upload, UploadOptions};
use crate::source::{Opener, ProgramStream, ReadPort, StreamPort, Window, WindowPort};

/// How far the run or the discard of an upload is, as its program has seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There was no run.
    New,
    /// A run is in progress, or its end has not been delivered.
    Running,
    /// The same of a discard.
    Discarding,
    /// The last run's end has been delivered.
    Ended,
}

/// The upload of one file.
///
/// [`run`](Self::run) blocks until the end. [`start`](Self::start) returns at once, the upload
/// goes on by itself, and [`wait`](Self::wait) delivers its events. Callbacks are called only
/// from within `run` and `wait`, on the thread that called these.
///
/// After a run has ended, another one may be made. It goes on from the server's offset.
pub struct Upload {
    client: Client,
    opener: Opener,
    /// The stream of [`Opener::Stream`] or [`Opener::Forward`].
    stream: Option<Box<dyn ReadPort>>,
    options: UploadOptions,
    /// The file's own name, where that is not UTF-8 and the program has not set another one.
    unusable_name: Option<OsString>,
    remote: Remote,
    stage: Stage,
    callbacks: Callbacks,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("name", &self.options.name)
            .field("state", &self.remote.snapshot().state)
            .finish_non_exhaustive()
    }
}

impl Upload {
    /// Makes an upload of the file at `path`, under the file's own name. A file whose name is not
    /// UTF-8 needs another one by [`set_name`](Self::set_name) before it runs.
    ///
    /// # Errors
    /// [`Error::SourceNotFound`], [`Error::SourceDenied`], [`Error::SourceNotAFile`],
    /// [`Error::SourceSize`] and [`Error::SourceIo`].
    pub fn from_file(client: &Client, path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let name = path.file_name().unwrap_or_default().to_owned();
        let opener = Opener::File(path);
        match opener.open(&Control::default()) {
            Err(Stop::Failed(error)) => return Err(error),
            Ok(_) | Err(Stop::Interrupted) => {}
        }
        let name = match name.into_string() {
            Ok(name) => Ok(check_file_name(&name)?),
            Err(name) => Err(name),
        };
        Ok(Self::new(client, opener, name))
    }

    /// Makes an upload of `bytes` under the file name `name`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the name is not a file name.
    pub fn from_memory(
        client: &Client,
        bytes: impl Into<Vec<u8>>,
        name: &str,
    ) -> Result<Self, Error> {
        let opener = Opener::Memory(Arc::new(bytes.into()));
        Ok(Self::new(client, opener, Ok(check_file_name(name)?)))
    }

    /// Makes an upload of the bytes of `stream`, under the file name `name`.
    ///
    /// Its size is asked for when a run begins. It is read only on the thread that is inside
    /// [`run`](Self::run) or [`wait`](Self::wait), so after [`start`](Self::start) the upload makes
    /// progress only during `wait`. It is read twice, because only its digest tells it from another
    /// content of the same name.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the name is not a file name.
    pub fn from_stream(
        client: &Client,
        stream: impl Read + Seek + Send + 'static,
        name: &str,
    ) -> Result<Self, Error> {
        Self::from_program_stream(client, Box::new(stream), name)
    }

    pub(crate) fn from_program_stream(
        client: &Client,
        stream: Box<dyn ProgramStream>,
        name: &str,
    ) -> Result<Self, Error> {
        let name = Ok(check_file_name(name)?);
        let mut upload = Self::new(client, Opener::Stream, name);
        upload.stream = Some(Box::new(StreamPort::new(stream)));
        Ok(upload)
    }

    /// Makes an upload of what `reader` gives until its end, under the file name `name`: a pipe, a dump,
    /// an archive that is made on the way. Its size is known only at its end; until then it is
    /// [`SIZE_UNKNOWN`](crate::SIZE_UNKNOWN) in the numbers.
    ///
    /// It is read once, on the thread that is inside [`run`](Self::run) or [`wait`](Self::wait). While a
    /// read blocks, a cancel cannot end the run. The server has to speak tus with the extension
    /// creation-defer-length, or the IETF's resumable uploads.
    ///
    /// What the server has not confirmed is kept in memory: one segment, of 8 MiB at most. So the upload
    /// goes on after a lost connection, and another run of this object goes on where the last one
    /// ended. It cannot begin anew: where the server loses bytes that it has confirmed, or the whole
    /// upload, the run fails with [`Error::SourceIo`]. Once it is complete, a run finds that. No other process goes on with it, and a state
    /// file is ignored. A read that fails ends the run; another run reads again.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the name is not a file name. The run has this error, too, where the
    /// protocol is set to form, or the server takes no such upload.
    pub fn from_reader(
        client: &Client,
        reader: impl Read + Send + 'static,
        name: &str,
    ) -> Result<Self, Error> {
        let name = Ok(check_file_name(name)?);
        let window = Arc::new(Window::default());
        let mut upload = Self::new(client, Opener::Forward(window.clone()), name);
        upload.stream = Some(Box::new(WindowPort::new(Box::new(reader), window)));
        upload.options.has_size = false;
        Ok(upload)
    }

    /// Makes an upload under `name`, or under none yet where the file's own name is not UTF-8.
    fn new(client: &Client, opener: Opener, name: Result<String, OsString>) -> Self {
        let (name, unusable_name) = match name {
            Ok(name) => (name, None),
            Err(name) => (String::new(), Some(name)),
        };
        Upload {
            client: client.clone(),
            opener,
            stream: None,
            options: UploadOptions::new(name),
            unusable_name,
            remote: Remote::default(),
            stage: Stage::New,
            callbacks: Callbacks::default(),
        }
    }

    /// Gives the part of this upload that other threads may use.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// Sets the callback for progress: called about ten times a second while the numbers change,
    /// and a last time at the end.
    pub fn on_progress(&mut self, callback: impl FnMut(&Snapshot) -> Flow + Send + 'static) {
        self.callbacks.progress = Some(Box::new(callback));
    }

    /// Sets the callback for each new state.
    pub fn on_state(&mut self, callback: impl FnMut(UploadState) -> Flow + Send + 'static) {
        self.callbacks.state = Some(Box::new(callback));
    }

    /// Sets the callback for the end: called once for every run, whatever its outcome, after all
    /// others.
    pub fn on_complete(&mut self, callback: impl FnMut(&Result<(), Error>) + Send + 'static) {
        self.callbacks.complete = Some(Box::new(callback));
    }

    /// Uploads the file, and returns at the end.
    ///
    /// # Errors
    /// Any of [`Error`]; the upload may be run again, and goes on from the server's offset.
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
    /// [`Error::WrongState`] when it runs already; [`Error::InvalidArgument`] when the file's name is
    /// not UTF-8 and no other was set, when a digest was asked for by name and none is computed, and
    /// when such a digest or a signing secret is set with a protocol that has none;
    /// [`Error::System`] when the system gives no thread.
    pub fn start(&mut self) -> Result<(), Error> {
        self.launch(Stage::Running)
    }

    /// Takes the upload back: what the server has of the file is dropped there, unless the file is
    /// complete. Returns at the end, and a later run begins anew. What the server does not have, it need
    /// not drop: that is a success.
    ///
    /// The upload is found as by a run: by the file's name, size and time, or by its URL where the server
    /// speaks tus or the IETF's protocol, which the run before or the state file knows. The callbacks for
    /// states and log lines are called; after a failure that may pass it tries again, within the client's
    /// limits. After a success the state file is removed, and the state is [`UploadState::Ready`].
    ///
    /// # Errors
    /// [`Error::NotDiscarded`] when the server does not offer that, or the file is complete;
    /// [`Error::WrongState`] when it runs, and when nothing tells the upload's URL; any other of
    /// [`run`](Self::run).
    pub fn discard(&mut self) -> Result<(), Error> {
        self.start_discard()?;
        loop {
            if let Some(outcome) = self.wait(Duration::MAX) {
                return outcome;
            }
        }
    }

    /// Starts a discard and returns at once; [`wait`](Self::wait) gives its outcome.
    #[doc(hidden)]
    pub fn start_discard(&mut self) -> Result<(), Error> {
        self.launch(Stage::Discarding)
    }

    /// Starts the thread of a run, or of a discard.
    fn launch(&mut self, next: Stage) -> Result<(), Error> {
        if matches!(self.stage, Stage::Running | Stage::Discarding) {
            return Err(Error::WrongState(
                "the upload is running; wait for its end, or cancel it",
            ));
        }
        // Before the first run the program may have paused or cancelled it already.
        let control = match self.stage {
            Stage::New => self.remote.current(),
            _ => self.remote.renew(),
        };
        control.begin();
        if next == Stage::Discarding {
            control.set_discards();
        }
        let is_again = self.stage == Stage::Ended;
        // Unless there is a thread for it, the run has ended.
        self.stage = Stage::Ended;
        let client = self.client.state();
        let checked = self.check_settings();
        if let Err(error) = checked.and_then(|()| client.options.check(&self.options)) {
            control.finish(Err(error.clone()));
            return Err(error);
        }
        let (opener, mut options) = (self.opener.clone(), self.options.clone());
        options.asks_first = is_again;
        options.discards = next == Stage::Discarding;
        let run = control.clone();
        let (shared, rate) = (self.client.shared(), self.remote.rate.clone());
        if let Some(level) = self.callbacks.set_logger(self.client.logger()) {
            control.set_log_level(level);
        }
        control.set_wants_states(self.callbacks.state.is_some());
        let own = shared.clone();
        let work = move || {
            let limits = (&*rate, &*own);
            let result = catch_unwind(AssertUnwindSafe(|| {
                run_upload(&run, &opener, options, &client, limits)
            }));
            let outcome = result.unwrap_or_else(|panic| Err(Error::from_panic(&*panic)));
            move || run.finish(outcome)
        };
        shared.threads.start(work).map_err(|e| {
            let why = format!("no thread for the upload: {e}");
            control.finish(Err(Error::System { why: why.clone() }));
            Error::System { why }
        })?;
        self.stage = next;
        Ok(())
    }

    /// Drops a log callback that was replaced.
    pub(crate) fn release(&mut self) {
        self.callbacks.release();
    }

    /// Calls the callbacks for up to `timeout`. Gives the outcome at the end of the run, and again
    /// until the next run; `None` while the run goes on.
    ///
    /// # Errors
    /// The run's outcome; [`Error::WrongState`] before the first `start`.
    pub fn wait(&mut self, timeout: Duration) -> Option<Result<(), Error>> {
        if self.stage == Stage::New {
            return Some(Err(Error::WrongState("the upload has not been started")));
        }
        let control = self.remote.current();
        control.set_wants_states(self.callbacks.state.is_some());
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let flow = match control.next(deadline)? {
                Event::Log(level, line) => self.callbacks.log(level, &line),
                Event::Read(number, request) => {
                    let stream = self.stream.as_mut().expect("only a stream is read");
                    control.reply_read(number, stream.reply(&request));
                    Flow::Continue
                }
                Event::State(state) => self.callbacks.state(state),
                // A discard makes none.
                Event::Progress if self.stage == Stage::Discarding => Flow::Continue,
                Event::Progress => {
                    let snapshot = control.snapshot();
                    let flow = self.callbacks.progress(&snapshot);
                    control.acknowledge_progress();
                    flow
                }
                Event::Finished(outcome) => {
                    if std::mem::replace(&mut self.stage, Stage::Ended) == Stage::Running {
                        self.callbacks.complete(&outcome);
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
    /// Cancels a run that has not ended.
    fn drop(&mut self) {
        self.remote.cancel();
    }
}
