//! What an upload's handle stands for: the upload, its lock, its messages.

use std::ffi::{c_char, CString};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, TryLockError};

use super::boundary::{c_text, catch, enter, Fault};
use super::handle::{Registry, UPLOAD};
use crate::api::remote::Remote;
use crate::api::upload::Upload;
use crate::error::Error;
use crate::ffi::status::{self, RESUP_E_BUSY, RESUP_E_INTERNAL, RESUP_OK};
use crate::ffi::types::{resup_status, resup_upload};

pub(crate) static UPLOADS: Registry<Entry> = Registry::new("an upload", UPLOAD);

/// What a handle stands for.
pub(crate) struct Entry {
    /// For one call at a time; empty once freed.
    pub(crate) upload: Mutex<Option<Upload>>,
    /// For every thread at any time.
    pub(crate) remote: Remote,
    poisoned: AtomicBool,
    /// What went wrong in the last call that failed.
    message: Mutex<String>,
    /// Whether the last run's failure may pass.
    retryable: AtomicBool,
    /// The strings returned, each once. They are kept to the end: another thread may be reading one
    /// while this one begins a run.
    returned: Mutex<Vec<CString>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Entry {
    pub(crate) fn new(upload: Upload) -> Self {
        Entry {
            remote: upload.remote(),
            upload: Mutex::new(Some(upload)),
            poisoned: AtomicBool::new(false),
            message: Mutex::default(),
            retryable: AtomicBool::new(false),
            returned: Mutex::default(),
        }
    }

    /// Returns a pointer to a copy of `text` that stays valid as long as the upload.
    pub(crate) fn return_string(&self, text: &str) -> *const c_char {
        let text = c_text(text);
        let mut returned = lock(&self.returned);
        if let Some(same) = returned.iter().find(|other| **other == text) {
            return same.as_ptr();
        }
        let pointer = text.as_ptr();
        returned.push(text);
        pointer
    }

    pub(crate) fn error_message(&self) -> *const c_char {
        let mut message = lock(&self.message).clone();
        if message.is_empty() {
            let failure = self.remote.failure();
            message = failure.map_or(message, |failure| failure.to_string());
        }
        self.return_string(&message)
    }

    pub(crate) fn is_retryable(&self) -> bool {
        self.retryable.load(Relaxed)
    }

    fn keep(&self, message: &str) {
        *lock(&self.message) = message.to_owned();
    }

    /// Runs `body` on the upload, if no other call is inside, and keeps its failure.
    pub(crate) fn with_upload(
        &self,
        body: impl FnOnce(&mut Upload) -> Result<resup_status, Fault>,
    ) -> Result<resup_status, Fault> {
        let mut body = Some(body);
        self.with_upload_once(&mut |upload| body.take().expect("called once")(upload))
    }

    /// One piece of machine code for all calls.
    fn with_upload_once(
        &self,
        body: &mut dyn FnMut(&mut Upload) -> Result<resup_status, Fault>,
    ) -> Result<resup_status, Fault> {
        let mut guard = match self.upload.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Not kept: the handle's message belongs to the thread that is inside.
            Err(TryLockError::WouldBlock) => {
                return Err(Fault::new(
                    RESUP_E_BUSY,
                    "another thread, or a callback, is inside a call on this upload",
                ))
            }
        };
        let result = catch(|| {
            if self.poisoned.load(Relaxed) {
                let why = "an internal error was caught on this upload before; free it";
                return Err(Fault::new(RESUP_E_INTERNAL, why));
            }
            let freed = || Fault::new(status::RESUP_E_FREED, "the upload is being freed");
            body(guard.as_mut().ok_or_else(freed)?)
        });
        if let Err(fault) = &result {
            if fault.status == RESUP_E_INTERNAL {
                self.poisoned.store(true, Relaxed);
            }
            self.keep(&fault.message);
        }
        result
    }
}

/// Runs the body of a call that needs the upload for itself.
pub(crate) fn with_upload(
    handle: *mut resup_upload,
    body: impl FnOnce(&mut Upload) -> Result<(), Fault>,
) -> resup_status {
    enter(0, || {
        let entry = UPLOADS.get(handle as usize)?;
        entry.with_upload(|upload| body(upload).map(|()| RESUP_OK))
    })
}

/// Returns the value of a getter; `none` for a handle that is not valid.
pub(crate) fn read<T>(handle: *const resup_upload, none: T, body: impl FnOnce(&Entry) -> T) -> T {
    let mut value = none;
    enter(0, || {
        value = body(&*UPLOADS.get(handle as usize)?);
        Ok(RESUP_OK)
    });
    value
}

/// What starts a run or a discard.
pub(crate) type Start = fn(&mut Upload) -> Result<(), Error>;

/// Starts a run or a discard.
pub(crate) fn start_run(entry: &Entry, upload: &mut Upload, start: Start) -> Result<(), Fault> {
    entry.retryable.store(false, Relaxed);
    start(upload)?;
    upload.release();
    entry.keep("");
    Ok(())
}

/// Turns a run's outcome into a status; its details stay with the handle.
pub(crate) fn finish_run(entry: &Entry, outcome: Result<(), Error>) -> Result<resup_status, Fault> {
    let Err(error) = outcome else {
        entry.keep("");
        return Ok(RESUP_OK);
    };
    entry.keep(&error.to_string());
    entry.retryable.store(error.is_retryable(), Relaxed);
    let code = status::of(&error);
    match code {
        // A defect: poison the handle.
        RESUP_E_INTERNAL => Err(error.into()),
        code => Ok(code),
    }
}

/// Runs the body of a call that is legal at any time.
pub(crate) fn with_remote(handle: *mut resup_upload, act: impl FnOnce(&Remote)) -> resup_status {
    enter(0, || {
        act(&UPLOADS.get(handle as usize)?.remote);
        Ok(RESUP_OK)
    })
}
