//! What can be asked of an upload.

use std::ffi::c_char;
use std::ptr;

use super::entry::{read, Entry};
use super::upload::{resup_upload, RESUP_FOREVER};
use super::upload_events::code;
use crate::api::remote::Remote;
use crate::control::snapshot::Snapshot;

fn number<T: Default>(upload: *const resup_upload, of: impl FnOnce(Snapshot) -> T) -> T {
    read(upload, T::default(), |entry| of(entry.remote.snapshot()))
}

fn lent(upload: *const resup_upload, of: fn(&Remote) -> Option<String>) -> *const c_char {
    read(upload, ptr::null(), |entry: &Entry| {
        of(&entry.remote).map_or(ptr::null(), |text| entry.lend(&text))
    })
}

/// The upload's state, one of the RESUP_STATE_ constants; 0 for a handle that is not valid.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_state(upload: *const resup_upload) -> i32 {
    number(upload, |now| code(now.state))
}

/// Bytes in the whole file; 0 before the first run has opened it.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_size(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.size)
}

/// Bytes that the server has confirmed to hold, from the start of the file.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_offset(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.offset)
}

/// The confirmed bytes and those handed to the network since: what a progress bar shows. It goes
/// back when a break has lost some.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_position(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.position)
}

/// File bytes handed to the network in this run, those that a break lost included.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_bytes_sent(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.bytes_sent)
}

/// File bytes that this run did not have to send because the server had them at its beginning.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_bytes_skipped(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.bytes_skipped)
}

/// Bytes per second over the last seconds; 0 while nothing is being sent.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_rate(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.rate)
}

/// Milliseconds left to the end at the present rate; #RESUP_FOREVER where that cannot be told.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_time_left(upload: *const resup_upload) -> u32 {
    number(upload, |now| {
        let left = now.time_left.map_or(u128::MAX, |left| left.as_millis());
        u32::try_from(left).map_or(RESUP_FOREVER, |left| left.min(RESUP_FOREVER))
    })
}

/// How often this run began to ask the server for its offset: 1, and 1 more after every break and
/// pause.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_attempts(upload: *const resup_upload) -> u32 {
    number(upload, |now| now.attempts)
}

/// In #RESUP_STATE_WAITING, the milliseconds left until the next attempt; else 0.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_retry_in(upload: *const resup_upload) -> u32 {
    number(upload, |now| {
        let left = now.retry_in.unwrap_or_default().as_millis();
        u32::try_from(left).unwrap_or(u32::MAX)
    })
}

/// The HTTP status of the server's last answer in this run; 0 when there was none.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_http_status(upload: *const resup_upload) -> i32 {
    number(upload, |now| now.http_status.unwrap_or(0).into())
}

/// Whether running the upload again, later and unchanged, may succeed where the last run failed:
/// 1 or 0.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_is_retryable(upload: *const resup_upload) -> i32 {
    read(upload, 0, |entry| entry.is_retryable().into())
}

/// The server's own key of the upload.
///
/// @return a text, or NULL when there is none; borrowed: valid until resup_upload_free. So for
///         all texts of an upload.
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_id(upload: *const resup_upload) -> *const c_char {
    lent(upload, Remote::id)
}

/// Where the finished file is to be found, in the server's words.
///
/// @return a text, or NULL when there is none; borrowed as resup_upload_id's
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_location(upload: *const resup_upload) -> *const c_char {
    lent(upload, Remote::location)
}

/// The MD5 of the whole file, 32 lower-case hex digits, once it is complete; NULL before, and
/// when the server had the file already and it was not read.
///
/// @return a text or NULL; borrowed as resup_upload_id's
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_md5(upload: *const resup_upload) -> *const c_char {
    lent(upload, Remote::md5)
}

/// The server's last message for a person.
///
/// @return a text, or NULL when there is none; borrowed as resup_upload_id's
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_server_message(upload: *const resup_upload) -> *const c_char {
    lent(upload, Remote::server_message)
}

/// The start of the body, up to 200 characters in one line, of the server's last refusal in this
/// run: what a proxy or a login page says where the server has no message.
///
/// @return a text, or NULL when there is none; borrowed as resup_upload_id's
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_server_excerpt(upload: *const resup_upload) -> *const c_char {
    lent(upload, Remote::server_excerpt)
}

/// What went wrong in the last call on this upload that failed, and what to do about it.
///
/// @return a text, empty when nothing failed since the last run began or ended well, NULL for a
///         handle that is not valid; borrowed as resup_upload_id's
///
/// Threads: any, at any time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_error_message(upload: *const resup_upload) -> *const c_char {
    read(upload, ptr::null(), Entry::error_message)
}
