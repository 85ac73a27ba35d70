//! Upload: texts
//!
//! What the server and the library tell of an upload.
//!
//! @param upload  an upload
//! @return a text, or NULL when there is none or the handle is not valid; it is valid until
//!         resup_upload_free
//!
//! Threads: any, at any time. Callbacks: none.

use std::ffi::c_char;
use std::ptr;

use super::internal::entry::{read, Entry};
use super::types::resup_upload;
use crate::api::remote::Remote;

fn string(upload: *const resup_upload, of: fn(&Remote) -> Option<String>) -> *const c_char {
    read(upload, ptr::null(), |entry: &Entry| {
        of(&entry.remote).map_or(ptr::null(), |text| entry.return_string(&text))
    })
}

/// Returns the protocol or dialect that the server has answered in, such as "tus" or "plain".
#[no_mangle]
pub unsafe extern "C" fn resup_upload_protocol(upload: *const resup_upload) -> *const c_char {
    string(upload, |remote| remote.protocol().map(str::to_owned))
}

/// Returns the server's own key of the upload.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_id(upload: *const resup_upload) -> *const c_char {
    string(upload, Remote::id)
}

/// Returns where the finished file is to be found, in the server's words.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_location(upload: *const resup_upload) -> *const c_char {
    string(upload, Remote::location)
}

/// Returns the digest of the whole file in lower-case hex, once it is complete; NULL before, and
/// when the server had the file already and it was not read.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_digest(upload: *const resup_upload) -> *const c_char {
    string(upload, Remote::digest)
}

/// Returns resup_upload_digest where that is an MD5, else NULL.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_md5(upload: *const resup_upload) -> *const c_char {
    string(upload, Remote::md5)
}

/// Returns the server's last message for a person.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_server_message(upload: *const resup_upload) -> *const c_char {
    string(upload, Remote::server_message)
}

/// Returns the start of the body, up to 200 characters in one line, of the server's last refusal in
/// this run: what a proxy or a login page says where the server has no message.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_server_excerpt(upload: *const resup_upload) -> *const c_char {
    string(upload, Remote::server_excerpt)
}

/// Returns what went wrong in the last call on this upload that failed, and what to do about it.
/// During a run it tells why the last attempt failed, until the server answers again: why it waits.
///
/// @return a text, empty when nothing failed since the last run began or ended well, NULL for a
///         handle that is not valid; it is valid until resup_upload_free
#[no_mangle]
pub unsafe extern "C" fn resup_upload_error_message(upload: *const resup_upload) -> *const c_char {
    read(upload, ptr::null(), Entry::error_message)
}
