//! Upload: settings
//!
//! What is uploaded under which name, and how. Each setting counts from the next run on.
//!
//! @param upload  an upload
//! @param path    the state file: not empty, and a place of its own for each upload
//! @return #RESUP_OK; #RESUP_E_ARGUMENT for a value that cannot be used; #RESUP_E_NULL for a text
//!         that is NULL; #RESUP_E_UTF8 for one that is not valid; #RESUP_E_STATE during a run;
//!         #RESUP_E_BUSY or a handle's error
//!
//! Threads: one at a time. Callbacks: none.

use std::ffi::c_char;

use super::internal::boundary::Fault;
use super::internal::entry::{with_remote, with_upload};
use super::internal::text::{native_path, text, utf16_path};
use super::status::RESUP_E_ARGUMENT;
use super::types::{resup_status, resup_upload};
use crate::options::{DigestAlgorithm, DigestMode, SegmentSize};

/// Sets the file name that the server is told. Default: the file's own.
///
/// @param name  without a path, at most 1024 bytes; needed where the file's own is not UTF-8
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_name(
    upload: *mut resup_upload,
    name: *const c_char,
) -> resup_status {
    with_upload(upload, |upload| {
        // SAFETY: the header demands a C string or NULL.
        Ok(upload.set_name(unsafe { text("name", name) }?)?)
    })
}

/// Sets the directory on the server. Default: empty, the server's own choice.
///
/// @param directory  names, separated by /
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_directory(
    upload: *mut resup_upload,
    directory: *const c_char,
) -> resup_status {
    with_upload(upload, |upload| {
        // SAFETY: the header demands a C string or NULL.
        Ok(upload.set_directory(unsafe { text("directory", directory) }?)?)
    })
}

/// Sets the file's MIME type. Default: by the extension of its name, else application/octet-stream.
///
/// @param content_type  ASCII, type/subtype and perhaps parameters after a semicolon
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_content_type(
    upload: *mut resup_upload,
    content_type: *const c_char,
) -> resup_status {
    with_upload(upload, |upload| {
        // SAFETY: the header demands a C string or NULL.
        Ok(upload.set_content_type(unsafe { text("content type", content_type) }?)?)
    })
}

/// Adds a form field of the program's own to every request. The same name replaces the value.
///
/// @param name   none of the protocol's own names
/// @param value  any text
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_field(
    upload: *mut resup_upload,
    name: *const c_char,
    value: *const c_char,
) -> resup_status {
    with_upload(upload, |upload| {
        // SAFETY: the header demands C strings or NULL.
        let (name, value) = unsafe { (text("field name", name)?, text("field value", value)?) };
        Ok(upload.set_field(name, value)?)
    })
}

/// Compute none, for networks and servers that compare by themselves: neither a prefix on the server
/// nor the whole file is compared then, and a new mode or link during a run is a change of the file.
pub const RESUP_DIGEST_NONE: i32 = 0;
/// Compute the digest while the file is sent. The default.
pub const RESUP_DIGEST_ONE_PASS: i32 = 1;
/// Compute it before the first request: a server that has the content needs no byte of it.
pub const RESUP_DIGEST_FIRST: i32 = 2;

/// Sets whether and when the digest of the file is computed. That of memory, and of a stream with a
/// size, is computed before the first request in every mode: nothing else tells two versions apart.
///
/// With #RESUP_DIGEST_NONE for a file and an algorithm by its name the start fails (#RESUP_E_ARGUMENT).
///
/// @param mode  #RESUP_DIGEST_NONE, #RESUP_DIGEST_ONE_PASS or #RESUP_DIGEST_FIRST
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_digest(
    upload: *mut resup_upload,
    mode: i32,
) -> resup_status {
    with_upload(upload, |upload| {
        let mode = match mode {
            RESUP_DIGEST_NONE => DigestMode::None,
            RESUP_DIGEST_ONE_PASS => DigestMode::OnePass,
            RESUP_DIGEST_FIRST => DigestMode::First,
            other => {
                let why = format!("the digest mode {other} is none of 0 (none) to 2 (first)");
                return Err(Fault::new(RESUP_E_ARGUMENT, why));
            }
        };
        Ok(upload.set_digest(mode)?)
    })
}

/// Sets whether the finished file is read back at the end, and its digest compared, where the server tells
/// none: by WebDAV, tus, IETF. Another file ends the run (#RESUP_E_DIGEST) and stays there; the next run
/// replaces it. With a dialect, sessions or #RESUP_DIGEST_NONE the start fails (#RESUP_E_ARGUMENT).
///
/// @param read_back  0 for no, the default; else yes
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_read_back(
    upload: *mut resup_upload,
    read_back: i32,
) -> resup_status {
    with_upload(upload, |upload| Ok(upload.set_read_back(read_back != 0)?))
}

/// The best one that both sides have. The default.
pub const RESUP_DIGEST_ALGORITHM_AUTOMATIC: i32 = 0;
/// BLAKE3 with 256 bits, the fastest.
pub const RESUP_DIGEST_ALGORITHM_BLAKE3: i32 = 1;
/// SHA-256.
pub const RESUP_DIGEST_ALGORITHM_SHA256: i32 = 2;
/// MD5, which every server has. It protects against accidents, not against an attacker.
pub const RESUP_DIGEST_ALGORITHM_MD5: i32 = 3;

/// Sets the algorithm of the digest. With one that is named the run ends with
/// #RESUP_E_DIGEST_UNAVAILABLE where the server does not use it.
///
/// @param algorithm  one of the RESUP_DIGEST_ALGORITHM_ constants
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_digest_algorithm(
    upload: *mut resup_upload,
    algorithm: i32,
) -> resup_status {
    with_upload(upload, |upload| {
        let algorithm = match algorithm {
            RESUP_DIGEST_ALGORITHM_AUTOMATIC => DigestAlgorithm::Automatic,
            RESUP_DIGEST_ALGORITHM_BLAKE3 => DigestAlgorithm::Blake3,
            RESUP_DIGEST_ALGORITHM_SHA256 => DigestAlgorithm::Sha256,
            RESUP_DIGEST_ALGORITHM_MD5 => DigestAlgorithm::Md5,
            other => {
                let why =
                    format!("the digest algorithm {other} is none of 0 (automatic) to 3 (MD5)");
                return Err(Fault::new(RESUP_E_ARGUMENT, why));
            }
        };
        Ok(upload.set_digest_algorithm(algorithm)?)
    })
}

/// Sets a file in which the upload keeps states of the digest, so that a resume by another run of
/// the program does not read again what the server already has; and its URL, where only that finds
/// it (tus), or what the storage told of its parts (presigned). Default: none. Where it is missing,
/// damaged or of another file, the upload reads more or begins anew, and ends right. Only its owner
/// may read it; it is removed when the upload is complete. A file at that path that is no state file
/// is left as it is. Memory and streams have no state file.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_state_file(
    upload: *mut resup_upload,
    path: *const c_char,
) -> resup_status {
    with_upload(upload, |upload| {
        // SAFETY: the header demands a C string or NULL.
        Ok(upload.set_state_file(unsafe { native_path("path", path) }?)?)
    })
}

/// As resup_upload_set_state_file, with a path in UTF-16.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_state_file_utf16(
    upload: *mut resup_upload,
    path: *const u16,
) -> resup_status {
    with_upload(upload, |upload| {
        // SAFETY: the header demands 0-terminated UTF-16 or NULL.
        Ok(upload.set_state_file(unsafe { utf16_path("path", path) }?)?)
    })
}

/// Send everything that is left in one request, as long as that works. The default.
pub const RESUP_SEGMENT_UNLIMITED: u64 = 0;
/// Send segments from the first request on, whose size follows the network.
pub const RESUP_SEGMENT_AUTOMATIC: u64 = 1;

/// Sets the most file bytes that one request carries. Seldom needed. After a request that brought
/// nothing (servers and proxies may see it only when it is whole) the next one carries a quarter,
/// from 4 MiB down to 64 KiB; the size then grows while a segment takes less than 5 s, and shrinks
/// after more than 20 s. A server's own limit counts, and after an HTTP 413 the size is halved.
///
/// @param bytes  a number of bytes, #RESUP_SEGMENT_UNLIMITED or #RESUP_SEGMENT_AUTOMATIC
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_segment_size(
    upload: *mut resup_upload,
    bytes: u64,
) -> resup_status {
    let size = match bytes {
        RESUP_SEGMENT_UNLIMITED => SegmentSize::Unlimited,
        RESUP_SEGMENT_AUTOMATIC => SegmentSize::Automatic,
        bytes => SegmentSize::Fixed(bytes),
    };
    with_upload(upload, |upload| Ok(upload.set_segment_size(size)?))
}

/// Sets how many connections send parts of the file at a time at most, where the server takes parts and the
/// file can be read at several places. Streams use one.
///
/// @param connections  1 to 6, or 0, the default, for as many as help
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_connections(
    upload: *mut resup_upload,
    connections: u32,
) -> resup_status {
    with_upload(upload, |upload| Ok(upload.set_connections(connections)?))
}

/// Sets presigned URLs of S3 and its likes, to which the parts of the file go in place of the client's URL;
/// docs/OTHER-SERVERS.md has the keys. They are secrets, and get nothing of the client's login.
///
/// @param parts  JSON: {"part_size": 8388608, "parts": ["https://...", ...], "complete": "https://..."}
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_parts(
    upload: *mut resup_upload,
    parts: *const c_char,
) -> resup_status {
    with_upload(upload, |upload| {
        // SAFETY: the header demands a C string or NULL.
        Ok(upload.set_parts(unsafe { text("parts", parts) }?)?)
    })
}

/// Sets the most file bytes per second that this upload sends. Counts at once, also during a run.
///
/// @param bytes_per_second  0, the default, for no limit
/// @return #RESUP_OK or a handle's error
///
/// Threads: any, at any time, callbacks included. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_set_rate_limit(
    upload: *mut resup_upload,
    bytes_per_second: u64,
) -> resup_status {
    with_remote(upload, |remote| remote.set_rate_limit(bytes_per_second))
}
