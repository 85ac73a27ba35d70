//! `resup_upload`: one file's job; made, run, ended.

use std::ffi::{c_char, c_void};
use std::sync::TryLockError;
use std::time::Duration;

use super::boundary::{enter, Fault};
use super::client::{client_of, resup_client};
use super::entry::{begin, conclude, remotely, Entry, UPLOADS};
use super::status::{
    resup_status, RESUP_E_BUSY, RESUP_E_NULL, RESUP_E_SYSTEM, RESUP_OK, RESUP_PENDING,
};
use super::text::{text, utf16_path};
use crate::api::client::Client;
use crate::api::remote::Remote;
use crate::api::upload::Upload;

/// One file's job.
pub struct resup_upload(());

/// For resup_upload_wait: this and everything above means as long as it takes.
pub const RESUP_FOREVER: u32 = 0x7FFF_FFFF;

/// What a constructor does around the making of its upload.
pub(super) fn make(
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
        let handle = UPLOADS.insert(Entry::new(upload));
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
        let path = unsafe { utf16_path("path", path) }?;
        Ok(Upload::from_file(client, path)?)
    })
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
///         started before; #RESUP_E_BUSY, #RESUP_E_SYSTEM, #RESUP_E_INTERNAL or a handle's error.
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
///         #RESUP_E_INTERNAL or a handle's error
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
