//! The callbacks of an upload.

use std::ffi::c_void;

use super::callback::{
    flow, resup_complete_callback, resup_destroy_callback, resup_progress_callback,
    resup_state_callback, UserData,
};
use super::entry::alone;
use super::float::hosts;
use super::status::{self, resup_status, RESUP_OK};
use super::upload::resup_upload;
use crate::api::upload::Upload;
use crate::control::flow::Flow;
use crate::control::snapshot::UploadState;

/// Not started. (0 is no state: getters answer it for a handle that is not valid.)
pub const RESUP_STATE_READY: i32 = 1;
/// Reading what the server already has, for the digest.
pub const RESUP_STATE_HASHING: i32 = 2;
/// Asking the server what it has.
pub const RESUP_STATE_LOCATING: i32 = 3;
/// Sending.
pub const RESUP_STATE_SENDING: i32 = 4;
/// Everything is handed over; the server is to confirm it.
pub const RESUP_STATE_VERIFYING: i32 = 5;
/// Waiting to try again; see resup_upload_retry_in.
pub const RESUP_STATE_WAITING: i32 = 6;
/// Paused by the program.
pub const RESUP_STATE_PAUSED: i32 = 7;
/// The server has confirmed the whole file.
pub const RESUP_STATE_COMPLETE: i32 = 8;
/// Given up; see resup_upload_error_message.
pub const RESUP_STATE_FAILED: i32 = 9;
/// Ended by the program.
pub const RESUP_STATE_CANCELLED: i32 = 10;

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
struct Host {
    /// The handle; it is a number, so it may travel.
    upload: usize,
    data: UserData,
}

impl Host {
    fn upload(&self) -> *mut resup_upload {
        self.upload as *mut resup_upload
    }

    fn data(&self) -> *mut c_void {
        self.data.pointer()
    }
}

/// What the three registrations have in common.
fn register(
    upload: *mut resup_upload,
    user_data: *mut c_void,
    destroy: resup_destroy_callback,
    set: impl FnOnce(&mut Upload, Host),
) -> resup_status {
    let host = Host {
        upload: upload as usize,
        data: UserData::new(user_data, destroy),
    };
    alone(upload, |upload| {
        set(upload, host);
        Ok(())
    })
}

/// Registers the progress callback, in place of an earlier one.
///
/// @param upload     an upload
/// @param callback   called from within resup_upload_run and resup_upload_wait, on the thread
///                   that called these; NULL for none
/// @param user_data  handed to the callback; may be NULL
/// @param destroy    called once when the library lets go of user_data; may be NULL. When
///                   registering fails, it is called at once.
/// @return #RESUP_OK, #RESUP_E_BUSY or a handle's error
///
/// Threads: one at a time. Callbacks: the destroy function of the one replaced.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_on_progress(
    upload: *mut resup_upload,
    callback: resup_progress_callback,
    user_data: *mut c_void,
    destroy: resup_destroy_callback,
) -> resup_status {
    register(upload, user_data, destroy, |upload, host| {
        upload.on_progress(move |now| {
            callback.map_or(Flow::Continue, |callback| {
                // SAFETY: the host registered this function with this data for these arguments.
                flow(hosts(|| unsafe {
                    callback(host.upload(), now.position, now.size, host.data())
                }))
            })
        });
    })
}

/// Registers the state callback, in place of an earlier one.
///
/// @param upload     an upload
/// @param callback   as for resup_upload_on_progress
/// @param user_data  as for resup_upload_on_progress
/// @param destroy    as for resup_upload_on_progress
/// @return #RESUP_OK, #RESUP_E_BUSY or a handle's error
///
/// Threads: one at a time. Callbacks: the destroy function of the one replaced.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_on_state(
    upload: *mut resup_upload,
    callback: resup_state_callback,
    user_data: *mut c_void,
    destroy: resup_destroy_callback,
) -> resup_status {
    register(upload, user_data, destroy, |upload, host| {
        upload.on_state(move |state| {
            callback.map_or(Flow::Continue, |callback| {
                // SAFETY: the host registered this function with this data for these arguments.
                flow(hosts(|| unsafe {
                    callback(host.upload(), code(state), host.data())
                }))
            })
        });
    })
}

/// Registers the completion callback, in place of an earlier one. It is called exactly once for
/// every run whose end resup_upload_run or resup_upload_wait tells, as the last callback.
///
/// @param upload     an upload
/// @param callback   as for resup_upload_on_progress
/// @param user_data  as for resup_upload_on_progress
/// @param destroy    as for resup_upload_on_progress
/// @return #RESUP_OK, #RESUP_E_BUSY or a handle's error
///
/// Threads: one at a time. Callbacks: the destroy function of the one replaced.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_on_complete(
    upload: *mut resup_upload,
    callback: resup_complete_callback,
    user_data: *mut c_void,
    destroy: resup_destroy_callback,
) -> resup_status {
    register(upload, user_data, destroy, |upload, host| {
        upload.on_complete(move |outcome| {
            let status = outcome.as_ref().map_or_else(status::of, |()| RESUP_OK);
            if let Some(callback) = callback {
                // SAFETY: the host registered this function with this data for these arguments.
                hosts(|| unsafe { callback(host.upload(), status, host.data()) });
            }
        });
    })
}
