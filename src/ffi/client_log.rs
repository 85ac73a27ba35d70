//! Client: log
//!
//! What uploads tell of their course. Secrets and file contents are never logged.

use std::ffi::{c_char, c_void};

use super::internal::boundary::{c_text, Fault};
use super::internal::callback::{flow, UserData};
use super::internal::clients::set;
use super::internal::float::in_program_state;
use super::status::RESUP_E_ARGUMENT;
use super::types::{resup_client, resup_destroy_callback, resup_status};
use crate::control::log::LogLevel;

/// An upload has failed.
pub const RESUP_LOG_ERROR: i32 = 1;
/// Something unusual that the upload gets over: a lost connection, a prefix that differs.
pub const RESUP_LOG_WARN: i32 = 2;
/// The course of an upload.
pub const RESUP_LOG_INFO: i32 = 3;
/// Every step.
pub const RESUP_LOG_DEBUG: i32 = 4;

/// Takes a line of the log.
///
/// @param level      one of the RESUP_LOG_ constants
/// @param message    one line of UTF-8; valid during the call
/// @param user_data  what was registered with the callback
/// @return #RESUP_CONTINUE, or anything else to cancel the upload
pub type resup_log_callback =
    Option<unsafe extern "C" fn(level: i32, message: *const c_char, user_data: *mut c_void) -> i32>;

/// Registers a log callback, in place of an earlier one, from the next run of each upload on.
///
/// @param client     a client
/// @param level      the least important level that is wanted, one of the RESUP_LOG_ constants
/// @param callback   called from within resup_upload_run and resup_upload_wait, on the threads that
///                   called these, so perhaps on several at once; NULL for none
/// @param user_data  given to the callback; may be NULL
/// @param destroy    releases user_data when the callback has been replaced and no upload has it
///                   from its last run, or client and uploads have been freed; on the thread that
///                   does the last of these; at once when registering fails; may be NULL
/// @return #RESUP_OK, #RESUP_E_ARGUMENT for another level, or a handle's error
///
/// Threads: any. Callbacks: the destroy function of the one replaced.
#[no_mangle]
pub unsafe extern "C" fn resup_client_on_log(
    client: *mut resup_client,
    level: i32,
    callback: resup_log_callback,
    user_data: *mut c_void,
    destroy: resup_destroy_callback,
) -> resup_status {
    let data = UserData::new(user_data, destroy);
    set(client, |client| {
        let level = match level {
            RESUP_LOG_ERROR => LogLevel::Error,
            RESUP_LOG_WARN => LogLevel::Warn,
            RESUP_LOG_INFO => LogLevel::Info,
            RESUP_LOG_DEBUG => LogLevel::Debug,
            other => {
                let why = format!("the log level {other} is none of 1 (error) to 4 (debug)");
                return Err(Fault::new(RESUP_E_ARGUMENT, why));
            }
        };
        let Some(callback) = callback else {
            client.set_logger(None);
            return Ok(());
        };
        client.on_log(level, move |level, line| {
            let data = &data;
            let line = c_text(line);
            // SAFETY: the program registered this function with this data for these arguments.
            flow(in_program_state(|| unsafe {
                callback(level_code(level), line.as_ptr(), data.pointer())
            }))
        });
        Ok(())
    })
}

fn level_code(level: LogLevel) -> i32 {
    match level {
        LogLevel::Error => RESUP_LOG_ERROR,
        LogLevel::Warn => RESUP_LOG_WARN,
        LogLevel::Info => RESUP_LOG_INFO,
        LogLevel::Debug => RESUP_LOG_DEBUG,
    }
}
