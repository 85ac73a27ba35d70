//! What the number of an `io.resup.NativeUpload` stands for.

use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use jni::sys::jlong;
use resup::{Remote, Snapshot, Upload};

use crate::code::Coded;
use crate::failure::Failure;
use crate::registry::Registry;
use crate::run::{self, Run};

/// All uploads.
pub static UPLOADS: Registry<Entry> = Registry::new();

/// How long a run goes on before Java is asked again whether to continue.
const SLICE: Duration = Duration::from_millis(50);

/// Reads one number of a snapshot.
type Number = fn(&Snapshot) -> Result<jlong, Failure>;

/// The numbers of an upload, in the order of the enum `io.resup.UploadProgress.Field`, which has the same names.
pub const NUMBERS: [(&str, Number); 11] = [
    ("STATE", |now| Ok(now.state.code()?.into())),
    ("SIZE", |now| Ok(now.size as jlong)),
    ("OFFSET", |now| Ok(now.offset as jlong)),
    ("POSITION", |now| Ok(now.position as jlong)),
    ("BYTES_SENT", |now| Ok(now.bytes_sent as jlong)),
    ("BYTES_SKIPPED", |now| Ok(now.bytes_skipped as jlong)),
    ("RATE", |now| Ok(now.rate as jlong)),
    ("TIME_LEFT", |now| Ok(milliseconds(now.time_left))),
    ("ATTEMPTS", |now| Ok(now.attempts.into())),
    ("HTTP_STATUS", |now| {
        Ok(now.http_status.map_or(0, jlong::from))
    }),
    ("RETRY_IN", |now| Ok(milliseconds(now.retry_in))),
];

/// Converts a time to milliseconds, and none to -1.
fn milliseconds(time: Option<Duration>) -> jlong {
    time.map_or(-1, |time| time.as_millis() as jlong)
}

/// An upload, for one thread at a time, and its remote, for all threads.
pub struct Entry {
    upload: Mutex<Upload>,
    pub remote: Remote,
}

impl Entry {
    /// Creates an entry whose runs report to Java.
    pub fn new(mut upload: Upload) -> Self {
        upload.on_progress(|_| run::progress());
        upload.on_state(run::state);
        Entry {
            remote: upload.remote(),
            upload: Mutex::new(upload),
        }
    }

    /// Locks the upload, or fails when another thread has it.
    pub fn lock(&self) -> Result<MutexGuard<'_, Upload>, Failure> {
        match self.upload.try_lock() {
            Ok(upload) => Ok(upload),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(Failure::Busy),
        }
    }

    /// Begins a run: from now on a command from any thread is for this run.
    pub fn start(&self) -> Result<(), Failure> {
        // Where no run can begin, `run` returns why.
        let _ = self.lock()?.start();
        Ok(())
    }

    /// Begins to take the upload back. [`run`](Self::run) must follow, too.
    pub fn start_discard(&self) -> Result<(), Failure> {
        let _ = self.lock()?.start_discard();
        Ok(())
    }

    /// Blocks until the run that was begun has ended.
    pub fn run(&self, run: Run) -> Result<(), Failure> {
        let mut upload = self.lock()?;
        let scope = run.enter();
        let outcome = loop {
            if !run::should_continue() {
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

    /// Returns the numbers at this moment, in the order of `NUMBERS`.
    pub fn numbers(&self) -> Result<Vec<jlong>, Failure> {
        let now = self.remote.snapshot();
        NUMBERS.iter().map(|(_, number)| number(&now)).collect()
    }
}
