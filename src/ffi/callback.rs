//! The host's functions: how they are declared, kept and let go.

use std::ffi::{c_char, c_void};

use super::float::hosts;
use super::status::resup_status;
use super::upload::resup_upload;
use crate::control::flow::Flow;

/// What a callback answers when the upload is to go on. Any other answer cancels it.
pub const RESUP_CONTINUE: i32 = 0;

/// Told about ten times a second while the numbers change, and a last time before the end.
///
/// @param upload     the upload; its getters and resup_upload_cancel may be called
/// @param position   bytes of the file that the server has or that are on their way
/// @param size       bytes in the whole file
/// @param user_data  what was registered with the callback
/// @return #RESUP_CONTINUE, or anything else to cancel
pub type resup_progress_callback = Option<
    unsafe extern "C" fn(
        upload: *mut resup_upload,
        position: u64,
        size: u64,
        user_data: *mut c_void,
    ) -> i32,
>;

/// Told each new state.
///
/// @param upload     the upload
/// @param state      one of the RESUP_STATE_ constants
/// @param user_data  what was registered with the callback
/// @return #RESUP_CONTINUE, or anything else to cancel
pub type resup_state_callback = Option<
    unsafe extern "C" fn(upload: *mut resup_upload, state: i32, user_data: *mut c_void) -> i32,
>;

/// Told once at the end of every run, whatever its outcome, after all other callbacks.
///
/// @param upload     the upload
/// @param status     what resup_upload_run or resup_upload_wait is about to return
/// @param user_data  what was registered with the callback
/// @return not looked at; return #RESUP_CONTINUE
pub type resup_complete_callback = Option<
    unsafe extern "C" fn(
        upload: *mut resup_upload,
        status: resup_status,
        user_data: *mut c_void,
    ) -> i32,
>;

/// Told what an upload has to tell.
///
/// @param level      one of the RESUP_LOG_ constants
/// @param message    one line of UTF-8, borrowed for the call
/// @param user_data  what was registered with the callback
/// @return #RESUP_CONTINUE, or anything else to cancel the upload
pub type resup_log_callback =
    Option<unsafe extern "C" fn(level: i32, message: *const c_char, user_data: *mut c_void) -> i32>;

/// Reads from where the last read ended, or the last seek went.
///
/// @param buffer     where the bytes go
/// @param size       the most bytes to put there; more than 0
/// @param read       where the number of bytes put there goes: at least 1, or 0 at the end
/// @param user_data  what was registered with the stream
/// @return 0, or any code of the program's own for a failure: the upload ends with
///         #RESUP_E_SOURCE_IO, and the message has the code
pub type resup_read_callback = Option<
    unsafe extern "C" fn(
        buffer: *mut c_void,
        size: usize,
        read: *mut usize,
        user_data: *mut c_void,
    ) -> i32,
>;

/// Sets where the next read begins.
///
/// @param offset     bytes from the start; never more than the size
/// @param user_data  what was registered with the stream
/// @return as for resup_read_callback
pub type resup_seek_callback =
    Option<unsafe extern "C" fn(offset: u64, user_data: *mut c_void) -> i32>;

/// Tells how many bytes there are in the whole. The next read comes after a seek.
///
/// @param size       where the number goes
/// @param user_data  what was registered with the stream
/// @return as for resup_read_callback
pub type resup_size_callback =
    Option<unsafe extern "C" fn(size: *mut u64, user_data: *mut c_void) -> i32>;

/// Called once when the library lets go of a callback's `user_data`: when another callback
/// takes its place, or when the handle is freed; on the thread that does so. May be NULL.
pub type resup_destroy_callback = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// A callback's `user_data`, let go at the end of its life.
pub(super) struct UserData {
    pointer: *mut c_void,
    destroy: resup_destroy_callback,
}

// SAFETY: the pointer is only handed back to the host, on the threads on which the host calls
// `run`, `wait`, the setters and `free`; one at a time, which the handle's lock ensures.
unsafe impl Send for UserData {}

// SAFETY: only the pointer's value is read through a shared reference. A log callback is told to
// the host to run on several threads at once, so what it points to is fit for that.
unsafe impl Sync for UserData {}

impl UserData {
    pub(super) fn new(pointer: *mut c_void, destroy: resup_destroy_callback) -> Self {
        UserData { pointer, destroy }
    }

    pub(super) fn pointer(&self) -> *mut c_void {
        self.pointer
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the host registered this function for this pointer; it is called once.
            hosts(|| unsafe { destroy(self.pointer) });
        }
    }
}

/// What a callback's answer means.
pub(super) fn flow(answer: i32) -> Flow {
    match answer {
        RESUP_CONTINUE => Flow::Continue,
        _ => Flow::Cancel,
    }
}
