//! Upload: running
//!
//! A run goes on until the server has confirmed the whole file, or until it fails. What the server
//! has is kept there: after a failure or a cancel the upload may be run again, and goes on from
//! there. resup_upload_cancel, resup_upload_pause and resup_upload_resume return at once.
//!
//! @param upload  an upload
//! @return #RESUP_OK or a handle's error
//!
//! Threads: any, at any time, callbacks included. Callbacks: none.

use std::time::Duration;

use super::internal::boundary::enter;
use super::internal::entry::{finish_run, start_run, with_remote, Start, UPLOADS};
use super::status::{RESUP_OK, RESUP_PENDING};
use super::types::{resup_status, resup_upload};
use crate::api::remote::Remote;
use crate::api::upload::Upload;

/// Uploads, and returns at the end. On the way the callbacks are called, on this thread. After a
/// lost connection or a failure of the server it waits and goes on, within the client's limits.
///
/// @return #RESUP_OK when the server has confirmed the whole file; #RESUP_E_CANCELLED; any of the
///         errors of the file, the network and the server; #RESUP_E_ARGUMENT when it still needs
///         a name; #RESUP_E_STATE when it was started before; #RESUP_E_BUSY, #RESUP_E_SYSTEM,
///         #RESUP_E_INTERNAL or a handle's error. resup_upload_error_message tells more.
///
/// Threads: one at a time. Callbacks: all.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_run(upload: *mut resup_upload) -> resup_status {
    run_to_end(upload, Upload::start)
}

/// Starts a run or a discard, and returns at its end.
fn run_to_end(handle: *mut resup_upload, start: Start) -> resup_status {
    enter(0, || {
        let entry = UPLOADS.get(handle as usize)?;
        entry.with_upload(|upload| {
            start_run(&entry, upload, start)?;
            loop {
                if let Some(outcome) = upload.wait(Duration::MAX) {
                    return finish_run(&entry, outcome);
                }
            }
        })
    })
}

/// Starts an upload and returns at once. It goes on by itself, on a thread of the library, which
/// calls nothing: call resup_upload_wait, from a timer for example, for the callbacks and the end.
///
/// @return #RESUP_OK; #RESUP_E_STATE when it is running; #RESUP_E_ARGUMENT when it still needs a
///         name; #RESUP_E_BUSY, #RESUP_E_SYSTEM, #RESUP_E_INTERNAL or a handle's error
///
/// Threads: one at a time. Callbacks: the destroy function of a log callback that was replaced.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_start(upload: *mut resup_upload) -> resup_status {
    enter(0, || {
        let entry = UPLOADS.get(upload as usize)?;
        entry.with_upload(|upload| {
            start_run(&entry, upload, Upload::start)?;
            Ok(RESUP_OK)
        })
    })
}

/// For resup_upload_wait: this and everything above means as long as it takes.
pub const RESUP_FOREVER: u32 = 0x7FFF_FFFF;

/// Calls the callbacks for what happened since the last call, on this thread, and waits for more.
/// Without it no outcome is lost, but of states and log lines all but the last 64 and 1000.
///
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
        entry.with_upload(|upload| match upload.wait(timeout) {
            Some(outcome) => finish_run(&entry, outcome),
            None => Ok(RESUP_PENDING),
        })
    })
}

/// Takes an upload back, and returns at the end: the server drops what it has of the file, and a
/// later run begins anew. A complete file stays. What the server does not have is a success, too.
/// Time limits, retries and a cancel are as in a run. A success removes the state file.
///
/// @return #RESUP_OK; #RESUP_E_REFUSED for a complete file, and where the server takes none back;
///         #RESUP_E_STATE during a run, or when its URL is not known (tus); else as resup_upload_run
///
/// Threads: one at a time. Callbacks: those for states, for the log, and of a stream.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_discard(upload: *mut resup_upload) -> resup_status {
    run_to_end(upload, Upload::start_discard)
}

/// Ends a run or a discard: the call inside returns #RESUP_E_CANCELLED within 100 ms, also when the
/// network hangs. Before the first run it ends that one at its start; after a run it does nothing.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_cancel(upload: *mut resup_upload) -> resup_status {
    with_remote(upload, Remote::cancel)
}

/// Pauses an upload: its connection is closed, and it waits for resup_upload_resume.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_pause(upload: *mut resup_upload) -> resup_status {
    with_remote(upload, Remote::pause)
}

/// Goes on after resup_upload_pause, from where the server is then.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_resume(upload: *mut resup_upload) -> resup_status {
    with_remote(upload, Remote::resume)
}
