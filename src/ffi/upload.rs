//! `resup_upload`: one file's job; made, run, ended.

use std::ffi::{c_char, c_void, CString};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use super::boundary::{c_text, caught, enter, Fault};
use super::client::{client_of, resup_client};
use super::handle::{Registry, UPLOAD};
use super::status::{
    self, resup_status, RESUP_E_BUSY, RESUP_E_NULL, RESUP_E_PANIC, RESUP_E_SYSTEM, RESUP_E_UTF8,
    RESUP_OK, RESUP_PENDING,
};
use super::text::{text, utf16};
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::remote::Remote;
use crate::upload::Upload;

/// One file's job.
pub struct resup_upload(());

/// For resup_upload_wait: this and everything above means as long as it takes.
pub const RESUP_FOREVER: u32 = 0x7FFF_FFFF;

static UPLOADS: Registry<Entry> = Registry::new("an upload", UPLOAD);

/// What a handle stands for.
pub(super) struct Entry {
    /// For one call at a time; empty once freed.
    upload: Mutex<Option<Upload>>,
    /// For every thread at any time.
    pub(super) remote: Remote,
    poisoned: AtomicBool,
    /// What went wrong in the last call that failed.
    message: Mutex<CString>,
    /// Whether the last run's failure may pass.
    retryable: AtomicBool,
    /// Texts handed out, kept until the next run so that no pointer dangles.
    lent: Mutex<Vec<CString>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Entry {
    /// A pointer to a copy of `text` that stays valid until the next run.
    pub(super) fn lend(&self, text: &str) -> *const c_char {
        let text = c_text(text);
        let mut lent = lock(&self.lent);
        if let Some(same) = lent.iter().find(|other| **other == text) {
            return same.as_ptr();
        }
        let pointer = text.as_ptr();
        lent.push(text);
        pointer
    }

    pub(super) fn error_message(&self) -> *const c_char {
        lock(&self.message).as_ptr()
    }

    pub(super) fn is_retryable(&self) -> bool {
        self.retryable.load(Relaxed)
    }

    fn keep(&self, message: &str) {
        *lock(&self.message) = c_text(message);
    }

    /// Runs `body` on the upload, if no other call is at it, and keeps its failure.
    fn alone(
        &self,
        body: impl FnOnce(&mut Upload) -> Result<resup_status, Fault>,
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
        let result = caught(|| {
            if self.poisoned.load(Relaxed) {
                let why = "an internal error was caught on this upload before; free it";
                return Err(Fault::new(RESUP_E_PANIC, why));
            }
            let freed = || Fault::new(status::RESUP_E_FREED, "the upload is being freed");
            body(guard.as_mut().ok_or_else(freed)?)
        });
        if let Err(fault) = &result {
            if fault.status == RESUP_E_PANIC {
                self.poisoned.store(true, Relaxed);
            }
            self.keep(&fault.message);
        }
        result
    }
}

/// The body of a call that needs the upload for itself.
pub(super) fn alone(
    handle: *mut resup_upload,
    body: impl FnOnce(&mut Upload) -> Result<(), Fault>,
) -> resup_status {
    enter(0, || {
        let entry = UPLOADS.get(handle as usize)?;
        entry.alone(|upload| body(upload).map(|()| RESUP_OK))
    })
}

/// The value of a getter; `none` for a handle that is not valid.
pub(super) fn read<T>(handle: *const resup_upload, none: T, body: impl FnOnce(&Entry) -> T) -> T {
    let mut value = none;
    enter(0, || {
        value = body(&*UPLOADS.get(handle as usize)?);
        Ok(RESUP_OK)
    });
    value
}

/// What a constructor does around the making of its upload.
fn make(
    client: *mut resup_client,
    out: *mut *mut resup_upload,
    body: impl FnOnce(&Client) -> Result<Upload, Fault>,
) -> resup_status {
    enter(client as usize, || {
        let client = client_of(client)?;
        if out.is_null() {
            return Err(Fault::new(RESUP_E_NULL, "the place for the upload is NULL"));
        }
        let upload = body(&client)?;
        let handle = UPLOADS.insert(Entry {
            remote: upload.remote(),
            upload: Mutex::new(Some(upload)),
            poisoned: AtomicBool::new(false),
            message: Mutex::default(),
            retryable: AtomicBool::new(false),
            lent: Mutex::default(),
        });
        // SAFETY: not NULL, and the header demands a writable place.
        unsafe { *out = handle as *mut resup_upload };
        Ok(RESUP_OK)
    })
}

/// Makes an upload of a file, under the file's own name.
///
/// @param client  the server to upload to; may be freed before the upload
/// @param path    the file, UTF-8; copied
/// @param out     where the upload goes on success; to be freed with resup_upload_free
/// @return #RESUP_OK; #RESUP_E_SOURCE_NOT_FOUND, #RESUP_E_SOURCE_DENIED,
///         #RESUP_E_SOURCE_NOT_A_FILE, #RESUP_E_SOURCE_IO; #RESUP_E_ARGUMENT for a name that
///         cannot be one; #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error. After a failure,
///         resup_client_error_message tells more.
///
/// Nothing is sent yet, and the file is not kept open. Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_new_file(
    client: *mut resup_client,
    path: *const c_char,
    out: *mut *mut resup_upload,
) -> resup_status {
    make(client, out, |client| {
        // SAFETY: the header demands a C string or NULL.
        let path = unsafe { text("path", path) }?;
        Ok(Upload::from_file(client, path)?)
    })
}

/// As resup_upload_new_file, with a path in UTF-16, as Windows and Java have it.
///
/// @param client  the server to upload to; may be freed before the upload
/// @param path    the file, UTF-16 in the machine's byte order, ending with 0; copied
/// @param out     where the upload goes on success; to be freed with resup_upload_free
/// @return as resup_upload_new_file
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_new_file_utf16(
    client: *mut resup_client,
    path: *const u16,
    out: *mut *mut resup_upload,
) -> resup_status {
    make(client, out, |client| {
        // SAFETY: the header demands 0-terminated UTF-16 or NULL.
        let units = unsafe { utf16("path", path) }?;
        Ok(Upload::from_file(client, path_of(units)?)?)
    })
}

#[cfg(windows)]
fn path_of(units: &[u16]) -> Result<PathBuf, Fault> {
    use std::os::windows::ffi::OsStringExt;
    Ok(std::ffi::OsString::from_wide(units).into())
}

#[cfg(not(windows))]
fn path_of(units: &[u16]) -> Result<PathBuf, Fault> {
    let path = String::from_utf16(units)
        .map_err(|_| Fault::new(RESUP_E_UTF8, "the path is not valid UTF-16"))?;
    Ok(path.into())
}

/// Makes an upload of bytes in memory.
///
/// @param client  the server to upload to; may be freed before the upload
/// @param data    the bytes; copied; may be NULL when there are none
/// @param size    how many
/// @param name    the file name for the server, UTF-8; copied
/// @param out     where the upload goes on success; to be freed with resup_upload_free
/// @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8, #RESUP_E_SYSTEM when there
///         is no memory for the copy, or a handle's error. After a failure,
///         resup_client_error_message tells more.
///
/// Its MD5 is computed before it is sent, since nothing else tells two versions of it apart.
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_new_memory(
    client: *mut resup_client,
    data: *const c_void,
    size: usize,
    name: *const c_char,
    out: *mut *mut resup_upload,
) -> resup_status {
    make(client, out, |client| {
        // SAFETY: the header demands a C string or NULL.
        let name = unsafe { text("name", name) }?;
        let mut bytes = Vec::new();
        if size > 0 {
            if data.is_null() {
                return Err(Fault::new(RESUP_E_NULL, "the data is NULL"));
            }
            // Fails for sizes that no slice can have, too.
            bytes.try_reserve_exact(size).map_err(|_| {
                let why = format!("no memory for a copy of {size} bytes; upload a file instead");
                Fault::new(RESUP_E_SYSTEM, why)
            })?;
            // SAFETY: not NULL, the header demands `size` readable bytes, and they are no more
            // than an allocation can have.
            let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), size) };
            bytes.extend_from_slice(data);
        }
        Ok(Upload::from_memory(client, bytes, name)?)
    })
}

/// Frees an upload. One that is under way after resup_upload_start is cancelled, and no callback
/// is called for that; what the server has is kept there.
///
/// @param upload  an upload, or NULL, which does nothing
/// @return #RESUP_OK; #RESUP_E_BUSY while another thread, or a callback of this upload, is
///         inside a call on it; #RESUP_E_FREED, #RESUP_E_HANDLE, #RESUP_E_HANDLE_KIND. After an
///         error nothing has changed.
///
/// Threads: any. Callbacks: the destroy functions of the registered callbacks.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_free(upload: *mut resup_upload) -> resup_status {
    enter(0, || {
        if upload.is_null() {
            return Ok(RESUP_OK);
        }
        let entry = UPLOADS.get(upload as usize)?;
        let taken = match entry.upload.try_lock() {
            Ok(mut guard) => guard.take(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
            Err(TryLockError::WouldBlock) => {
                let why = "the upload is inside a call; cancel it and wait, then free it";
                return Err(Fault::new(RESUP_E_BUSY, why));
            }
        };
        let removed = UPLOADS.remove(upload as usize);
        // Here, with no lock held: the host's destroy functions may call the library.
        drop(taken);
        removed.map(|_| RESUP_OK)
    })
}

/// Uploads, and returns at the end. On the way the callbacks are called, on this thread.
///
/// Breaks of the network and of the server are waited out and gone on from, within the client's
/// limits. After a failure the upload may be run again; it goes on where the server is.
///
/// @param upload  an upload
/// @return #RESUP_OK when the server has confirmed the whole file; #RESUP_E_CANCELLED; any of
///         the errors of the file, the network and the server; #RESUP_E_STATE when it was
///         started before; #RESUP_E_BUSY, #RESUP_E_SYSTEM, #RESUP_E_PANIC or a handle's error.
///         resup_upload_error_message tells more.
///
/// Threads: one at a time. Callbacks: all.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_run(upload: *mut resup_upload) -> resup_status {
    enter(0, || {
        let entry = UPLOADS.get(upload as usize)?;
        entry.alone(|upload| {
            begin(&entry, upload)?;
            loop {
                if let Some(outcome) = upload.wait(Duration::MAX) {
                    return conclude(&entry, outcome);
                }
            }
        })
    })
}

/// Starts an upload and returns at once. It goes on by itself, on a thread of the library, which
/// calls nothing: call resup_upload_wait, from a timer for example, to have the callbacks called
/// and to learn the end.
///
/// @param upload  an upload
/// @return #RESUP_OK; #RESUP_E_STATE when it is under way; #RESUP_E_BUSY, #RESUP_E_SYSTEM,
///         #RESUP_E_PANIC or a handle's error
///
/// Threads: one at a time. Callbacks: the destroy function of a log callback that was replaced.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_start(upload: *mut resup_upload) -> resup_status {
    enter(0, || {
        let entry = UPLOADS.get(upload as usize)?;
        entry.alone(|upload| begin(&entry, upload).map(|()| RESUP_OK))
    })
}

/// Calls the callbacks for what happened since the last call, on this thread, and waits for more.
///
/// @param upload      an upload that was started
/// @param timeout_ms  the most time to wait, in milliseconds; 0 only looks; #RESUP_FOREVER
/// @return #RESUP_PENDING while the upload goes on; at its end, and from then on, what
///         resup_upload_run would have returned; #RESUP_E_STATE before resup_upload_start
///
/// Threads: one at a time. Callbacks: all.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_wait(
    upload: *mut resup_upload,
    timeout_ms: u32,
) -> resup_status {
    enter(0, || {
        let entry = UPLOADS.get(upload as usize)?;
        let timeout = match timeout_ms {
            RESUP_FOREVER.. => Duration::MAX,
            ms => Duration::from_millis(ms.into()),
        };
        entry.alone(|upload| match upload.wait(timeout) {
            Some(outcome) => conclude(&entry, outcome),
            None => Ok(RESUP_PENDING),
        })
    })
}

/// Starts a run; texts lent before it are void now.
fn begin(entry: &Arc<Entry>, upload: &mut Upload) -> Result<(), Fault> {
    // Held over the start: no getter lends a text of the new run before the old ones go.
    let mut lent = lock(&entry.lent);
    upload.start()?;
    lent.clear();
    drop(lent);
    // The host's destroy function may ask for a text.
    upload.let_go();
    entry.keep("");
    entry.retryable.store(false, Relaxed);
    Ok(())
}

/// A run's outcome as a status; its details stay with the handle.
fn conclude(entry: &Entry, outcome: Result<(), Error>) -> Result<resup_status, Fault> {
    let Err(error) = outcome else {
        entry.keep("");
        return Ok(RESUP_OK);
    };
    entry.keep(&error.to_string());
    // A strange answer means a wrong URL, but after good ones a login page in the way.
    let strange = matches!(
        error.kind(),
        ErrorKind::BadAnswer | ErrorKind::AnswerTooLong
    );
    let spoken_before = entry.remote.id().is_some();
    let retryable = error.is_retryable() || strange && spoken_before;
    entry.retryable.store(retryable, Relaxed);
    let code = status::of(&error);
    match code {
        // A defect: poison the handle.
        RESUP_E_PANIC => Err(error.into()),
        code => Ok(code),
    }
}

/// Ends an upload. Returns at once; resup_upload_run or resup_upload_wait returns
/// #RESUP_E_CANCELLED within 100 ms, also when the network hangs. What the server has is kept
/// there. Called before the first run, it ends that run at its beginning; after the end of a
/// run it does nothing.
///
/// @param upload  an upload
/// @return #RESUP_OK or a handle's error
///
/// Threads: any, at any time, callbacks included. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_cancel(upload: *mut resup_upload) -> resup_status {
    remotely(upload, Remote::cancel)
}

/// Pauses an upload: its connection is closed, and it waits for resup_upload_resume. What the
/// server has is kept there. Returns at once.
///
/// @param upload  an upload
/// @return #RESUP_OK or a handle's error
///
/// Threads: any, at any time, callbacks included. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_pause(upload: *mut resup_upload) -> resup_status {
    remotely(upload, Remote::pause)
}

/// Goes on after resup_upload_pause, from where the server is then. Returns at once.
///
/// @param upload  an upload
/// @return #RESUP_OK or a handle's error
///
/// Threads: any, at any time, callbacks included. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_resume(upload: *mut resup_upload) -> resup_status {
    remotely(upload, Remote::resume)
}

/// The body of a call that is legal at any time.
pub(super) fn remotely(handle: *mut resup_upload, act: impl FnOnce(&Remote)) -> resup_status {
    enter(0, || {
        act(&UPLOADS.get(handle as usize)?.remote);
        Ok(RESUP_OK)
    })
}
