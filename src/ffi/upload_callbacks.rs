//! Upload: callbacks
//!
//! Callbacks are called from within resup_upload_run and resup_upload_wait, on the thread that
//! called these. A callback that is registered takes the place of the earlier one.
//!
//! @param upload     an upload
//! @param callback   the function that is called; NULL for none
//! @param user_data  given to the callback; may be NULL
//! @param destroy    releases user_data, at once when registering fails; may be NULL
//! @return #RESUP_OK, #RESUP_E_BUSY or a handle's error
//!
//! Threads: one at a time. Callbacks: the destroy function of the one replaced.

use std::ffi::c_void;

use super::internal::callback::{flow, UserData};
use super::internal::entry::with_upload;
use super::internal::float::in_program_state;
use super::status::{self, RESUP_OK};
use super::types::{resup_destroy_callback, resup_status, resup_upload};
use crate::api::upload::Upload;
use crate::control::flow::Flow;
use crate::control::snapshot::UploadState;

/// Takes the numbers, about ten times a second while they change, and a last time before the end.
///
/// @param upload    the upload; its getters and resup_upload_cancel may be called
/// @param position  bytes of the file that the server has or that are on their way
/// @param size      bytes in the whole file, or #RESUP_SIZE_UNKNOWN
/// @return #RESUP_CONTINUE, or anything else to cancel
pub type resup_progress_callback = Option<
    unsafe extern "C" fn(
        upload: *mut resup_upload,
        position: u64,
        size: u64,
        user_data: *mut c_void,
    ) -> i32,
>;

/// Registers the progress callback.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_on_progress(
    upload: *mut resup_upload,
    callback: resup_progress_callback,
    user_data: *mut c_void,
    destroy: resup_destroy_callback,
) -> resup_status {
    register(upload, user_data, destroy, |upload, own| {
        upload.on_progress(move |now| {
            callback.map_or(Flow::Continue, |callback| {
                // SAFETY: the program registered this function with this data for these arguments.
                flow(in_program_state(|| unsafe {
                    callback(own.upload(), now.position, now.size, own.data())
                }))
            })
        });
    })
}

/// Not started. (0 is no state: getters return it for a handle that is not valid.)
pub const RESUP_STATE_READY: i32 = 1;
/// Reading what the server already has, for the digest.
pub const RESUP_STATE_HASHING: i32 = 2;
/// Asking the server what it has.
pub const RESUP_STATE_LOCATING: i32 = 3;
/// Sending.
pub const RESUP_STATE_SENDING: i32 = 4;
/// Everything is handed over; the server is to confirm it.
pub const RESUP_STATE_VERIFYING: i32 = 5;
/// Waiting to try again; see resup_upload_retry_in and resup_upload_error_message.
pub const RESUP_STATE_WAITING: i32 = 6;
/// Paused by the program.
pub const RESUP_STATE_PAUSED: i32 = 7;
/// The server has confirmed the whole file.
pub const RESUP_STATE_COMPLETE: i32 = 8;
/// Given up; see resup_upload_error_message.
pub const RESUP_STATE_FAILED: i32 = 9;
/// Ended by the program.
pub const RESUP_STATE_CANCELLED: i32 = 10;

/// Takes each new state.
///
/// @param state  one of the RESUP_STATE_ constants
/// @return #RESUP_CONTINUE, or anything else to cancel
pub type resup_state_callback = Option<
    unsafe extern "C" fn(upload: *mut resup_upload, state: i32, user_data: *mut c_void) -> i32,
>;

/// Registers the state callback.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_on_state(
    upload: *mut resup_upload,
    callback: resup_state_callback,
    user_data: *mut c_void,
    destroy: resup_destroy_callback,
) -> resup_status {
    register(upload, user_data, destroy, |upload, own| {
        upload.on_state(move |state| {
            callback.map_or(Flow::Continue, |callback| {
                // SAFETY: the program registered this function with this data for these arguments.
                flow(in_program_state(|| unsafe {
                    callback(own.upload(), code(state), own.data())
                }))
            })
        });
    })
}

/// Takes the outcome, once at the end of every run, after all other callbacks.
///
/// @param status  what resup_upload_run or resup_upload_wait is about to return
/// @return not looked at; return #RESUP_CONTINUE
pub type resup_complete_callback = Option<
    unsafe extern "C" fn(
        upload: *mut resup_upload,
        status: resup_status,
        user_data: *mut c_void,
    ) -> i32,
>;

/// Registers the completion callback: the last one of a run, once, when its end is first told.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_on_complete(
    upload: *mut resup_upload,
    callback: resup_complete_callback,
    user_data: *mut c_void,
    destroy: resup_destroy_callback,
) -> resup_status {
    register(upload, user_data, destroy, |upload, own| {
        upload.on_complete(move |outcome| {
            let status = outcome.as_ref().map_or_else(status::of, |()| RESUP_OK);
            if let Some(callback) = callback {
                // SAFETY: the program registered this function with this data for these arguments.
                in_program_state(|| unsafe { callback(own.upload(), status, own.data()) });
            }
        });
    })
}

/// Returns the code of a state.
pub(super) fn code(state: UploadState) -> i32 {
    match state {
        UploadState::Ready => RESUP_STATE_READY,
        UploadState::Hashing => RESUP_STATE_HASHING,
        UploadState::Locating => RESUP_STATE_LOCATING,
        UploadState::Sending => RESUP_STATE_SENDING,
        UploadState::Verifying => RESUP_STATE_VERIFYING,
        UploadState::Waiting => RESUP_STATE_WAITING,
        UploadState::Paused => RESUP_STATE_PAUSED,
        UploadState::Complete => RESUP_STATE_COMPLETE,
        UploadState::Failed => RESUP_STATE_FAILED,
        UploadState::Cancelled => RESUP_STATE_CANCELLED,
    }
}

/// What a registered callback is called with besides its own arguments.
struct Registration {
    /// The handle; it is a number, so it may travel.
    upload: usize,
    data: UserData,
}

impl Registration {
    fn upload(&self) -> *mut resup_upload {
        self.upload as *mut resup_upload
    }

    fn data(&self) -> *mut c_void {
        self.data.pointer()
    }
}

/// Registers a callback; `set` gives it to the upload.
fn register(
    upload: *mut resup_upload,
    user_data: *mut c_void,
    destroy: resup_destroy_callback,
    set: impl FnOnce(&mut Upload, Registration),
) -> resup_status {
    let own = Registration {
        upload: upload as usize,
        data: UserData::new(user_data, destroy),
    };
    with_upload(upload, |upload| {
        set(upload, own);
        Ok(())
    })
}
