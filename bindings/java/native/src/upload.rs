//! `io.resup.NativeUpload`: an upload, its settings by their names, its numbers.
#![forbid(unsafe_code)]

use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use jni::sys::jlong;
use resup::{Client, DigestMode, Remote, SegmentSize, Snapshot, Upload};

use crate::failure::Failure;
use crate::registry::Registry;
use crate::run::{self, Reader, Run};
use crate::{code, path};

/// All uploads.
pub static UPLOADS: Registry<Entry> = Registry::new();

/// How long a run goes on before Java is asked again whether it is still wanted.
const SLICE: Duration = Duration::from_millis(50);

/// An upload, for one thread at a time, and what is for all of them.
pub struct Entry {
    upload: Mutex<Upload>,
    pub remote: Remote,
}

fn add(upload: Result<Upload, resup::Error>) -> Result<jlong, Failure> {
    let mut upload = upload.map_err(Failure::Setting)?;
    upload.on_progress(|_| run::progress());
    upload.on_state(run::state);
    Ok(UPLOADS.add(Entry {
        remote: upload.remote(),
        upload: Mutex::new(upload),
    }))
}

/// An upload of a file; its number.
pub fn of_file(client: &Client, file: &str) -> Result<jlong, Failure> {
    add(Upload::from_file(client, path::from_text(file)))
}

/// An upload of bytes; its number.
pub fn of_bytes(client: &Client, bytes: Vec<u8>, name: &str) -> Result<jlong, Failure> {
    add(Upload::from_memory(client, bytes, name))
}

/// An upload of what Java reads; its number.
pub fn of_stream(client: &Client, name: &str) -> Result<jlong, Failure> {
    add(Upload::from_stream(client, Reader, name))
}

impl Entry {
    /// For whoever may use it now.
    fn upload(&self) -> Result<std::sync::MutexGuard<'_, Upload>, Failure> {
        match self.upload.try_lock() {
            Ok(upload) => Ok(upload),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(Failure::Busy),
        }
    }

    /// Settings that are texts; one has a second one.
    pub fn set_text(&self, setting: &str, a: &str, b: &str) -> Result<(), Failure> {
        let mut upload = self.upload()?;
        match setting {
            "name" => upload.set_name(a),
            "directory" => upload.set_directory(a),
            "contentType" => upload.set_content_type(a),
            "field" => upload.set_field(a, b),
            "stateFile" => upload.set_state_file(path::from_text(a)),
            other => unreachable!("no text of an upload is called {other}"),
        }
        .map_err(Failure::Setting)
    }

    /// Settings that are numbers.
    pub fn set_number(&self, setting: &str, value: jlong) -> Result<(), Failure> {
        if setting == "rateLimit" {
            self.remote.set_rate_limit(value as u64);
            return Ok(());
        }
        let mut upload = self.upload()?;
        match setting {
            "segmentSize" => upload.set_segment_size(match value {
                -1 => SegmentSize::Automatic,
                bytes => SegmentSize::Fixed(bytes as u64),
            }),
            "digest" => upload.set_digest(match value {
                0 => DigestMode::None,
                1 => DigestMode::OnePass,
                _ => DigestMode::First,
            }),
            other => unreachable!("no number of an upload is called {other}"),
        }
        .map_err(Failure::Setting)
    }

    /// Begins a run: from here on a wish of any thread is for this one.
    pub fn start(&self) -> Result<(), Failure> {
        // Without a thread for it the run has failed, as `run` tells with its events.
        let _ = self.upload()?.start();
        Ok(())
    }

    /// Goes through the run that was begun, and returns at the end.
    pub fn run(&self, run: Run) -> Result<(), Failure> {
        let mut upload = self.upload()?;
        let scope = run.enter();
        let outcome = loop {
            if !run::wanted() {
                self.remote.cancel();
            }
            if let Some(outcome) = upload.wait(SLICE) {
                break outcome;
            }
        };
        match scope.leave() {
            Some(thrown) => Err(thrown),
            None => outcome.map_err(Failure::Run),
        }
    }

    /// The numbers, in the order in which `io.resup.UploadProgress` takes them.
    pub fn numbers(&self) -> [jlong; 11] {
        let now: Snapshot = self.remote.snapshot();
        let time = |time: Option<Duration>| time.map_or(-1, |time| time.as_millis() as jlong);
        [
            code::of_state(now.state).into(),
            now.size as jlong,
            now.offset as jlong,
            now.position as jlong,
            now.bytes_sent as jlong,
            now.bytes_skipped as jlong,
            now.rate as jlong,
            time(now.time_left),
            now.attempts.into(),
            now.http_status.map_or(0, jlong::from),
            time(now.retry_in),
        ]
    }

    /// A text of the server's.
    pub fn text(&self, which: &str) -> Option<String> {
        match which {
            "id" => self.remote.id(),
            "location" => self.remote.location(),
            "md5" => self.remote.md5(),
            "serverMessage" => self.remote.server_message(),
            other => unreachable!("no text of an upload is called {other}"),
        }
    }
}
