//! The settings of one upload.

use std::ffi::c_char;

use super::status::resup_status;
use super::text::text;
use super::upload::{alone, resup_upload};

/// Sets the file name that the server is told. Default: the file's own.
///
/// @param name  UTF-8 without a path, at most 1024 bytes; copied
/// @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8, #RESUP_E_STATE during a
///         run, #RESUP_E_BUSY or a handle's error
///
/// Threads: one at a time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_name(
    upload: *mut resup_upload,
    name: *const c_char,
) -> resup_status {
    alone(upload, |upload| {
        // SAFETY: the header demands a C string or NULL.
        Ok(upload.set_name(unsafe { text("name", name) }?)?)
    })
}

/// Sets the directory on the server. Default: empty, the server's own choice.
///
/// @param directory  UTF-8, separated by /; copied
/// @return as resup_upload_set_name
///
/// Threads: one at a time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_directory(
    upload: *mut resup_upload,
    directory: *const c_char,
) -> resup_status {
    alone(upload, |upload| {
        // SAFETY: the header demands a C string or NULL.
        Ok(upload.set_directory(unsafe { text("directory", directory) }?)?)
    })
}

/// Sets the file's MIME type. Default: application/octet-stream.
///
/// @param content_type  type/subtype; copied
/// @return as resup_upload_set_name
///
/// Threads: one at a time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_content_type(
    upload: *mut resup_upload,
    content_type: *const c_char,
) -> resup_status {
    alone(upload, |upload| {
        // SAFETY: the header demands a C string or NULL.
        Ok(upload.set_content_type(unsafe { text("content type", content_type) }?)?)
    })
}

/// Adds a form field of the program's own, sent with every request of this upload. The same name
/// again replaces the value.
///
/// @param name   UTF-8, none of the protocol's own names; copied
/// @param value  UTF-8; copied
/// @return as resup_upload_set_name
///
/// Threads: one at a time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_field(
    upload: *mut resup_upload,
    name: *const c_char,
    value: *const c_char,
) -> resup_status {
    alone(upload, |upload| {
        // SAFETY: the header demands C strings or NULL.
        let (name, value) = unsafe { (text("field name", name)?, text("field value", value)?) };
        Ok(upload.set_field(name, value)?)
    })
}

/// Sets the most file bytes that one request carries. For servers and proxies that see a request
/// only when it is whole: what a break costs there is one segment.
///
/// @param bytes  0, the default, for no limit
/// @return #RESUP_OK, #RESUP_E_STATE during a run, #RESUP_E_BUSY or a handle's error
///
/// Threads: one at a time. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_segment_size(
    upload: *mut resup_upload,
    bytes: u64,
) -> resup_status {
    alone(upload, |upload| Ok(upload.set_segment_size(bytes)?))
}
