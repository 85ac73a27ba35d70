//! Status codes
//!
//! What functions return: success, then failures in the groups of their causes: the program, the
//! file, the network, the server's refusals, its answers, a cancel, this machine.
//!
//! Threads: any. Callbacks: none.

use std::ffi::c_char;

use super::types::resup_status;
use crate::error::{Error, ErrorKind, RefusalKind};

/// It is done.
pub const RESUP_OK: i32 = 0;
/// From resup_upload_wait only: the upload goes on; call again.
pub const RESUP_PENDING: i32 = 1;

/// A pointer that must not be NULL is NULL. Correct the program.
pub const RESUP_E_NULL: i32 = 10;
/// What was given as a handle never was one. Correct the program.
pub const RESUP_E_HANDLE: i32 = 11;
/// The handle has been freed before. Correct the program.
pub const RESUP_E_FREED: i32 = 12;
/// A client was given where an upload belongs, or the other way round. Correct the program.
pub const RESUP_E_HANDLE_KIND: i32 = 13;
/// A text is not valid UTF-8 (or UTF-16). Convert it.
pub const RESUP_E_UTF8: i32 = 14;
/// A value cannot be used; the error message says why.
pub const RESUP_E_ARGUMENT: i32 = 15;
/// The server's address is no http or https URL; the error message says why.
pub const RESUP_E_URL: i32 = 16;
/// Another thread, or a callback, is inside a call on this handle. Wait for it.
pub const RESUP_E_BUSY: i32 = 17;
/// The call does not fit the upload's state; the error message says why.
pub const RESUP_E_STATE: i32 = 18;

/// There is no such file. Let the user choose again.
pub const RESUP_E_SOURCE_NOT_FOUND: i32 = 30;
/// The file may not be read. Let the user see to its permissions.
pub const RESUP_E_SOURCE_DENIED: i32 = 31;
/// A directory or device, no regular file; or its size is not the number of its bytes.
pub const RESUP_E_SOURCE_NOT_A_FILE: i32 = 32;
/// Reading the file failed; the error message has the system's reason.
pub const RESUP_E_SOURCE_IO: i32 = 33;
/// The file changed while it was being uploaded. Run again when it is at rest.
pub const RESUP_E_SOURCE_CHANGED: i32 = 34;

/// The server's name was not found. Check the address and the network, run again.
pub const RESUP_E_RESOLVE: i32 = 50;
/// No connection came about. Check the address and the network, run again.
pub const RESUP_E_CONNECT: i32 = 51;
/// The connection was lost, or the answer was cut, again and again. Run again later.
pub const RESUP_E_CONNECTION_LOST: i32 = 52;
/// A time limit passed again and again. Run again later.
pub const RESUP_E_TIMEOUT: i32 = 53;
/// TLS failed, or the server's certificate is not trusted. Tell the user; do not go on.
pub const RESUP_E_TLS: i32 = 54;
/// The proxy refuses. Check its address, its user and password, and what it lets through.
pub const RESUP_E_PROXY: i32 = 55;

/// The server wants a login, or does not allow this (HTTP 401, 403), or the login failed.
pub const RESUP_E_NOT_ALLOWED: i32 = 70;
/// The file is more than the server takes (HTTP 413).
pub const RESUP_E_TOO_LARGE: i32 = 71;
/// Another client writes this upload (HTTP 423), or uploads the same file. Run again later.
pub const RESUP_E_LOCKED: i32 = 72;
/// The server keeps being busy (HTTP 429, 503). Run again later.
pub const RESUP_E_SERVER_BUSY: i32 = 73;
/// The server keeps failing (HTTP 408, 500, 502, ...), or a login page hides it. Run again.
pub const RESUP_E_SERVER_FAILING: i32 = 74;
/// The server has no room (HTTP 507). Run again when it has.
pub const RESUP_E_NO_SPACE: i32 = 75;
/// The server refused for another reason: see resup_upload_http_status and the error message.
pub const RESUP_E_REFUSED: i32 = 76;

/// The server's answer is not of the protocol. Is the URL right?
pub const RESUP_E_BAD_RESPONSE: i32 = 90;
/// The server's answer is far too long. Is the URL right?
pub const RESUP_E_RESPONSE_TOO_LONG: i32 = 91;
/// The server claims an offset that cannot be; nothing was sent on it. Report it to its owner.
pub const RESUP_E_BAD_OFFSET: i32 = 92;
/// What the server stored is not what was sent, twice in a row.
pub const RESUP_E_DIGEST: i32 = 93;
/// The server does not use the digest that was asked for by name.
pub const RESUP_E_DIGEST_UNAVAILABLE: i32 = 94;

/// The upload was cancelled, by a call or by a callback. It may be run again.
pub const RESUP_E_CANCELLED: i32 = 110;

/// The operating system refused a thread or random numbers. Run again with more resources.
pub const RESUP_E_SYSTEM: i32 = 120;
/// A defect in the library was caught. Free the handle; report the message.
pub const RESUP_E_INTERNAL: i32 = 121;

/// Returns what a status means, in one English sentence.
///
/// @param status  any value
/// @return a static text, never NULL; for an unknown code, one that says so
#[no_mangle]
pub extern "C" fn resup_status_message(status: resup_status) -> *const c_char {
    let text = match status {
        RESUP_OK => c"success",
        RESUP_PENDING => c"the upload goes on",
        RESUP_E_NULL => c"a pointer that must not be NULL is NULL",
        RESUP_E_HANDLE => c"what was given as a handle never was one",
        RESUP_E_FREED => c"the handle has been freed before",
        RESUP_E_HANDLE_KIND => c"the handle is of the wrong kind",
        RESUP_E_UTF8 => c"a text is not valid UTF-8 or UTF-16",
        RESUP_E_ARGUMENT => c"a value cannot be used",
        RESUP_E_URL => c"the URL cannot be used",
        RESUP_E_BUSY => c"another call on this handle has not returned yet",
        RESUP_E_STATE => c"the call does not fit the upload's state",
        RESUP_E_SOURCE_NOT_FOUND => c"the file does not exist",
        RESUP_E_SOURCE_DENIED => c"the file may not be read",
        RESUP_E_SOURCE_NOT_A_FILE => c"not a regular file, or one whose size is wrong",
        RESUP_E_SOURCE_IO => c"reading the file failed",
        RESUP_E_SOURCE_CHANGED => c"the file changed while it was being uploaded",
        RESUP_E_RESOLVE => c"the server's name was not found",
        RESUP_E_CONNECT => c"no connection to the server",
        RESUP_E_CONNECTION_LOST => c"the connection to the server was lost",
        RESUP_E_TIMEOUT => c"the server or the network took too long",
        RESUP_E_TLS => c"TLS with the server failed",
        RESUP_E_PROXY => c"the proxy refuses",
        RESUP_E_NOT_ALLOWED => c"the server does not allow this or wants a login",
        RESUP_E_TOO_LARGE => c"the file is more than the server takes",
        RESUP_E_LOCKED => c"another client is writing this upload",
        RESUP_E_SERVER_BUSY => c"the server is busy",
        RESUP_E_SERVER_FAILING => c"the server failed",
        RESUP_E_NO_SPACE => c"the server has no room",
        RESUP_E_REFUSED => c"the server refused",
        RESUP_E_BAD_RESPONSE => c"the server's answer is not of the protocol",
        RESUP_E_RESPONSE_TOO_LONG => c"the server's answer is too long",
        RESUP_E_BAD_OFFSET => c"the server claims an offset that cannot be",
        RESUP_E_DIGEST => c"what the server stored is not what was sent",
        RESUP_E_DIGEST_UNAVAILABLE => c"the server does not use the digest that was asked for",
        RESUP_E_CANCELLED => c"the upload was cancelled",
        RESUP_E_SYSTEM => c"the operating system refused a resource",
        RESUP_E_INTERNAL => c"an internal error was caught",
        _ => c"an unknown status code",
    };
    text.as_ptr()
}

/// Returns the status of an error.
pub(super) fn of(error: &Error) -> resup_status {
    match error.kind() {
        ErrorKind::InvalidArgument => RESUP_E_ARGUMENT,
        ErrorKind::InvalidUrl => RESUP_E_URL,
        ErrorKind::WrongState => RESUP_E_STATE,
        ErrorKind::SourceNotFound => RESUP_E_SOURCE_NOT_FOUND,
        ErrorKind::SourceDenied => RESUP_E_SOURCE_DENIED,
        ErrorKind::SourceNotAFile => RESUP_E_SOURCE_NOT_A_FILE,
        ErrorKind::SourceIo => RESUP_E_SOURCE_IO,
        ErrorKind::SourceChanged => RESUP_E_SOURCE_CHANGED,
        ErrorKind::ResolveFailed => RESUP_E_RESOLVE,
        ErrorKind::ConnectFailed => RESUP_E_CONNECT,
        ErrorKind::ConnectionLost => RESUP_E_CONNECTION_LOST,
        ErrorKind::TimedOut => RESUP_E_TIMEOUT,
        ErrorKind::Tls => RESUP_E_TLS,
        ErrorKind::ProxyRefused => RESUP_E_PROXY,
        ErrorKind::SessionExpired => RESUP_E_NOT_ALLOWED,
        ErrorKind::Refused(RefusalKind::NotAllowed) => RESUP_E_NOT_ALLOWED,
        ErrorKind::Refused(RefusalKind::TooLarge) => RESUP_E_TOO_LARGE,
        ErrorKind::Refused(RefusalKind::Locked) => RESUP_E_LOCKED,
        ErrorKind::Refused(RefusalKind::Busy) => RESUP_E_SERVER_BUSY,
        ErrorKind::Refused(RefusalKind::Failing) => RESUP_E_SERVER_FAILING,
        ErrorKind::Refused(RefusalKind::NoSpace) => RESUP_E_NO_SPACE,
        ErrorKind::Refused(RefusalKind::Other) => RESUP_E_REFUSED,
        ErrorKind::BadResponse => RESUP_E_BAD_RESPONSE,
        ErrorKind::ResponseTooLong => RESUP_E_RESPONSE_TOO_LONG,
        ErrorKind::BadOffset => RESUP_E_BAD_OFFSET,
        ErrorKind::DigestMismatch => RESUP_E_DIGEST,
        ErrorKind::DigestUnavailable => RESUP_E_DIGEST_UNAVAILABLE,
        ErrorKind::Cancelled => RESUP_E_CANCELLED,
        ErrorKind::System => RESUP_E_SYSTEM,
        ErrorKind::Internal => RESUP_E_INTERNAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn every_status_of_the_source_has_a_message_and_a_number_of_its_own() {
        let mut seen = std::collections::HashMap::new();
        for line in include_str!("status.rs").lines() {
            let Some(rest) = line.strip_prefix("pub const RESUP_") else {
                continue;
            };
            let (name, value) = rest.split_once(": i32 = ").unwrap();
            let value: i32 = value.trim_end_matches(';').parse().unwrap();
            // SAFETY: the function returns static C strings.
            let text = unsafe { CStr::from_ptr(resup_status_message(value)) };
            assert_ne!(text, c"an unknown status code", "{name}");
            assert_eq!(seen.insert(value, name), None, "{name}");
            assert!(value >= 0, "{name}");
        }
        assert!(seen.len() > 30);
    }
}
