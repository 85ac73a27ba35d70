//! An upload: one file's job, run on a thread of its own, its events told on the host's.
#![forbid(unsafe_code)]

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::body::source::Origin;
use crate::client::{Client, Live};
use crate::config::{check_line, Settings};
use crate::control::{Control, Event, Snapshot, Texts, UploadState};
use crate::engine::{Engine, Line};
use crate::error::Error;
use crate::log::Logger;
use crate::protocol::{Form, Job};
use crate::rate::Limiter;
use crate::segment::{SegmentSize, Segments};
use crate::transport::{Cutter, Link, Request, Response, Wire};

/// What a callback wants: go on, or end the upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Cancel the upload.
    Cancel,
}

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
    spec: Spec,
    remote: Remote,
    started: bool,
    completion_told: bool,
    /// The client's, of the run.
    logger: Option<Logger>,
    on_progress: Option<OnProgress>,
    on_state: Option<OnState>,
    on_complete: Option<OnComplete>,
}

/// What the host says about the file.
#[derive(Debug, Clone)]
struct Spec {
    name: String,
    dir: String,
    content_type: String,
    fields: Vec<(String, String)>,
    segment_size: SegmentSize,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("name", &self.spec.name)
            .field("state", &self.remote.snapshot().state)
            .finish_non_exhaustive()
    }
}

/// The part of an [`Upload`] that every thread may use at any time.
#[derive(Debug, Clone)]
pub struct Remote {
    control: Arc<Mutex<Arc<Control>>>,
    rate: Arc<Limiter>,
}

impl Remote {
    fn current(&self) -> Arc<Control> {
        self.control
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .clone()
    }

    fn renew(&self) -> Arc<Control> {
        let fresh = Arc::new(Control::default());
        *self.control.lock().unwrap_or_else(|e| e.into_inner()) = fresh.clone();
        fresh
    }

    /// Ends the run; the one that is under way or, before the first, that one. Returns at once;
    /// `run` and `wait` end within 100 ms with [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.current().cancel();
    }

    /// Pauses the run until [`resume`](Self::resume): the connection is closed, what the server
    /// has is kept.
    pub fn pause(&self) {
        self.current().pause();
    }

    /// Goes on after [`pause`](Self::pause), from where the server is.
    pub fn resume(&self) {
        self.current().resume();
    }

    /// The most file bytes per second that this upload sends; 0, the default, for no limit.
    /// Counts at once, also while it runs.
    pub fn set_rate_limit(&self, bytes_per_second: u64) {
        self.rate.set(bytes_per_second);
    }

    /// The numbers of the run.
    pub fn snapshot(&self) -> Snapshot {
        self.current().snapshot()
    }

    pub(crate) fn texts(&self) -> Texts {
        self.current().texts()
    }

    /// The server's key of the upload.
    pub fn id(&self) -> Option<String> {
        self.texts().id
    }

    /// Where the finished file is to be found, in the server's words.
    pub fn location(&self) -> Option<String> {
        self.texts().location
    }

    /// Lower-case hex MD5 of the whole file, once it is complete and if it was read whole.
    pub fn md5(&self) -> Option<String> {
        self.texts().md5
    }

    /// The server's last message for a person.
    pub fn server_message(&self) -> Option<String> {
        self.texts().server_message
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
        origin.open()?;
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

    fn new(client: &Client, origin: Origin, name: &str) -> Result<Self, Error> {
        Ok(Upload {
            client: client.clone(),
            origin,
            spec: Spec {
                name: check_name(name)?,
                dir: String::new(),
                content_type: "application/octet-stream".to_owned(),
                fields: Vec::new(),
                segment_size: SegmentSize::Unlimited,
            },
            remote: Remote {
                control: Arc::default(),
                rate: Arc::default(),
            },
            logger: None,
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

    /// The file name that the server is told. Default: the file's own.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a name that is empty, longer than 1024 bytes or contains
    /// `/` or NUL; [`Error::WrongState`] during a run: so for every setter.
    pub fn set_name(&mut self, name: &str) -> Result<(), Error> {
        self.idle()?;
        self.spec.name = check_name(name)?;
        Ok(())
    }

    /// The directory on the server, `/`-separated. Default: empty, the server's own choice.
    ///
    /// # Errors
    /// As [`set_name`](Self::set_name), for control characters.
    pub fn set_directory(&mut self, dir: &str) -> Result<(), Error> {
        self.idle()?;
        self.spec.dir = match dir {
            "" => String::new(),
            dir => check_line("directory", dir)?,
        };
        Ok(())
    }

    /// The file's MIME type. Default: `application/octet-stream`.
    ///
    /// # Errors
    /// As [`set_name`](Self::set_name), for what is not one line of `type/subtype`.
    pub fn set_content_type(&mut self, content_type: &str) -> Result<(), Error> {
        self.idle()?;
        let content_type = check_line("content type", content_type)?;
        if !content_type.is_ascii() || !content_type.contains('/') {
            return Err(Error::InvalidArgument {
                what: "content type",
                why: format!("\"{content_type}\" is not of the form type/subtype"),
            });
        }
        self.spec.content_type = content_type;
        Ok(())
    }

    /// Adds a field of the host's own, sent with every request. Setting a name again replaces
    /// its value.
    ///
    /// # Errors
    /// As [`set_name`](Self::set_name), for an empty name and for those of the protocol.
    pub fn set_field(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.idle()?;
        if name.is_empty() || PROTOCOL_FIELDS.contains(&name) {
            return Err(Error::InvalidArgument {
                what: "field name",
                why: format!("\"{name}\" is empty or one of the protocol's own"),
            });
        }
        self.spec.fields.retain(|(other, _)| other != name);
        let field = (name.to_owned(), value.to_owned());
        self.spec.fields.push(field);
        Ok(())
    }

    /// The most file bytes that one request carries. Useful for servers and proxies that see a
    /// request only when it is whole. A server's own limit counts in any case.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for 0 bytes; [`Error::WrongState`] during a run.
    pub fn set_segment_size(&mut self, size: SegmentSize) -> Result<(), Error> {
        self.idle()?;
        if size == SegmentSize::Fixed(0) {
            return Err(Error::InvalidArgument {
                what: "segment size",
                why: "must be more than 0 bytes".to_owned(),
            });
        }
        self.spec.segment_size = size;
        Ok(())
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

    fn idle(&self) -> Result<(), Error> {
        match self.started {
            true => Err(Error::WrongState(
                "the upload is running; its settings can be changed when it has ended",
            )),
            false => Ok(()),
        }
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
        self.idle()?;
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
        self.logger = self.client.logger();
        if let Some(logger) = &self.logger {
            control.want_log(logger.level);
        }
        thread::Builder::new()
            .name("resup-upload".to_owned())
            .spawn(move || {
                let limits = (&*rate, &*live);
                let work = AssertUnwindSafe(|| work(&engine, &origin, spec, settings, limits));
                engine.finish(catch_unwind(work).unwrap_or_else(|panic| Err(internal(&*panic))));
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

/// Fields that the protocol uses itself.
const PROTOCOL_FIELDS: [&str; 18] = [
    "action",
    "id",
    "name",
    "size",
    "mtime",
    "dir",
    "user",
    "md5",
    "prefix",
    "prefix_md5",
    "offset",
    "length",
    "file",
    "restart",
    "sha256",
    "ts",
    "nonce",
    "sign",
];

fn check_name(name: &str) -> Result<String, Error> {
    let why = match name {
        "" | "." | ".." => format!("\"{name}\" cannot be a file's name"),
        name if name.contains(['/', '\0']) => {
            format!("{name:?} contains / or NUL; the directory is a setting of its own")
        }
        name if name.len() > 1024 => format!("has {} bytes, more than 1024", name.len()),
        name => return Ok(name.to_owned()),
    };
    Err(Error::InvalidArgument {
        what: "file name",
        why,
    })
}

/// One run, on the engine's thread.
fn work(
    control: &Control,
    origin: &Origin,
    spec: Spec,
    settings: Settings,
    (rate, live): (&Limiter, &Live),
) -> Result<(), Error> {
    let mut source = origin.open()?;
    let job = Job {
        name: spec.name,
        size: source.size(),
        mtime: source.mtime(),
        md5: None,
        dir: spec.dir,
        user: settings.user.clone(),
        content_type: spec.content_type,
        fields: spec.fields,
    };
    let protocol = Form {
        endpoint: settings.endpoint.clone(),
        locate_method: settings.locate_method,
    };
    let line = HttpLine {
        settings: &settings,
        control,
    };
    let engine = Engine {
        protocol: &protocol,
        line: &line,
        control,
        source: &mut *source,
        job,
        retry: settings.retry,
        segments: Segments::new(spec.segment_size, live.segment.clone()),
        rates: [rate, &live.rate],
    };
    engine.run()
}

/// Links to the client's server.
struct HttpLine<'a> {
    settings: &'a Settings,
    control: &'a Control,
}

impl Line for HttpLine<'_> {
    fn open(&self) -> (Box<dyn Wire + '_>, Option<Cutter>) {
        let link = Link::new(self.settings);
        let cutter = link.cutter();
        let control = self.control;
        (Box::new(Noted { link, control }), Some(cutter))
    }
}

/// A link whose answers' statuses are noted for the host.
struct Noted<'a> {
    link: Link,
    control: &'a Control,
}

impl Wire for Noted<'_> {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        let response = self.link.exchange(request)?;
        self.control.answered(response.status);
        Ok(response)
    }
}

/// The error for a panic that was caught.
pub(crate) fn internal(panic: &(dyn std::any::Any + Send)) -> Error {
    let why = panic
        .downcast_ref::<&str>()
        .map(|s| s.to_string())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    Error::Internal { why }
}
